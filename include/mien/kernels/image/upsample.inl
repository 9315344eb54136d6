// See upsample.hpp. The functions named ..._at do the channels of one register, Value = Vec<T>, or one of the last channels, Value = T.

template <class Value, class T>
__attribute__((always_inline)) inline void upsample_at(const UpsamplingTaps<T>& rows, const UpsamplingTaps<T>& columns, std::int64_t row_size, std::int64_t pixel, const T* x, T* y) {
  Value sum{};
  for (std::int64_t r = 0; r < rows.count; ++r)
    for (std::int64_t s = 0; s < columns.count; ++s)
      sum += rows.weight[r] * columns.weight[s] * load_as<Value>(x + rows.cell[r] * row_size + columns.cell[s] * pixel);
  store_as(y, sum);
}

template <class Value, class T>
__attribute__((always_inline)) inline void upsample_backward_at(const UpsamplingTaps<T>& rows, const UpsamplingTaps<T>& columns, std::int64_t row_size, std::int64_t pixel, const T* dy, T* dx) {
  const Value gradient = load_as<Value>(dy);
  for (std::int64_t r = 0; r < rows.count; ++r)
    for (std::int64_t s = 0; s < columns.count; ++s) {
      T* const to = dx + rows.cell[r] * row_size + columns.cell[s] * pixel;
      store_as(to, load_as<Value>(to) + rows.weight[r] * columns.weight[s] * gradient);
    }
}

/// Row `o` of the larger picture.
template <class T>
void upsample_row(const Upsampling& p, std::int64_t o, const T* x, T* y) {
  const UpsamplingTaps<T> rows = upsampling_taps<T>(o, p.h, p.factor_h, p.bilinear);
  for (std::int64_t j = 0; j < p.w * p.factor_w; ++j, y += p.c) {
    const UpsamplingTaps<T> columns = upsampling_taps<T>(j, p.w, p.factor_w, p.bilinear);
    std::int64_t c = 0;
    for (; c + lanes<T> <= p.c; c += lanes<T>) upsample_at<Vec<T>>(rows, columns, p.w * p.c, p.c, x + c, y + c);
    for (; c < p.c; ++c) upsample_at<T>(rows, columns, p.w * p.c, p.c, x + c, y + c);
  }
}

template <class T>
void upsample_row_backward(const Upsampling& p, std::int64_t o, const T* dy, T* dx) {
  const UpsamplingTaps<T> rows = upsampling_taps<T>(o, p.h, p.factor_h, p.bilinear);
  for (std::int64_t j = 0; j < p.w * p.factor_w; ++j, dy += p.c) {
    const UpsamplingTaps<T> columns = upsampling_taps<T>(j, p.w, p.factor_w, p.bilinear);
    std::int64_t c = 0;
    for (; c + lanes<T> <= p.c; c += lanes<T>) upsample_backward_at<Vec<T>>(rows, columns, p.w * p.c, p.c, dy + c, dx + c);
    for (; c < p.c; ++c) upsample_backward_at<T>(rows, columns, p.w * p.c, p.c, dy + c, dx + c);
  }
}
