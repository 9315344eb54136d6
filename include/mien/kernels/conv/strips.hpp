#pragma once
// The gradient of the kernel of a layer that sees few channels, a network's first. The S C values that a pixel reads in
// one row of the picture are contiguous, so for each row of the kernel
//
//   dw[r] (S C x K) = sum over the pixels of x[their S C values in row r]' dy[their K values]
//
// is a product of strips of the picture, read where they lie: no patches are written out. Kernel rows that fall above
// or below the picture are left out; pixels of columns that see the same taps of a row form a segment, whose product
// has the rows of those taps alone.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>

#include <mien/core/parallel.hpp>
#include <mien/kernels/conv/algorithm.hpp>
#include <mien/kernels/conv/axis.hpp>
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

/// Pixels of a block: their dy stays in the caches for all rows of the kernel.
inline constexpr std::int64_t block_pixels = 512;

/// One thread's memory.
template <class T>
struct ThreadScratch {
  T* packed;            ///< dy in panels, if its last panel is not whole
  const T** values;     ///< of the listed pixels: what they read
  const T** gradients;  ///< and their dy
};

template <class T>
struct Plan {
  const MicroKernels<T>* kernels;
  ConvAxis columns;
  std::int64_t rows, pieces;  ///< of the output, of all pictures; what they are cut into
  std::int64_t panels;        ///< of dy
  bool packs;                 ///< whether filters do not fill their panels
  T* others = nullptr;        ///< the other pieces' sums
  AxisSegment* segments = nullptr;
  std::int64_t segment_count = 0;
  std::size_t shared_bytes, thread_bytes;

  Plan(const ConvGeometry& g, std::byte* workspace) : kernels(&active_micro_kernels<T>()) {
    columns = forward_axis(g.ow, g.w, g.s, g.stride_w, g.dilation_w, g.pad_left);
    rows = g.n * g.oh;
    pieces = kernel_pieces(g);
    panels = ceil_div(g.k, kernels->columns);
    packs = g.k % kernels->columns != 0;
    Scratch shared(workspace), own;
    others = shared.array<T>((pieces - 1) * kernel_size(g));
    segments = shared.array<AxisSegment>(max_segments(columns));
    static_cast<void>(thread_scratch(g, own));
    shared_bytes = shared.bytes(), thread_bytes = own.bytes();
  }
  void prepare() { segment_count = find_segments(columns, segments); }
  [[nodiscard]] ThreadScratch<T> thread_scratch(const ConvGeometry& g, Scratch& scratch) const {
    const std::int64_t pixels = std::max(block_pixels, g.ow);
    ThreadScratch<T> own{};
    if (packs) own.packed = scratch.array<T>(pixels * panels * kernels->columns);
    own.values = scratch.array<const T*>(pixels);
    own.gradients = scratch.array<const T*>(pixels);
    return own;
  }
};

/// Output rows begin ... end-1, counted over all pictures, of one segment's columns.
struct Block {
  const AxisSegment* columns;
  std::int64_t begin, end;
  [[nodiscard]] std::int64_t pixels() const { return (end - begin) * columns->count; }
};

/// dy of the block's pixels, in panels. Those of one column, or of all, are evenly spaced and packed at once.
template <class T>
void pack_gradients(const ConvCall<T>& call, const Plan<T>& plan, const Block& block, T* packed) {
  const ConvGeometry& g = call.geometry;
  const std::int64_t width = plan.kernels->columns, count = block.columns->count;
  const std::int64_t run = count == 1 || count == g.ow ? block.pixels() : count, ld = count == 1 ? g.ow * g.k : g.k;
  for (std::int64_t i = 0, row = block.begin; i < block.pixels(); i += run, ++row)
    pack_panels(call.right + (row * g.ow + block.columns->first) * g.k, ld, false, run, g.k, T(1), packed + i * width,
                block.pixels() * width, width);
}

