// Four registers of columns at a time, then one, then what is left: each column's sum has the order of the rows.
template <int registers, class T>
__attribute__((always_inline)) inline void sum_columns_at(std::int64_t rows, std::int64_t columns, const T* x, T* sums) {
  Vec<T> sum[registers] = {};
  for (std::int64_t i = 0; i < rows; ++i)
    for (int r = 0; r < registers; ++r) sum[r] += load(x + i * columns + r * lanes<T>);
  for (int r = 0; r < registers; ++r) store(sums + r * lanes<T>, sum[r]);
}

template <class T>
void sum_columns(std::int64_t rows, std::int64_t columns, const T* x, T* sums) {
  std::int64_t c = 0;
  for (; c + 4 * lanes<T> <= columns; c += 4 * lanes<T>) sum_columns_at<4>(rows, columns, x + c, sums + c);
  for (; c + lanes<T> <= columns; c += lanes<T>) sum_columns_at<1>(rows, columns, x + c, sums + c);
  for (; c < columns; ++c) {
    sums[c] = 0;
    for (std::int64_t i = 0; i < rows; ++i) sums[c] += x[i * columns + c];
  }
}
