#pragma once
// The gradient of a kernel is a sum over all pixels of the output. Where the kernel is too small to be shared out
// itself, the pixels are cut into pieces, by the geometry alone, each piece is summed apart, and the sums are added in
// order.

#include <algorithm>
#include <bit>
#include <cstdint>

#include <mien/core/parallel.hpp>
#include <mien/kernels/conv/geometry.hpp>
#include <mien/kernels/gemm/block_sizes.hpp>
#include <mien/kernels/gemm/scratch.hpp>

namespace mien::inline v0::kernels {

[[nodiscard]] constexpr std::int64_t kernel_size(const ConvGeometry& g) { return patch_size(g) * g.k; }

/// Into how many pieces: none shorter than so many pixels, and all their sums together at most 4 million numbers. A
/// power of two, so that threads, too, are most often given equal shares (rn.conv1: 8 instead of 9).
[[nodiscard]] constexpr std::int64_t kernel_pieces(const ConvGeometry& g, std::int64_t shortest = 2048) {
  const std::int64_t by_pixels = output_pixels(g) / shortest;
  const std::int64_t by_size = (std::int64_t{1} << 22) / std::max<std::int64_t>(1, kernel_size(g));
  const std::int64_t pieces = std::clamp<std::int64_t>(std::min(by_pixels, by_size), 1, wanted_tasks);
  return static_cast<std::int64_t>(std::bit_floor(static_cast<std::uint64_t>(pieces)));
}

/// Where piece i is summed: the first in dw itself, the others behind one another.
template <class T>
[[nodiscard]] T* kernel_piece(const ConvGeometry& g, T* dw, T* others, std::int64_t i) {
  return i == 0 ? dw : others + (i - 1) * kernel_size(g);
}

/// dw += the other pieces' sums, in order.
template <class T>
void add_kernel_pieces(const ConvGeometry& g, std::int64_t pieces, T* dw, const T* others, int threads) {
  const std::int64_t size = kernel_size(g), block = 4096;
  if (pieces == 1) return;
  parallel_for(threads, ceil_div(size, block), [&](std::int64_t task, int) {
    const std::int64_t begin = task * block, end = std::min(size, begin + block);
    for (std::int64_t piece = 0; piece < pieces - 1; ++piece)
      for (std::int64_t i = begin; i < end; ++i) dw[i] += others[piece * size + i];
  });
}

}  // namespace mien::inline v0::kernels
