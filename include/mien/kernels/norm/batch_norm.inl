// See batch_norm.hpp. Rows outside, channels inside: memory is read in its order, and what belongs to a channel comes from the
// first-level cache. The functions named ..._at do the channels of one register, Value = Vec<T>, or one of the last, Value = T.

template <class Value, class T>
__attribute__((always_inline)) inline void add_distance_at(T* sum, const T* x, const T* from) {
  store_as(sum, load_as<Value>(sum) + (load_as<Value>(x) - load_as<Value>(from)));
}

template <class Value, class T>
__attribute__((always_inline)) inline void add_square_at(T* sum, const T* x, const T* mean) {
  const Value d = load_as<Value>(x) - load_as<Value>(mean);
  store_as(sum, load_as<Value>(sum) + d * d);
}

/// mean_c and sum (x - mean_c)^2 of a block of rows. The mean is summed as a distance from the first row: sums of what is far
/// from zero would lose what they are about.
template <class T>
void norm_block_moments(std::int64_t rows, std::int64_t channels, const T* x, T* mean, T* squares) {
  const std::int64_t whole = channels - channels % lanes<T>;
  for (std::int64_t c = 0; c < channels; ++c) mean[c] = squares[c] = 0;
  for (std::int64_t i = 0; i < rows; ++i) {
    const T* row = x + i * channels;
    for (std::int64_t c = 0; c < whole; c += lanes<T>) add_distance_at<Vec<T>>(mean + c, row + c, x + c);
    for (std::int64_t c = whole; c < channels; ++c) add_distance_at<T>(mean + c, row + c, x + c);
  }
  for (std::int64_t c = 0; c < channels; ++c) mean[c] = x[c] + mean[c] / static_cast<T>(rows);
  for (std::int64_t i = 0; i < rows; ++i) {
    const T* row = x + i * channels;
    for (std::int64_t c = 0; c < whole; c += lanes<T>) add_square_at<Vec<T>>(squares + c, row + c, mean + c);
    for (std::int64_t c = whole; c < channels; ++c) add_square_at<T>(squares + c, row + c, mean + c);
  }
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

template <class Value, class T>
__attribute__((always_inline)) inline void gradient_sums_at(const NormChannels<T>& norm, std::int64_t c, const T* x, const T* dy,
                                                            T* sum_dt, T* sum_dt_x) {
  const Value value = load_as<Value>(x), dt = gradient_at<Value>(norm, c, value, load_as<Value>(dy));
  store_as(sum_dt + c, load_as<Value>(sum_dt + c) + dt);
  store_as(sum_dt_x + c, load_as<Value>(sum_dt_x + c) + dt * (value - load_as<Value>(norm.mean + c)));
}

/// sum dt and sum dt (x - mean) of a block of rows.
template <class T>
void norm_block_gradient_sums(std::int64_t rows, std::int64_t channels, const NormChannels<T>& norm, const T* x, const T* dy,
                              T* sum_dt, T* sum_dt_x) {
  const std::int64_t whole = channels - channels % lanes<T>;
  for (std::int64_t c = 0; c < channels; ++c) sum_dt[c] = sum_dt_x[c] = 0;
  for (std::int64_t i = 0; i < rows; ++i, x += channels, dy += channels) {
    for (std::int64_t c = 0; c < whole; c += lanes<T>) gradient_sums_at<Vec<T>>(norm, c, x + c, dy + c, sum_dt, sum_dt_x);
    for (std::int64_t c = whole; c < channels; ++c) gradient_sums_at<T>(norm, c, x + c, dy + c, sum_dt, sum_dt_x);
  }
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
