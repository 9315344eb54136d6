// See batch_norm.hpp. Rows outside, channels inside: memory is read in its order, and what belongs to a channel comes from the
// first-level cache. The functions named ..._at do the channels of one register, Value = Vec<T>, or one of the last, Value = T.

/// Some registers of channels of a block, whose sums stay in them for all rows: kept in memory they took twice as long.
template <int registers, class Value, class T>
__attribute__((always_inline)) inline void block_moments_at(std::int64_t rows, std::int64_t channels, const T* x, T* mean,
                                                            T* squares) {
  constexpr int width = sizeof(Value) / sizeof(T);
  Value centre[registers], sum[registers] = {}, square[registers] = {};
  for (int r = 0; r < registers; ++r) centre[r] = load_as<Value>(x + r * width);
  for (std::int64_t i = 0; i < rows; ++i)
    for (int r = 0; r < registers; ++r) sum[r] += load_as<Value>(x + i * channels + r * width) - centre[r];
  for (int r = 0; r < registers; ++r) centre[r] += sum[r] / static_cast<T>(rows);
  for (std::int64_t i = 0; i < rows; ++i)
    for (int r = 0; r < registers; ++r) {
      const Value d = load_as<Value>(x + i * channels + r * width) - centre[r];
      square[r] += d * d;
    }
  for (int r = 0; r < registers; ++r) store_as(mean + r * width, centre[r]), store_as(squares + r * width, square[r]);
}

/// mean_c and sum (x - mean_c)^2 of a block of rows. The mean is summed as a distance from the first row: sums of what is far
/// from zero would lose what they are about.
template <class T>
void norm_block_moments(std::int64_t rows, std::int64_t channels, const T* x, T* mean, T* squares) {
  std::int64_t c = 0;
  for (; c + 4 * lanes<T> <= channels; c += 4 * lanes<T>)
    block_moments_at<4, Vec<T>>(rows, channels, x + c, mean + c, squares + c);
  for (; c + lanes<T> <= channels; c += lanes<T>) block_moments_at<1, Vec<T>>(rows, channels, x + c, mean + c, squares + c);
  for (; c < channels; ++c) block_moments_at<1, T>(rows, channels, x + c, mean + c, squares + c);
}

template <class Value, class T>
__attribute__((always_inline)) inline Value normalised_at(const NormChannels<T>& norm, std::int64_t c, Value x) {
  return (x - load_as<Value>(norm.mean + c)) * load_as<Value>(norm.scale + c) + load_as<Value>(norm.shift + c);
}

template <class Value, class T>
__attribute__((always_inline)) inline void apply_at(const NormChannels<T>& norm, std::int64_t c, const T* x, T* y) {
  const Value t = normalised_at<Value>(norm, c, load_as<Value>(x));
  store_as(y, t > Value{} ? t : norm.slope * t);
}

template <class T>
void norm_apply(std::int64_t rows, std::int64_t channels, const NormChannels<T>& norm, const T* x, T* y) {
  const std::int64_t whole = channels - channels % lanes<T>;
  for (std::int64_t i = 0; i < rows; ++i, x += channels, y += channels) {
    for (std::int64_t c = 0; c < whole; c += lanes<T>) apply_at<Vec<T>>(norm, c, x + c, y + c);
    for (std::int64_t c = whole; c < channels; ++c) apply_at<T>(norm, c, x + c, y + c);
  }
}

/// The gradient before the activation. t is worked out again, as forward did: cheaper than to read y.
template <class Value, class T>
__attribute__((always_inline)) inline Value gradient_at(const NormChannels<T>& norm, std::int64_t c, Value x, Value dy) {
  return normalised_at<Value>(norm, c, x) > Value{} ? dy : norm.slope * dy;
}

template <int registers, class Value, class T>
__attribute__((always_inline)) inline void gradient_sums_at(std::int64_t rows, std::int64_t channels, const NormChannels<T>& norm,
                                                            std::int64_t c, const T* x, const T* dy, T* sum_dt, T* sum_dt_x) {
  constexpr int width = sizeof(Value) / sizeof(T);
  Value sum[registers] = {}, sum_x[registers] = {};
  for (std::int64_t i = 0; i < rows; ++i)
    for (int r = 0; r < registers; ++r) {
      const std::int64_t k = c + r * width;
      const Value value = load_as<Value>(x + i * channels + k);
      const Value dt = gradient_at<Value>(norm, k, value, load_as<Value>(dy + i * channels + k));
      sum[r] += dt;
      sum_x[r] += dt * (value - load_as<Value>(norm.mean + k));
    }
  for (int r = 0; r < registers; ++r)
    store_as(sum_dt + c + r * width, sum[r]), store_as(sum_dt_x + c + r * width, sum_x[r]);
}

/// sum dt and sum dt (x - mean) of a block of rows.
template <class T>
void norm_block_gradient_sums(std::int64_t rows, std::int64_t channels, const NormChannels<T>& norm, const T* x, const T* dy,
                              T* sum_dt, T* sum_dt_x) {
  std::int64_t c = 0;
  for (; c + 4 * lanes<T> <= channels; c += 4 * lanes<T>)
    gradient_sums_at<4, Vec<T>>(rows, channels, norm, c, x, dy, sum_dt, sum_dt_x);
  for (; c + lanes<T> <= channels; c += lanes<T>) gradient_sums_at<1, Vec<T>>(rows, channels, norm, c, x, dy, sum_dt, sum_dt_x);
  for (; c < channels; ++c) gradient_sums_at<1, T>(rows, channels, norm, c, x, dy, sum_dt, sum_dt_x);
}

template <class Value, class T>
__attribute__((always_inline)) inline void norm_backward_at(const NormChannels<T>& norm, const NormGradient<T>& gradient,
                                                            std::int64_t c, const T* x, const T* dy, T* dx) {
  const Value value = load_as<Value>(x), dt = gradient_at<Value>(norm, c, value, load_as<Value>(dy));
  const Value centred = value - load_as<Value>(norm.mean + c);
  store_as(dx, (dt - load_as<Value>(gradient.offset + c) - centred * load_as<Value>(gradient.slant + c)) *
                   load_as<Value>(gradient.factor + c));
}

template <class T>
void norm_backward(std::int64_t rows, std::int64_t channels, const NormChannels<T>& norm, const NormGradient<T>& gradient,
                   const T* x, const T* dy, T* dx) {
  const std::int64_t whole = channels - channels % lanes<T>;
  for (std::int64_t i = 0; i < rows; ++i, x += channels, dy += channels, dx += channels) {
    for (std::int64_t c = 0; c < whole; c += lanes<T>) norm_backward_at<Vec<T>>(norm, gradient, c, x + c, dy + c, dx + c);
    for (std::int64_t c = whole; c < channels; ++c) norm_backward_at<T>(norm, gradient, c, x + c, dy + c, dx + c);
  }
}
