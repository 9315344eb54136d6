// Values and derivatives of the activations on one vector; the loops over an array; softmax of one row.

template <class T>
__attribute__((always_inline)) inline Vec<T> sigmoid_of(Vec<T> x) {
  return T(1) / (T(1) + exponential<T>(-x));
}

template <class T>
__attribute__((always_inline)) inline Vec<T> tanh_of(Vec<T> x) {
  const Vec<T> zero{}, e = exponential_minus_1<T>(x > zero ? T(-2) * x : T(2) * x), size = e / (T(2) + e);
  return x > zero ? -size : size;
}

/// The distribution of the unit normal up to x. In double: the rounding of x / sqrt 2 would be magnified in the tail.
inline double normal_distribution(double x) { return 0.5 * __builtin_erfc(x * -0.70710678118654752440); }

template <class T>
__attribute__((always_inline)) inline Vec<T> gelu_of(Vec<T> x) {
  for (int i = 0; i < lanes<T>; ++i) {
    const double at = static_cast<double>(x[i]);
    x[i] = static_cast<T>(at * normal_distribution(at));
  }
  return x;
}

template <class T>
__attribute__((always_inline)) inline Vec<T> gelu_slope(Vec<T> x) {
  for (int i = 0; i < lanes<T>; ++i) {
    const double at = static_cast<double>(x[i]), density = 0.39894228040143267794 * __builtin_exp(-0.5 * at * at);
    x[i] = static_cast<T>(normal_distribution(at) + at * density);
  }
  return x;
}

template <ActivationFunction::Kind kind, class T>
__attribute__((always_inline)) inline Vec<T> activated(Vec<T> x, T alpha) {
  using Kind = ActivationFunction::Kind;
  const Vec<T> zero{};
  if constexpr (kind == Kind::relu) return max<T>(zero, x);  // this order keeps a NaN
  if constexpr (kind == Kind::leaky_relu) return x > zero ? x : alpha * x;
  if constexpr (kind == Kind::elu) return x > zero ? x : alpha * exponential_minus_1<T>(min<T>(zero, x));
  if constexpr (kind == Kind::gelu) return gelu_of<T>(x);
  if constexpr (kind == Kind::silu) return x / (T(1) + exponential<T>(-x));
  if constexpr (kind == Kind::sigmoid) return sigmoid_of<T>(x);
  if constexpr (kind == Kind::tanh) return tanh_of<T>(x);
  return x;
}

/// dy f'(x), where `at` is x if from_input, else y = f(x).
template <ActivationFunction::Kind kind, bool from_input, class T>
__attribute__((always_inline)) inline Vec<T> activation_gradient(Vec<T> at, Vec<T> dy, T alpha) {
  using Kind = ActivationFunction::Kind;
  const Vec<T> zero{};
  if constexpr (kind == Kind::relu) return at > zero ? dy : zero;
  if constexpr (kind == Kind::leaky_relu) return at > zero ? dy : alpha * dy;
  if constexpr (kind == Kind::elu && from_input)
    return at > zero ? dy : dy * (alpha * exponential<T>(min<T>(zero, at)));
  if constexpr (kind == Kind::elu && !from_input) return at > zero ? dy : dy * (at + alpha);
  if constexpr (kind == Kind::gelu) return dy * gelu_slope<T>(at);
  if constexpr (kind == Kind::silu) {
    const Vec<T> s = sigmoid_of<T>(at);
    return dy * (s * (T(1) + at * (T(1) - s)));
  }
  if constexpr (kind == Kind::sigmoid) return dy * (at * (T(1) - at));
  if constexpr (kind == Kind::tanh) return dy * (T(1) - at * at);
  return dy;
}

/// The last elements go through the same loop in a vector of their own: the compiler sees each function once.
template <ActivationFunction::Kind kind, class T>
void activate_array(T alpha, std::int64_t n, const T* x, T* y) {
  const std::int64_t whole = n - n % lanes<T>;
  for (std::int64_t i = 0; i < whole; i += lanes<T>) store(y + i, activated<kind, T>(load(x + i), alpha));
  if (whole == n) return;
  T last[lanes<T>] = {};
  for (std::int64_t i = whole; i < n; ++i) last[i - whole] = x[i];
  activate_array<kind>(alpha, lanes<T>, last, last);
  for (std::int64_t i = whole; i < n; ++i) y[i] = last[i - whole];
}

template <ActivationFunction::Kind kind, bool from_input, class T>
void activate_array_backward(T alpha, std::int64_t n, const T* at, const T* dy, T* dx) {
  const std::int64_t whole = n - n % lanes<T>;
  for (std::int64_t i = 0; i < whole; i += lanes<T>)
    store(dx + i, activation_gradient<kind, from_input, T>(load(at + i), load(dy + i), alpha));
  if (whole == n) return;
  T last[2][lanes<T>] = {};
  for (std::int64_t i = whole; i < n; ++i) last[0][i - whole] = at[i], last[1][i - whole] = dy[i];
  activate_array_backward<kind, from_input>(alpha, lanes<T>, last[0], last[1], last[1]);
  for (std::int64_t i = whole; i < n; ++i) dx[i] = last[1][i - whole];
}

