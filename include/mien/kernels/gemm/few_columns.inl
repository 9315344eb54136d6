// A product with so few columns that they would not fill a vector: each element is the product of a row of A and a
// column of B, along which the vectors run.

/// sums[i * Columns + j] = sum over p < depth of a[i * lda + p] b[j * ldb + p], for Rows rows.
template <class T, int Rows, int Columns>
__attribute__((always_inline)) inline void multiply_dots(const T* a, std::int64_t lda, const T* b, std::int64_t ldb,
                                                         std::int64_t depth, T* sums) {
  Vec<T> sum[Rows][Columns] = {};
  std::int64_t p = 0;
  for (; p + lanes<T> <= depth; p += lanes<T>) {
    Vec<T> column[Columns];
#pragma GCC unroll 4
    for (int j = 0; j < Columns; ++j) column[j] = load(b + j * ldb + p);
#pragma GCC unroll 4
    for (int i = 0; i < Rows; ++i) {
      const Vec<T> row = load(a + i * lda + p);
#pragma GCC unroll 4
      for (int j = 0; j < Columns; ++j) sum[i][j] += row * column[j];
    }
  }
#pragma GCC unroll 4
  for (int i = 0; i < Rows; ++i)
#pragma GCC unroll 4
    for (int j = 0; j < Columns; ++j) {
      T total = sum_of_lanes<T>(sum[i][j]);
      for (std::int64_t q = p; q < depth; ++q) total += a[i * lda + q] * b[j * ldb + q];
      sums[i * Columns + j] = total;
    }
}

/// The same for any number of rows.
template <class T, int Columns>
__attribute__((noinline)) void multiply_few_columns(const T* a, std::int64_t lda, std::int64_t rows, const T* b,
                                                    std::int64_t ldb, std::int64_t depth, T* sums) {
  constexpr int together = register_count == 32 ? 4 : 2;
  for (; rows >= together; rows -= together, a += together * lda, sums += together * Columns)
    multiply_dots<T, together, Columns>(a, lda, b, ldb, depth, sums);
  for (; rows > 0; --rows, a += lda, sums += Columns) multiply_dots<T, 1, Columns>(a, lda, b, ldb, depth, sums);
}

template <class T>
inline constexpr FewColumnsKernels<T> few_columns_kernels{{&multiply_few_columns<T, 1>, &multiply_few_columns<T, 2>,
                                                           &multiply_few_columns<T, 3>, &multiply_few_columns<T, 4>}};
