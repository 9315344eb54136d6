#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include <mien/core/parallel.hpp>
#include <mien/kernels/gemm/scratch.hpp>
#include <mien/kernels/isa/registers.hpp>

#define MIEN_KERNEL_TEXT <mien/kernels/elementwise/column_sums.inl>
#include <mien/kernels/isa/for_each_isa.inl>

namespace mien::inline v0::kernels {

/// Rows of one task: 32 KiB of floats, and few enough for sums in T.
[[nodiscard]] constexpr std::int64_t column_sums_block(std::int64_t columns) {
  return std::clamp<std::int64_t>(8192 / std::max<std::int64_t>(1, columns), 16, 512);
}

/// The bytes that column_sums() needs: one row of sums for each block.
template <class T>
[[nodiscard]] std::size_t column_sums_workspace(std::int64_t rows, std::int64_t columns) {
  Scratch scratch;
  static_cast<void>(scratch.array<T>(ceil_div(rows, column_sums_block(columns)) * columns));
  return scratch.bytes();
}

/// sums[j] = sum_i x[i, j] of a matrix (rows, columns): the gradient of a bias. Blocks of rows are summed in T, the
/// sums of blocks in double and in their order. `workspace` has column_sums_workspace() bytes, aligned to the cache
/// line. `prepare(first row, rows)` is called for each block before it is read, by the thread that reads it.
template <class T, class Prepare>
void column_sums(std::int64_t rows, std::int64_t columns, const T* x, T* sums, int threads, std::byte* workspace,
                 const Prepare& prepare) {
  const auto run = MIEN_SELECT_ISA(T, sum_columns);
  const std::int64_t step = column_sums_block(columns), blocks = ceil_div(rows, step);
  T* const partial = Scratch(workspace).array<T>(blocks * columns);
  parallel_for(threads, blocks, [&](std::int64_t block, int) {
    const std::int64_t first = block * step;
    prepare(first, std::min(step, rows - first));
    run(std::min(step, rows - first), columns, x + first * columns, partial + block * columns);
  });
  for (std::int64_t j = 0; j < columns; ++j) {
    double sum = 0;
    for (std::int64_t block = 0; block < blocks; ++block) sum += static_cast<double>(partial[block * columns + j]);
    sums[j] = static_cast<T>(sum);
  }
}

template <class T>
void column_sums(std::int64_t rows, std::int64_t columns, const T* x, T* sums, int threads, std::byte* workspace) {
  column_sums<T>(rows, columns, x, sums, threads, workspace, [](std::int64_t, std::int64_t) {});
}

}  // namespace mien::inline v0::kernels
