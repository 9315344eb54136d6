// See batch_norm_pool.hpp. One row of windows; x and dx point to its first cell. The functions named ..._at do the channels of
// one register, Value = Vec<T>, or one of the last, Value = T, of one window.

/// Rows or columns of a window: `size`, or what the geometry says where that is 0. For 2 x 2 the loops over taps unroll: with
/// bounds read from the geometry backward took 1.1 instead of 0.65 ms for 32 x 44 x 44 x 64 (Zen 4, 2 threads).
template <int size>
__attribute__((always_inline)) inline std::int64_t window_extent(std::int64_t extent) {
  return size > 0 ? size : extent;
}

/// The largest normalised value of a window, which x it comes from, and the number of its tap: the first of equal ones.
template <class Value, class T>
struct NormMaximum {
  Value t, x;
  typename PoolIndexOf<T, Value>::type tap;
};

template <int size, class Value, class T>
__attribute__((always_inline)) inline NormMaximum<Value, T> norm_maximum_at(const ConvGeometry& g, const NormChannels<T>& norm,
                                                                            std::int64_t c, const T* x) {
  using Tap = typename PoolIndexOf<T, Value>::type;
  const Value mean = load_as<Value>(norm.mean + c), scale = load_as<Value>(norm.scale + c), shift = load_as<Value>(norm.shift + c);
  NormMaximum<Value, T> best{(load_as<Value>(x) - mean) * scale + shift, load_as<Value>(x), Tap{}};
  const std::int64_t rows = window_extent<size>(g.r), columns = window_extent<size>(g.s);
#pragma GCC unroll 2
  for (std::int64_t r = 0; r < rows; ++r)
#pragma GCC unroll 2
    for (std::int64_t s = 0; s < columns; ++s) {  // the first tap again: it is not greater than itself
      const Value value = load_as<Value>(x + (r * g.w + s) * g.c), t = (value - mean) * scale + shift;
      best.x = t > best.t ? value : best.x;
      best.tap = t > best.t ? Tap{} + static_cast<std::int32_t>(r * columns + s) : best.tap;
      best.t = t > best.t ? t : best.t;
    }
  return best;
}

template <int size, class Value, class T>
__attribute__((always_inline)) inline void norm_pool_at(const ConvGeometry& g, const NormChannels<T>& norm, std::int64_t c, const T* x,
                                                        T* y) {
  const Value t = norm_maximum_at<size, Value>(g, norm, c, x).t;
  store_as(y, t > Value{} ? t : norm.slope * t);
}

template <int size, class T>
void norm_pool_forward_windows(const ConvGeometry& geometry, const NormChannels<T>& norm, const T* x, T* y) {
  const ConvGeometry g = geometry;
  const std::int64_t whole = g.c - g.c % lanes<T>;
  for (std::int64_t j = 0; j < g.ow; ++j, x += g.s * g.c, y += g.c) {
    for (std::int64_t c = 0; c < whole; c += lanes<T>) norm_pool_at<size, Vec<T>>(g, norm, c, x + c, y + c);
    for (std::int64_t c = whole; c < g.c; ++c) norm_pool_at<size, T>(g, norm, c, x + c, y + c);
  }
}

template <class T>
void norm_pool_forward_row(const ConvGeometry& g, const NormChannels<T>& norm, const T* x, T* y) {
  return g.r == 2 && g.s == 2 ? norm_pool_forward_windows<2>(g, norm, x, y) : norm_pool_forward_windows<0>(g, norm, x, y);
}

template <int size, class Value, class T>
__attribute__((always_inline)) inline void norm_pool_sums_at(const ConvGeometry& g, const NormChannels<T>& norm, std::int64_t c,
                                                             const T* x, const T* dy, T* sum_dt, T* sum_dt_x) {
  const NormMaximum<Value, T> best = norm_maximum_at<size, Value>(g, norm, c, x);
  const Value gradient = load_as<Value>(dy), dt = best.t > Value{} ? gradient : norm.slope * gradient;
  store_as(sum_dt + c, load_as<Value>(sum_dt + c) + dt);
  store_as(sum_dt_x + c, load_as<Value>(sum_dt_x + c) + dt * (best.x - load_as<Value>(norm.mean + c)));
}

template <int size, class T>
void norm_pool_sums_windows(const ConvGeometry& geometry, const NormChannels<T>& norm, const T* x, const T* dy, T* sum_dt,
                                 T* sum_dt_x) {
  const ConvGeometry g = geometry;
  const std::int64_t whole = g.c - g.c % lanes<T>;
  for (std::int64_t j = 0; j < g.ow; ++j, x += g.s * g.c, dy += g.c) {
    for (std::int64_t c = 0; c < whole; c += lanes<T>) norm_pool_sums_at<size, Vec<T>>(g, norm, c, x + c, dy + c, sum_dt, sum_dt_x);
    for (std::int64_t c = whole; c < g.c; ++c) norm_pool_sums_at<size, T>(g, norm, c, x + c, dy + c, sum_dt, sum_dt_x);
  }
}

