#pragma once
// The gradient of the kernel of a layer that sees few channels, a network's first. The S C values that a pixel reads in
// one row of the picture are contiguous, so for each row of the kernel
//
//   dw[r] (S C x K) = sum over the pixels of x[their S C values in row r]' dy[their K values]
//
// is a product whose operands are read where they lie: no patches are written out. With padding at the sides, rows of
// the picture are first copied between zeros, into a strip; kernel rows that fall above or below it are left out.

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include <mien/core/parallel.hpp>
#include <mien/kernels/conv/algorithm.hpp>
#include <mien/kernels/conv/implicit_gemm.hpp>
#include <mien/kernels/conv/kernel_pieces.hpp>
#include <mien/kernels/gemm/macro_kernel.hpp>
#include <mien/kernels/gemm/pack.hpp>
#include <mien/kernels/gemm/pointers.hpp>

namespace mien::inline v0::kernels::strips {

inline const char* accepts(const ConvGeometry& g) {
  if (g.c >= implicit_gemm::fewest_channels) return "it has 8 or more input channels";
  if (g.groups != 1) return "there are groups";
  if (g.dilation_w != 1) return "the columns are dilated";
  return nullptr;
}

/// Pixels of a block: their dy stays in the second cache for all rows of the kernel.
inline constexpr std::int64_t block_pixels = 512;

/// One thread's memory.
template <class T>
struct ThreadScratch {
  T* strip;             ///< the rows of the picture that a block's rows read, between zeros
  T* packed;            ///< dy in panels, if its last panel is not whole
  const T** values;     ///< of the listed pixels: what they read
  const T** gradients;  ///< and their dy
};

template <class T>
struct Plan {
  const MicroKernels<T>* kernels;
  std::int64_t rows, pieces;  ///< of the output, of all pictures; what they are cut into
  std::int64_t block_rows;    ///< output rows at a time
  std::int64_t strip_row;     ///< values of a row of the strip
  bool copies, packs;         ///< whether there is padding at the sides; whether filters do not fill their panels
  T* others = nullptr;        ///< the other pieces' sums
  std::size_t shared_bytes, thread_bytes;