/// Elements i ... of a row as a vector, `padding` behind its end.
template <class T>
__attribute__((always_inline)) inline Vec<T> load_row(const T* row, std::int64_t i, std::int64_t n, T padding) {
  if (i + lanes<T> <= n) return load(row + i);
  T last[lanes<T>];
  store(last, broadcast(padding));
  for (std::int64_t j = i; j < n; ++j) last[j - i] = row[j];
  return load(last);
}

template <class T>
__attribute__((always_inline)) inline void store_row(T* row, std::int64_t i, std::int64_t n, Vec<T> v) {
  if (i + lanes<T> <= n) return store(row + i, v);
  T last[lanes<T>];
  store(last, v);
  for (std::int64_t j = i; j < n; ++j) row[j] = last[j - i];
}

/// y = e^(x - max x) / sum e^(x - max x).
template <class T>
void softmax_row(std::int64_t n, const T* x, T* y) {
  const T lowest = -static_cast<T>(__builtin_inff());
  Vec<T> highest = broadcast(lowest), sum{};
  for (std::int64_t i = 0; i < n; i += lanes<T>) highest = max<T>(highest, load_row(x, i, n, lowest));
  T top = highest[0];
  for (int i = 1; i < lanes<T>; ++i) top = top < highest[i] ? highest[i] : top;
  for (std::int64_t i = 0; i < n; i += lanes<T>) {
    const Vec<T> e = exponential<T>(load_row(x, i, n, lowest) - top);
    sum += e;
    store_row(y, i, n, e);
  }
  const T share = T(1) / sum_of_lanes<T>(sum);
  for (std::int64_t i = 0; i < n; i += lanes<T>) store_row(y, i, n, share * load_row(y, i, n, T(0)));
}

/// dx = y (dy - sum dy y).
template <class T>
void softmax_row_backward(std::int64_t n, const T* y, const T* dy, T* dx) {
  Vec<T> sum{};
  for (std::int64_t i = 0; i < n; i += lanes<T>) sum += load_row(y, i, n, T(0)) * load_row(dy, i, n, T(0));
  const T mean = sum_of_lanes<T>(sum);
  for (std::int64_t i = 0; i < n; i += lanes<T>)
    store_row(dx, i, n, load_row(y, i, n, T(0)) * (load_row(dy, i, n, T(0)) - mean));
}

template <class T>
void activate_any(const ActivationFunction& f, std::int64_t n, const T* x, T* y) {
  using Kind = ActivationFunction::Kind;
  const T alpha = static_cast<T>(f.alpha);
  switch (f.kind) {
    case Kind::linear: return activate_array<Kind::linear>(alpha, x == y ? 0 : n, x, y);
    case Kind::relu: return activate_array<Kind::relu>(alpha, n, x, y);
    case Kind::leaky_relu: return activate_array<Kind::leaky_relu>(alpha, n, x, y);
    case Kind::elu: return activate_array<Kind::elu>(alpha, n, x, y);
    case Kind::gelu: return activate_array<Kind::gelu>(alpha, n, x, y);
    case Kind::silu: return activate_array<Kind::silu>(alpha, n, x, y);
    case Kind::sigmoid: return activate_array<Kind::sigmoid>(alpha, n, x, y);
    case Kind::tanh: return activate_array<Kind::tanh>(alpha, n, x, y);
    case Kind::softmax: return softmax_row(n, x, y);
  }
}

template <class T>
void activate_any_backward(const ActivationFunction& f, std::int64_t n, const T* x, const T* y, const T* dy, T* dx) {
  using Kind = ActivationFunction::Kind;
  const T alpha = static_cast<T>(f.alpha);
  const bool from_input = !differentiable_from_output(f);
  switch (f.kind) {
    case Kind::linear: return activate_array<Kind::linear>(alpha, dy == dx ? 0 : n, dy, dx);
    case Kind::relu: return activate_array_backward<Kind::relu, false>(alpha, n, y, dy, dx);
    case Kind::leaky_relu:
      return activate_array_backward<Kind::leaky_relu, false>(alpha, n, from_input ? x : y, dy, dx);
    case Kind::elu:
      return from_input ? activate_array_backward<Kind::elu, true>(alpha, n, x, dy, dx)
                        : activate_array_backward<Kind::elu, false>(alpha, n, y, dy, dx);
    case Kind::gelu: return activate_array_backward<Kind::gelu, true>(alpha, n, x, dy, dx);
    case Kind::silu: return activate_array_backward<Kind::silu, true>(alpha, n, x, dy, dx);
    case Kind::sigmoid: return activate_array_backward<Kind::sigmoid, false>(alpha, n, y, dy, dx);
    case Kind::tanh: return activate_array_backward<Kind::tanh, false>(alpha, n, y, dy, dx);
    case Kind::softmax: return softmax_row_backward(n, y, dy, dx);
  }
}
