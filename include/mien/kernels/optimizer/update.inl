// See update.hpp. Each rule is written once, on a vector's worth of memory; the last elements go through a padded copy, so that
// every element's arithmetic is the same wherever it stands.

/// By compiler built-ins: <immintrin.h> would cost every program that includes the library 0.5 s of compile time.
template <class T>
__attribute__((always_inline)) inline Vec<T> square_root(Vec<T> x) {
#if defined(MIEN_ELEMENTWISE_SQRT)
  return __builtin_elementwise_sqrt(x);
#elif defined(__x86_64__) && MIEN_VECTOR_BYTES == 64 && defined(__clang__)
  return __builtin_ia32_sqrtps512(x, 4);  // 4: rounding as the processor is set
#elif defined(__x86_64__) && MIEN_VECTOR_BYTES == 64
  return __builtin_ia32_sqrtps512_mask(x, x, static_cast<short>(-1), 4);
#elif defined(__x86_64__) && MIEN_VECTOR_BYTES == 32
  return __builtin_ia32_sqrtps256(x);
#elif defined(__x86_64__)
  if constexpr (sizeof(T) == sizeof(float))
    return __builtin_ia32_sqrtps(x);
  else
    return __builtin_ia32_sqrtpd(x);
#else
  for (int i = 0; i < lanes<T>; ++i)
    x[i] = static_cast<T>(sizeof(T) == sizeof(float) ? __builtin_sqrtf(static_cast<float>(x[i])) : __builtin_sqrt(x[i]));
  return x;
#endif
}

template <class T>
__attribute__((always_inline)) inline Vec<T> with_penalty(Vec<T> g, Vec<T> w, T l1, T two_l2) {
  const Vec<T> zero{}, slope = broadcast(l1);
  return g + broadcast(two_l2) * w + (w > zero ? slope : zero) - (w < zero ? slope : zero);
}

/// NaN passes the limits: a broken gradient stays visible.
template <class T>
__attribute__((always_inline)) inline Vec<T> seen_gradient(const GradientTerms<T>& terms, Vec<T> g, Vec<T> w) {
  const Vec<T> scaled = broadcast(terms.scale) * with_penalty<T>(g, w, terms.l1, terms.two_l2);
  return min<T>(broadcast(terms.limit), max<T>(broadcast(-terms.limit), scaled));
}

template <class T>
__attribute__((always_inline)) inline void sgd_vector(const SgdTerms<T>& terms, T* pw, const T* pg, T* pv) {
  Vec<T> w = load(pw);
  const Vec<T> g = seen_gradient(terms.gradient, load(pg), w), step = broadcast(terms.rate) * g;
  w -= broadcast(terms.gradient.decay) * w;
  if (pv == nullptr) return store(pw, w - step);
  const Vec<T> velocity = broadcast(terms.momentum) * load(pv) - step;
  store(pv, velocity);
  store(pw, terms.nesterov ? w + (broadcast(terms.momentum) * velocity - step) : w + velocity);
}

template <class T>
void sgd_update(const SgdTerms<T>& terms, std::int64_t n, T* w, const T* g, T* velocity) {
  const std::int64_t whole = n - n % lanes<T>;
  for (std::int64_t i = 0; i < whole; i += lanes<T>)
    sgd_vector(terms, w + i, g + i, velocity == nullptr ? nullptr : velocity + i);
  T last[3][lanes<T>] = {};
  for (std::int64_t i = whole; i < n; ++i) {
    last[0][i - whole] = w[i];
    last[1][i - whole] = g[i];
    if (velocity != nullptr) last[2][i - whole] = velocity[i];
  }
  if (whole < n) sgd_vector(terms, last[0], last[1], velocity == nullptr ? nullptr : last[2]);
  for (std::int64_t i = whole; i < n; ++i) {
    w[i] = last[0][i - whole];
    if (velocity != nullptr) velocity[i] = last[2][i - whole];
  }
}

template <class T>
__attribute__((always_inline)) inline void adam_vector(const AdamTerms<T>& terms, T* pw, const T* pg, T* pm, T* pv, T* pv_max) {
  Vec<T> w = load(pw), m = load(pm), v = load(pv);
  const Vec<T> g = seen_gradient(terms.gradient, load(pg), w);
  w -= broadcast(terms.gradient.decay) * w;
  m += (g - m) * broadcast(terms.one_minus_beta_1);
  v += (g * g - v) * broadcast(terms.one_minus_beta_2);
  store(pm, m);
  store(pv, v);
  if (pv_max != nullptr) {
    v = max<T>(load(pv_max), v);
    store(pv_max, v);
  }
  store(pw, w - broadcast(terms.rate) * m / (square_root<T>(v) + broadcast(terms.epsilon)));
}

template <class T>
void adam_update(const AdamTerms<T>& terms, std::int64_t n, T* w, const T* g, T* m, T* v, T* v_max) {
  const std::int64_t whole = n - n % lanes<T>;
  for (std::int64_t i = 0; i < whole; i += lanes<T>)
    adam_vector(terms, w + i, g + i, m + i, v + i, v_max == nullptr ? nullptr : v_max + i);
  T last[5][lanes<T>] = {};
  for (std::int64_t i = whole; i < n; ++i) {
    last[0][i - whole] = w[i];
    last[1][i - whole] = g[i];
    last[2][i - whole] = m[i];
    last[3][i - whole] = v[i];
    if (v_max != nullptr) last[4][i - whole] = v_max[i];
  }
  if (whole < n) adam_vector(terms, last[0], last[1], last[2], last[3], v_max == nullptr ? nullptr : last[4]);
  for (std::int64_t i = whole; i < n; ++i) {
    w[i] = last[0][i - whole];
    m[i] = last[2][i - whole];
    v[i] = last[3][i - whole];
    if (v_max != nullptr) v_max[i] = last[4][i - whole];
  }
}

template <class T>
double squared_gradient_norm(T l1, T two_l2, std::int64_t n, const T* w, const T* g) {
  constexpr std::int64_t block = 1024;  // short enough for float sums: 16 to 256 terms a lane
  double total = 0;
  for (std::int64_t first = 0; first < n; first += block) {
    const std::int64_t end = first + block < n ? first + block : n, whole = end - (end - first) % lanes<T>;
    Vec<T> sum{};
    for (std::int64_t i = first; i < whole; i += lanes<T>) {
      const Vec<T> x = with_penalty<T>(load(g + i), load(w + i), l1, two_l2);
      sum += x * x;
    }
    T last[2][lanes<T>] = {};
    for (std::int64_t i = whole; i < end; ++i) {
      last[0][i - whole] = g[i];
      last[1][i - whole] = w[i];
    }
    const Vec<T> x = with_penalty<T>(load(last[0]), load(last[1]), l1, two_l2);
    total += static_cast<double>(sum_of_lanes<T>(sum + x * x));
  }
  return total;
}