/// Adds to the sums.
template <class T>
void norm_pool_gradient_sums_row(const ConvGeometry& g, const NormChannels<T>& norm, const T* x, const T* dy, T* sum_dt,
                                 T* sum_dt_x) {
  return g.r == 2 && g.s == 2 ? norm_pool_sums_windows<2>(g, norm, x, dy, sum_dt, sum_dt_x)
                              : norm_pool_sums_windows<0>(g, norm, x, dy, sum_dt, sum_dt_x);
}

template <int size, class Value, class T>
__attribute__((always_inline)) inline void norm_pool_backward_at(const ConvGeometry& g, const NormChannels<T>& norm,
                                                                 const NormGradient<T>& gradient, std::int64_t c, const T* x,
                                                                 const T* dy, T* dx) {
  using Tap = typename PoolIndexOf<T, Value>::type;
  const NormMaximum<Value, T> best = norm_maximum_at<size, Value>(g, norm, c, x);
  const Value pooled = load_as<Value>(dy), dt = best.t > Value{} ? pooled : norm.slope * pooled;
  const Value mean = load_as<Value>(norm.mean + c), offset = load_as<Value>(gradient.offset + c),
              slant = load_as<Value>(gradient.slant + c), factor = load_as<Value>(gradient.factor + c);
  const std::int64_t rows = window_extent<size>(g.r), columns = window_extent<size>(g.s);
#pragma GCC unroll 2
  for (std::int64_t r = 0; r < rows; ++r)
#pragma GCC unroll 2
    for (std::int64_t s = 0; s < columns; ++s) {
      const Tap tap = Tap{} + static_cast<std::int32_t>(r * columns + s);
      const Value own = best.tap == tap ? dt : Value{};
      const Value centred = load_as<Value>(x + (r * g.w + s) * g.c) - mean;
      store_as(dx + (r * g.w + s) * g.c, (own - offset - centred * slant) * factor);
    }
}

/// Cells behind the last window: their own gradient is 0.
template <class Value, class T>
__attribute__((always_inline)) inline void norm_left_over_at(const NormChannels<T>& norm, const NormGradient<T>& gradient,
                                                             std::int64_t c, const T* x, T* dx) {
  const Value centred = load_as<Value>(x) - load_as<Value>(norm.mean + c);
  store_as(dx, (Value{} - load_as<Value>(gradient.offset + c) - centred * load_as<Value>(gradient.slant + c)) *
                   load_as<Value>(gradient.factor + c));
}

template <class T>
__attribute__((always_inline)) inline void norm_left_over(const ConvGeometry& g, const NormChannels<T>& norm,
                                                          const NormGradient<T>& gradient, std::int64_t cells, const T* x, T* dx) {
  const std::int64_t whole = g.c - g.c % lanes<T>;
  for (std::int64_t i = 0; i < cells; ++i, x += g.c, dx += g.c) {
    for (std::int64_t c = 0; c < whole; c += lanes<T>) norm_left_over_at<Vec<T>>(norm, gradient, c, x + c, dx + c);
    for (std::int64_t c = whole; c < g.c; ++c) norm_left_over_at<T>(norm, gradient, c, x + c, dx + c);
  }
}

template <int size, class T>
void norm_pool_backward_windows(const ConvGeometry& geometry, const NormChannels<T>& norm, const NormGradient<T>& gradient,
                                const T* x, const T* dy, T* dx) {
  const ConvGeometry g = geometry;
  const std::int64_t whole = g.c - g.c % lanes<T>;
  for (std::int64_t j = 0; j < g.ow; ++j, dy += g.c) {
    const std::int64_t at = j * g.s * g.c;
    for (std::int64_t c = 0; c < whole; c += lanes<T>)
      norm_pool_backward_at<size, Vec<T>>(g, norm, gradient, c, x + at + c, dy + c, dx + at + c);
    for (std::int64_t c = whole; c < g.c; ++c) norm_pool_backward_at<size, T>(g, norm, gradient, c, x + at + c, dy + c, dx + at + c);
  }
}

/// Row i of a picture's windows; the last one takes along the rows below it.
template <class T>
void norm_pool_backward_row(const ConvGeometry& g, std::int64_t i, const NormChannels<T>& norm, const NormGradient<T>& gradient,
                            const T* x, const T* dy, T* dx) {
  if (g.r == 2 && g.s == 2)
    norm_pool_backward_windows<2>(g, norm, gradient, x, dy, dx);
  else
    norm_pool_backward_windows<0>(g, norm, gradient, x, dy, dx);
  const std::int64_t row = g.w * g.c, used = g.ow * g.s;
  for (std::int64_t r = 0; r < g.r; ++r)
    norm_left_over(g, norm, gradient, g.w - used, x + r * row + used * g.c, dx + r * row + used * g.c);
  if (i == g.oh - 1) norm_left_over(g, norm, gradient, (g.h - g.oh * g.r) * g.w, x + g.r * row, dx + g.r * row);
}
