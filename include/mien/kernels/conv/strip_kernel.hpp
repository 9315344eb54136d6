#pragma once
// The contract of the kernel for layers that see few channels: neighbouring pixels of one row, which read what lies a
// fixed distance apart, times panel after panel of the kernel. Sums of 27 products leave no time for lists of pointers
// or for a call of its own for each panel.
//
//   c[i][j] = activation(bias[j] + sum over runs r, p < length of a[r][a_offset + i distance + p] b[r length + p][j])

#include <cstdint>

#include <mien/kernels/gemm/micro_kernel.hpp>

namespace mien::inline v0::kernels {

template <class T>
struct StripOperand {
  const T* const* a;      ///< [run]: what the first pixel of the row reads
  std::int64_t a_offset;  ///< and the first of the tile behind it
  std::int64_t distance;
  std::int64_t runs, length;
  const T* b;  ///< the first panel: its rows of the first run, of the second, ...
  std::int64_t panels, panel_size;
};

template <class T>
using StripKernel = void (*)(const StripOperand<T>&, const TileOutput<T>&);

/// One instruction set's kernels: heights[i] computes i + 1 pixels, up to the micro-kernels' tallest tile.
template <class T>
struct StripKernels {
  StripKernel<T> heights[max_tile_rows];
};

}  // namespace mien::inline v0::kernels

#define MIEN_KERNEL_TEXT <mien/kernels/conv/strip_kernel.inl>
#include <mien/kernels/isa/for_each_isa.inl>

namespace mien::inline v0::kernels {

template <class T>
[[nodiscard]] const StripKernels<T>& active_strip_kernels() {
  return *MIEN_SELECT_ISA(T, strip_kernels);
}

}  // namespace mien::inline v0::kernels
