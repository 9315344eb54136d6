#pragma once
// The micro-kernel's contract. It adds A B to a tile of C of `Rows` rows and two vectors of columns that stays in
// registers from the first product to the last:
//
//   c[i][j] = activation((accumulate ? c[i][j] : 0) + bias[j] + sum over p of A(i, p) * B(p, j)),   p ascending.
//
// Every element's sum is one chain in ascending p, started from what C holds; so neither the tile's height nor a cut of
// the depth changes a bit of the result. Rows of C are reached through pointers: a convolution's output pixels need not
// lie a fixed distance apart. A comes in three forms, each broadcast straight from where it lies:
//   RowOperand: A's rows are contiguous along p, in `runs` pieces of `length` (a convolution's pixel is one run for
//     each kernel row; a matrix has one run). Row i of run r starts at a[r * a_step + i], its B at b[r] + b_offset.
//   ColumnOperand: A's columns are contiguous along i: column p starts at a[p] + a_offset, its row of B at b[p] +
//   b_offset.
//   StripOperand: as RowOperand, but row i of run r starts at a[r] + a_offset + i * distance, and a tile for each of
//     `panels` panels of B is computed, one beside the other; a panel holds its rows of the first run, of the second,
//     ... Sums of the few products that a network's first layer has leave no time for lists of pointers or for a call
//     for each panel.

#include <cstdint>

#include <mien/kernels/isa/registers.hpp>

namespace mien::inline v0::kernels {

/// What a kernel fetches while it is at a row of B: two cache lines, so many elements behind that row's beginning; of
/// them the first alone where two vectors are no more than a line. Zero is what it reads anyway.
struct FetchAhead {
  std::int64_t first = 0, second = 0;
};

template <class T>
struct RowOperand {
  const T* const* a;
  std::int64_t a_step;
  const T* const* b;
  std::int64_t b_offset;
  std::int64_t ldb;
  std::int64_t runs;
  std::int64_t length;
  FetchAhead fetch{};
  void skip_rows(std::int64_t rows) { a += rows; }
};

template <class T>
struct ColumnOperand {
  const T* const* a;
  std::int64_t a_offset;
  const T* const* b;
  std::int64_t b_offset;
  std::int64_t depth;
  const T* ahead = nullptr;  ///< `depth` cache lines that are fetched into the second cache meanwhile; or none
  void skip_rows(std::int64_t rows) { a_offset += rows; }
};

template <class T>
struct StripOperand {
  const T* const* a;
  std::int64_t a_offset;
  std::int64_t distance;
  std::int64_t runs;
  std::int64_t length;
  const T* b;
  std::int64_t panels;
  std::int64_t panel_size;
  void skip_rows(std::int64_t rows) { a_offset += rows * distance; }
};

enum class InRegisters : int { nothing, relu, leaky_relu };

/// Where a tile goes: row i begins at c[i] + c_offset; bias (may be null) at its first column.
template <class T>
struct TileOutput {
  T* const* c;
  std::int64_t c_offset = 0;
  bool accumulate = false;
  const T* bias = nullptr;
  InRegisters activation = InRegisters::nothing;
  T slope = 0;
  bool past_caches = false;  ///< C's rows are aligned to the vector, written once and too large to be read from a cache
  bool fetch = true;         ///< C's lines before the products; of a C in a near cache that only costs
};

template <class T>
using RowKernel = void (*)(const RowOperand<T>&, const TileOutput<T>&);
template <class T>
using ColumnKernel = void (*)(const ColumnOperand<T>&, const TileOutput<T>&);
template <class T>
using StripKernel = void (*)(const StripOperand<T>&, const TileOutput<T>&);

/// One height of tile: the kernels that compute that many rows.
template <class T>
struct MicroKernel {
  RowKernel<T> by_rows;
  ColumnKernel<T> by_columns;
  StripKernel<T> by_strips;
};

/// No set's tile has more rows.
inline constexpr std::int64_t max_tile_rows = 14;

/// One instruction set's kernels: heights[i] computes i + 1 rows, up to `tallest`; all are `columns` wide.
template <class T>
struct MicroKernels {
  Isa isa;
  std::int64_t columns, tallest;
  MicroKernel<T> heights[max_tile_rows];
  [[nodiscard]] std::int64_t rows() const { return tallest; }
};

}  // namespace mien::inline v0::kernels

#define MIEN_KERNEL_TEXT <mien/kernels/gemm/micro_kernel.inl>
#include <mien/kernels/isa/for_each_isa.inl>

namespace mien::inline v0::kernels {

/// The kernels of the active instruction set (double: the portable one).
template <class T>
[[nodiscard]] const MicroKernels<T>& active_micro_kernels() {
  return *MIEN_SELECT_ISA(T, micro_kernels);
}

}  // namespace mien::inline v0::kernels
