// See batch_norm_pool.hpp. One row of windows; x and dx point to its first cell. The functions named ..._at do the channels of
// one register, Value = Vec<T>, or one of the last, Value = T, of one window.

/// The largest normalised value of a window, which x it comes from, and the number of its tap: the first of equal ones.
template <class Value, class T>
struct NormMaximum {
  Value t, x;
  typename PoolIndexOf<T, Value>::type tap;
};

template <class Value, class T>
__attribute__((always_inline)) inline NormMaximum<Value, T> norm_maximum_at(const ConvGeometry& g, const NormChannels<T>& norm,
                                                                            std::int64_t c, const T* x) {
  using Tap = typename PoolIndexOf<T, Value>::type;
  const Value mean = load_as<Value>(norm.mean + c), scale = load_as<Value>(norm.scale + c), shift = load_as<Value>(norm.shift + c);
  NormMaximum<Value, T> best{(load_as<Value>(x) - mean) * scale + shift, load_as<Value>(x), Tap{}};
  for (std::int64_t r = 0; r < g.r; ++r)
    for (std::int64_t s = r == 0 ? 1 : 0; s < g.s; ++s) {
      const Value value = load_as<Value>(x + (r * g.w + s) * g.c), t = (value - mean) * scale + shift;
      best.x = t > best.t ? value : best.x;
      best.tap = t > best.t ? Tap{} + static_cast<std::int32_t>(r * g.s + s) : best.tap;
      best.t = t > best.t ? t : best.t;
    }
  return best;
}

template <class Value, class T>
__attribute__((always_inline)) inline void norm_pool_at(const ConvGeometry& g, const NormChannels<T>& norm, std::int64_t c, const T* x,
                                                        T* y) {
  const Value t = norm_maximum_at<Value>(g, norm, c, x).t;
  store_as(y, t > Value{} ? t : norm.slope * t);
}

template <class T>
void norm_pool_forward_row(const ConvGeometry& geometry, const NormChannels<T>& norm, const T* x, T* y) {
  const ConvGeometry g = geometry;
  const std::int64_t whole = g.c - g.c % lanes<T>;
  for (std::int64_t j = 0; j < g.ow; ++j, x += g.s * g.c, y += g.c) {
    for (std::int64_t c = 0; c < whole; c += lanes<T>) norm_pool_at<Vec<T>>(g, norm, c, x + c, y + c);
    for (std::int64_t c = whole; c < g.c; ++c) norm_pool_at<T>(g, norm, c, x + c, y + c);
  }
}

template <class Value, class T>
__attribute__((always_inline)) inline void norm_pool_sums_at(const ConvGeometry& g, const NormChannels<T>& norm, std::int64_t c,
                                                             const T* x, const T* dy, T* sum_dt, T* sum_dt_x) {
  const NormMaximum<Value, T> best = norm_maximum_at<Value>(g, norm, c, x);
  const Value gradient = load_as<Value>(dy), dt = best.t > Value{} ? gradient : norm.slope * gradient;
  store_as(sum_dt + c, load_as<Value>(sum_dt + c) + dt);
  store_as(sum_dt_x + c, load_as<Value>(sum_dt_x + c) + dt * (best.x - load_as<Value>(norm.mean + c)));
}

/// Adds to the sums.
template <class T>
void norm_pool_gradient_sums_row(const ConvGeometry& geometry, const NormChannels<T>& norm, const T* x, const T* dy, T* sum_dt,
                                 T* sum_dt_x) {
  const ConvGeometry g = geometry;
  const std::int64_t whole = g.c - g.c % lanes<T>;
  for (std::int64_t j = 0; j < g.ow; ++j, x += g.s * g.c, dy += g.c) {
    for (std::int64_t c = 0; c < whole; c += lanes<T>) norm_pool_sums_at<Vec<T>>(g, norm, c, x + c, dy + c, sum_dt, sum_dt_x);
    for (std::int64_t c = whole; c < g.c; ++c) norm_pool_sums_at<T>(g, norm, c, x + c, dy + c, sum_dt, sum_dt_x);
  }
}

template <class Value, class T>
__attribute__((always_inline)) inline void norm_pool_backward_at(const ConvGeometry& g, const NormChannels<T>& norm,
                                                                 const NormGradient<T>& gradient, std::int64_t c, const T* x,
                                                                 const T* dy, T* dx) {
  using Tap = typename PoolIndexOf<T, Value>::type;
  const NormMaximum<Value, T> best = norm_maximum_at<Value>(g, norm, c, x);
  const Value pooled = load_as<Value>(dy), dt = best.t > Value{} ? pooled : norm.slope * pooled;
  const Value mean = load_as<Value>(norm.mean + c), offset = load_as<Value>(gradient.offset + c),
              slant = load_as<Value>(gradient.slant + c), factor = load_as<Value>(gradient.factor + c);
  for (std::int64_t r = 0; r < g.r; ++r)
    for (std::int64_t s = 0; s < g.s; ++s) {
      const Tap tap = Tap{} + static_cast<std::int32_t>(r * g.s + s);
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

/// Row i of a picture's windows; the last one takes along the rows below it.
template <class T>
void norm_pool_backward_row(const ConvGeometry& geometry, std::int64_t i, const NormChannels<T>& norm,
                            const NormGradient<T>& gradient, const T* x, const T* dy, T* dx) {
  const ConvGeometry g = geometry;
  const std::int64_t whole = g.c - g.c % lanes<T>, row = g.w * g.c, used = g.ow * g.s;
  for (std::int64_t j = 0; j < g.ow; ++j, dy += g.c) {
    const std::int64_t at = j * g.s * g.c;
    for (std::int64_t c = 0; c < whole; c += lanes<T>)
      norm_pool_backward_at<Vec<T>>(g, norm, gradient, c, x + at + c, dy + c, dx + at + c);
    for (std::int64_t c = whole; c < g.c; ++c) norm_pool_backward_at<T>(g, norm, gradient, c, x + at + c, dy + c, dx + at + c);
  }
  for (std::int64_t r = 0; r < g.r; ++r)
    norm_left_over(g, norm, gradient, g.w - used, x + r * row + used * g.c, dx + r * row + used * g.c);
  if (i == g.oh - 1) norm_left_over(g, norm, gradient, (g.h - g.oh * g.r) * g.w, x + g.r * row, dx + g.r * row);
}