/// Lists the block's pixels of which kernel row r is on the picture.
template <class T>
std::int64_t list_pixels(const ConvCall<T>& call, const Plan<T>& plan, const Block& block, std::int64_t r,
                         const ThreadScratch<T>& own) {
  const ConvGeometry& g = call.geometry;
  const AxisSegment& columns = *block.columns;
  const std::int64_t distance = plan.packs ? plan.kernels->columns : g.k;
  const std::int64_t row_distance = (plan.packs ? columns.count : g.ow) * distance;
  const T* const gradients = plan.packs ? own.packed : call.right + (block.begin * g.ow + columns.first) * g.k;
  std::int64_t count = 0;
  for (std::int64_t row = block.begin; row < block.end; ++row) {
    const std::int64_t from_row = row % g.oh * g.stride_h + r * g.dilation_h - g.pad_top;
    if (from_row < 0 || from_row >= g.h) continue;
    const T* const values = call.left + ((row / g.oh * g.h + from_row) * g.w + columns.cell) * g.c;
    point_at_rows(values, columns.cell_step * g.c, columns.count, own.values + count);
    point_at_rows(gradients + (row - block.begin) * row_distance, distance, columns.count, own.gradients + count);
    count += columns.count;
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

/// Adds the listed pixels' products to the rows of dw that belong to their taps of kernel row r.
template <class T>
void multiply_kernel_row(const ConvGeometry& g, const Plan<T>& plan, const Block& block, std::int64_t r,
                         std::int64_t listed, const ThreadScratch<T>& own, NextBlock<T>& ahead, T* dw) {
  const std::int64_t width = plan.kernels->columns, rows = block.columns->taps * g.c;
  const std::int64_t panel_size = plan.packs ? block.pixels() * width : width;
  T* c[max_tile_rows];
  TileOutput<T> out{};
  out.c = c;
  out.accumulate = true;
  const std::int64_t tiles = ceil_div(rows, plan.kernels->rows());
  for (std::int64_t tile = 0; tile < tiles; ++tile) {
    const std::int64_t begin = part_begin(rows, tiles, tile), end = part_begin(rows, tiles, tile + 1);
    point_at_rows(dw + ((r * g.s + block.columns->tap) * g.c + begin) * g.k, g.k, end - begin, c);
    for (std::int64_t panel = 0; panel < plan.panels; ++panel) {
      out.c_offset = panel * width;
      multiply_tile(*plan.kernels,
                    ColumnOperand<T>{own.values, begin, own.gradients, panel * panel_size, listed, ahead.take(listed)},
                    out, end - begin, std::min(width, g.k - panel * width));
    }
  }
}

/// Adds the products of one segment in rows begin ... end-1.
template <class T>
void sum_segment(const ConvCall<T>& call, const Plan<T>& plan, const AxisSegment& columns, std::int64_t begin,
                 std::int64_t end, const ThreadScratch<T>& own, T* dw) {
  const ConvGeometry& g = call.geometry;
  const std::int64_t most_rows = std::max<std::int64_t>(1, block_pixels / columns.count);
  const std::int64_t blocks = ceil_div(end - begin, most_rows);
  for (std::int64_t b = 0; b < blocks; ++b) {
    const Block block{&columns, begin + part_begin(end - begin, blocks, b),
                      begin + part_begin(end - begin, blocks, b + 1)};
    if (plan.packs) pack_gradients(call, plan, block, own.packed);
    // whole rows are fetched, so only for a segment that reads most of them
    const std::int64_t next_end = 2 * columns.count > g.ow ? std::min(end, block.end + most_rows) : block.end;
    NextBlock<T> ahead{call.right + block.end * g.ow * g.k, call.right + next_end * g.ow * g.k};
    for (std::int64_t r = 0; r < g.r; ++r)
      if (const std::int64_t listed = list_pixels(call, plan, block, r, own); listed > 0)
        multiply_kernel_row(g, plan, block, r, listed, own, ahead, dw);
  }
}

/// One task: all of dw, over one piece of the output's rows. A segment of few columns passes over the whole piece, so
/// that its blocks are as long as another's. Parts of the time of a product that also multiplies zeros beside the
/// picture, Zen 4, 32 pictures, one thread and two: v48.1_1 0.96, 0.96; rn.conv1 0.97, 0.89; v224.1_1 0.96, 0.86; a
/// block of all segments before the next block: 0.98, 0.95; 0.98, 0.91; 0.97, 0.87. Packing the dy of single columns,
/// which lie rows apart, gains nothing (1.00 to 1.03). A single channel has too few products to pay for reading some dy
/// again: 48 x 48 x 1 to 64 filters, 1.07, 1.02.
template <class T>
void sum_piece(const ConvCall<T>& call, const Plan<T>& plan, std::int64_t piece, const ThreadScratch<T>& own) {
  const ConvGeometry& g = call.geometry;
  T* const dw = kernel_piece(g, call.result, plan.others, piece);
  const std::int64_t begin = part_begin(plan.rows, plan.pieces, piece);
  const std::int64_t end = part_begin(plan.rows, plan.pieces, piece + 1);
  std::fill_n(dw, kernel_size(g), T(0));
  for (const AxisSegment& columns : std::span(plan.segments, static_cast<std::size_t>(plan.segment_count)))
    if (columns.taps > 0) sum_segment(call, plan, columns, begin, end, own, dw);
}

template <class T>
std::size_t workspace(const ConvGeometry& g, int threads) {
  const Plan<T> plan(g, nullptr);
  return plan.shared_bytes + static_cast<std::size_t>(threads) * plan.thread_bytes;
}

template <class T>
void backward_kernel(const ConvCall<T>& call) {
  const ConvGeometry& g = call.geometry;
  Plan<T> plan(g, call.workspace);
  plan.prepare();
  parallel_for(call.threads, plan.pieces, [&](std::int64_t piece, int thread) {
    Scratch own(call.workspace + plan.shared_bytes + static_cast<std::size_t>(thread) * plan.thread_bytes);
    sum_piece(call, plan, piece, plan.thread_scratch(g, own));
  });
  add_kernel_pieces(g, plan.pieces, call.result, plan.others, call.threads);
}

}  // namespace mien::inline v0::kernels::strips
