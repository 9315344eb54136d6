#pragma once
// A product with up to four columns, such as a last layer's: a panel would be filled up with zeros.

#include <algorithm>
#include <cstdint>

#include <mien/core/parallel.hpp>
#include <mien/kernels/elementwise/activate.hpp>
#include <mien/kernels/gemm/plan.hpp>

namespace mien::inline v0::kernels {

/// multiply[n - 1] computes products of n columns.
template <class T>
struct FewColumnsKernels {
  void (*multiply[few_columns])(const T* a, std::int64_t lda, std::int64_t rows, const T* b, std::int64_t ldb,
                                std::int64_t depth, T* sums);
};

}  // namespace mien::inline v0::kernels

#define MIEN_KERNEL_TEXT <mien/kernels/gemm/few_columns.inl>
#include <mien/kernels/isa/for_each_isa.inl>

namespace mien::inline v0::kernels::gemm_detail {

/// Rows of one task.
inline constexpr std::int64_t few_columns_rows = 32;

/// Rows of C: epilogue(alpha sums + beta C).
template <class T>
void finish_few_columns(const Gemm<T>& g, std::int64_t begin, std::int64_t rows, const T* sums) {
  for (std::int64_t i = 0; i < rows; ++i) {
    T* const c = g.c + (begin + i) * g.ldc;
    for (std::int64_t j = 0; j < g.n; ++j) {
      const T old = g.beta == T(0) ? T(0) : g.beta * c[j];
      c[j] = old + (g.epilogue.bias != nullptr ? g.epilogue.bias[j] : T(0)) + g.alpha * sums[i * g.n + j];
    }
    if (g.epilogue.activation != linear) activate(g.epilogue.activation, g.n, c, c);
  }
}

/// `columns` has room for B's columns, g.k apart, if B is not transposed.
template <class T>
void gemm_few_columns(const Gemm<T>& g, int threads, T* columns) {
  const bool transposed = g.transpose_b == Transpose::yes;
  if (!transposed)
    for (std::int64_t p = 0; p < g.k; ++p)
      for (std::int64_t j = 0; j < g.n; ++j) columns[j * g.k + p] = g.b[p * g.ldb + j];
  const auto multiply = MIEN_SELECT_ISA(T, few_columns_kernels)->multiply[g.n - 1];
  parallel_for(threads, ceil_div(g.m, few_columns_rows), [&](std::int64_t task, int) {
    const std::int64_t begin = task * few_columns_rows, rows = std::min(few_columns_rows, g.m - begin);
    T sums[few_columns_rows * few_columns];
    multiply(g.a + begin * g.lda, g.lda, rows, transposed ? g.b : columns, transposed ? g.ldb : g.k, g.k, sums);
    finish_few_columns(g, begin, rows, sums);
    g.epilogue.finished(begin, rows, g.n);
  });
}

}  // namespace mien::inline v0::kernels::gemm_detail
