#pragma once
// B is packed in panels as wide as a micro-kernel's tile: all rows p of a panel one after the other, `columns` values
// each, the last panel filled up with zeros. A kernel then reads it as one stream:
//
//   B, depth x n                       panel 0                panel 1
//   [ . . . . | . . . . | . . 0 0 ]    p = 0: b00 b01 b02 b03  p = 0: b04 ...
//                                      p = 1: b10 b11 ...
//
// A is not packed. It is broadcast from its rows where they lie, as fast as from a packed panel and without the cost.
// Rows that lie a multiple of 4096 bytes apart compete for one set of the first cache: a tile then has no more of them
// than the set has ways. The columns of a transposed A that lie so are copied apart, and those of which a tile reads
// only a small part of each line.

#include <algorithm>
#include <cstdint>

#include <mien/kernels/isa/registers.hpp>

namespace mien::inline v0::kernels {

/// The copies of one instruction set, by what pack.inl calls them.
template <class T>
struct PackKernels {
  void (*copy_rows)(const T* from, std::int64_t ld_from, std::int64_t rows, std::int64_t columns, T scale, T* to,
                    std::int64_t ld_to, std::int64_t width);
  void (*copy_into_panels)(const T* from, std::int64_t ld_from, std::int64_t rows, std::int64_t columns, T scale, T* to,
                           std::int64_t panel_size, std::int64_t width);
  void (*transpose_into_panel)(const T* from, std::int64_t ld_from, std::int64_t depth, std::int64_t columns, T scale,
                               T* to, std::int64_t width);
};

}  // namespace mien::inline v0::kernels

#define MIEN_KERNEL_TEXT <mien/kernels/gemm/pack.inl>
#include <mien/kernels/isa/for_each_isa.inl>

namespace mien::inline v0::kernels {

template <class T>
[[nodiscard]] const PackKernels<T>& active_pack_kernels() {
  return *MIEN_SELECT_ISA(T, pack_kernels);
}

/// All panels of B (depth x columns; stored as columns x depth if transposed), each `width` wide and panel_size from
/// the one before: depth * width if all of B's depth is here, more if it is a slice.
template <class T>
void pack_panels(const T* b, std::int64_t ldb, bool transposed, std::int64_t depth, std::int64_t columns, T scale,
                 T* packed, std::int64_t panel_size, std::int64_t width) {
  const PackKernels<T>& kernels = active_pack_kernels<T>();
  if (!transposed) return kernels.copy_into_panels(b, ldb, depth, columns, scale, packed, panel_size, width);
  for (std::int64_t j = 0; j < columns; j += width, packed += panel_size)
    kernels.transpose_into_panel(b + j * ldb, ldb, depth, std::min(width, columns - j), scale, packed, width);
}

/// Whether rows that far apart fall on each other in a cache whose ways are 4096 bytes large.
template <class T>
[[nodiscard]] constexpr bool rows_collide(std::int64_t ld) {
  return ld * static_cast<std::int64_t>(sizeof(T)) % 4096 == 0;
}

/// The distance of rows that were copied apart: an odd number of cache lines, so that they do not collide again.
[[nodiscard]] constexpr std::int64_t copied_ld(std::int64_t length) { return (length + 31) / 32 * 32 + 16; }

}  // namespace mien::inline v0::kernels