  Plan(const ConvGeometry& g, std::byte* workspace) : kernels(&active_micro_kernels<T>()) {
    rows = g.n * g.oh;
    pieces = kernel_pieces(g);
    block_rows = std::max<std::int64_t>(1, block_pixels / g.ow);
    const std::int64_t width = (g.ow - 1) * g.stride_w + g.s;
    strip_row = width * g.c;
    copies = g.pad_left > 0 || width > g.w;
    packs = g.k % kernels->columns != 0;
    Scratch shared(workspace), own;
    others = shared.array<T>((pieces - 1) * kernel_size(g));
    static_cast<void>(thread_scratch(g, own));
    shared_bytes = shared.bytes(), thread_bytes = own.bytes();
  }
  [[nodiscard]] std::int64_t panels(const ConvGeometry& g) const { return ceil_div(g.k, kernels->columns); }
  [[nodiscard]] ThreadScratch<T> thread_scratch(const ConvGeometry& g, Scratch& scratch) const {
    const std::int64_t pixels = block_rows * g.ow;
    ThreadScratch<T> own{};
    if (copies) own.strip = scratch.array<T>(block_rows * strip_row);
    if (packs) own.packed = scratch.array<T>(pixels * panels(g) * kernels->columns);
    own.values = scratch.array<const T*>(pixels);
    own.gradients = scratch.array<const T*>(pixels);
    return own;
  }
};

/// Output rows begin ... end-1, counted over all pictures.
struct RowBlock {
  std::int64_t begin, end;
  bool first;
};

/// Where the values begin that output row `row` reads in its kernel row r: in the picture, or in row `place` of the
/// strip, where they are copied. nullptr if they are above or below the picture.
template <class T>
const T* find_row(const ConvCall<T>& call, const Plan<T>& plan, std::int64_t row, std::int64_t r, std::int64_t place,
                  const ThreadScratch<T>& own) {
  const ConvGeometry& g = call.geometry;
  const std::int64_t from_row = row % g.oh * g.stride_h + r * g.dilation_h - g.pad_top;
  if (from_row < 0 || from_row >= g.h) return nullptr;
  const T* const from = call.left + (row / g.oh * g.h + from_row) * g.w * g.c;
  if (!plan.copies) return from;
  T* const to = own.strip + place * plan.strip_row;
  const std::int64_t before = std::min(g.pad_left * g.c, plan.strip_row);
  std::copy_n(from, std::min(g.w * g.c, plan.strip_row - before), to + before);
  return to;
}

/// Lists the block's pixels of which kernel row r is on the picture.
template <class T>
std::int64_t list_pixels(const ConvCall<T>& call, const Plan<T>& plan, const RowBlock& block, std::int64_t r,
                         const ThreadScratch<T>& own) {
  const ConvGeometry& g = call.geometry;
  const std::int64_t step = g.stride_w * g.c, distance = plan.packs ? plan.kernels->columns : g.k;
  const T* gradients = plan.packs ? own.packed : call.right + block.begin * g.ow * g.k;
  std::int64_t count = 0;
  for (std::int64_t row = block.begin; row < block.end; ++row, gradients += g.ow * distance) {
    const T* const values = find_row(call, plan, row, r, row - block.begin, own);
    if (values == nullptr) continue;
    point_at_rows(values, step, g.ow, own.values + count);
    point_at_rows(gradients, distance, g.ow, own.gradients + count);
    count += g.ow;
  }
  return count;
}

/// The dy of the next block, fetched while this one is multiplied by all rows of the kernel: as many lines of it for
/// each product as that one has pixels. Zen 5, ms without and with it, one thread: v224.1_1 12.4 and 6.5, v48.1_1 1.66
/// and 1.13, c2.1a 1.32 and 1.02; two threads: v224.1_1 6.8 and 3.9.
template <class T>
struct NextBlock {
  const T *next, *end;
  const T* take(std::int64_t pixels) {
    const T* const lines = next < end ? next : nullptr;
    next += std::min<std::int64_t>(end - next, pixels * 64 / static_cast<std::int64_t>(sizeof(T)));
    return lines;
  }
};

/// Adds the listed pixels' products to the rows of dw that belong to kernel row r.
template <class T>
void multiply_kernel_row(const ConvGeometry& g, const Plan<T>& plan, const RowBlock& block, std::int64_t r,
                         std::int64_t listed, const ThreadScratch<T>& own, NextBlock<T>& ahead, T* dw) {
  const std::int64_t width = plan.kernels->columns, rows = g.s * g.c;
  const std::int64_t panel_size = plan.packs ? (block.end - block.begin) * g.ow * width : width;
  T* c[max_tile_rows];
  TileOutput<T> out{};
  out.c = c;
  out.accumulate = !block.first;
  const std::int64_t tiles = ceil_div(rows, plan.kernels->rows());
  for (std::int64_t tile = 0; tile < tiles; ++tile) {
    const std::int64_t begin = part_begin(rows, tiles, tile), end = part_begin(rows, tiles, tile + 1);
    point_at_rows(dw + (r * rows + begin) * g.k, g.k, end - begin, c);
    for (std::int64_t panel = 0; panel < plan.panels(g); ++panel) {
      out.c_offset = panel * width;
      multiply_tile(*plan.kernels,
                    ColumnOperand<T>{own.values, begin, own.gradients, panel * panel_size, listed, ahead.take(listed)},
                    out, end - begin, std::min(width, g.k - panel * width));
    }
  }
}

/// One task: all of dw, over one piece of the output's rows.
template <class T>
void sum_piece(const ConvCall<T>& call, const Plan<T>& plan, std::int64_t piece, const ThreadScratch<T>& own) {
  const ConvGeometry& g = call.geometry;
  T* const dw = kernel_piece(g, call.result, plan.others, piece);
  const std::int64_t first = part_begin(plan.rows, plan.pieces, piece);
  const std::int64_t last = part_begin(plan.rows, plan.pieces, piece + 1);
  const std::int64_t blocks = std::max<std::int64_t>(1, ceil_div(last - first, plan.block_rows));  // no rows: zeros
  if (plan.copies) std::fill_n(own.strip, plan.block_rows * plan.strip_row, T(0));
  for (std::int64_t b = 0; b < blocks; ++b) {
    const RowBlock block{first + part_begin(last - first, blocks, b), first + part_begin(last - first, blocks, b + 1),
                         b == 0};
    const std::int64_t pixels = (block.end - block.begin) * g.ow, width = plan.kernels->columns;
    if (plan.packs)
      pack_panels(call.right + block.begin * g.ow * g.k, g.k, false, pixels, g.k, T(1), own.packed, pixels * width,
                  width);
    const std::int64_t next_end = std::min(last, block.end + plan.block_rows);
    NextBlock<T> ahead{call.right + block.end * g.ow * g.k, call.right + next_end * g.ow * g.k};
    for (std::int64_t r = 0; r < g.r; ++r)
      multiply_kernel_row(g, plan, block, r, list_pixels(call, plan, block, r, own), own, ahead, dw);
  }
}

template <class T>
std::size_t workspace(const ConvGeometry& g, int threads) {
  const Plan<T> plan(g, nullptr);
  return plan.shared_bytes + static_cast<std::size_t>(threads) * plan.thread_bytes;
}

template <class T>
void backward_kernel(const ConvCall<T>& call) {
  const ConvGeometry& g = call.geometry;
  const Plan<T> plan(g, call.workspace);
  parallel_for(call.threads, plan.pieces, [&](std::int64_t piece, int thread) {
    Scratch own(call.workspace + plan.shared_bytes + static_cast<std::size_t>(thread) * plan.thread_bytes);
    sum_piece(call, plan, piece, plan.thread_scratch(g, own));
  });
  add_kernel_pieces(g, plan.pieces, call.result, plan.others, call.threads);
}

}  // namespace mien::inline v0::kernels::strips
