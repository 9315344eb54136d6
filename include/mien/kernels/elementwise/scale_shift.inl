// One pass over the pattern: `period` elements of scale and shift, repeated along x.
template <class T>
void scale_shift_array(std::int64_t n, std::int64_t period, const T* scale, const T* shift, const T* x, T* y) {
  for (std::int64_t first = 0; first < n; first += period) {
    const std::int64_t count = period < n - first ? period : n - first, whole = count - count % lanes<T>;
    const T* from = x + first;
    T* to = y + first;
    for (std::int64_t i = 0; i < whole; i += lanes<T>)
      store(to + i, load(scale + i) * load(from + i) + load(shift + i));
    for (std::int64_t i = whole; i < count; ++i) to[i] = scale[i] * from[i] + shift[i];
  }
}
