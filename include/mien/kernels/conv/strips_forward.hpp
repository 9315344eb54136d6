#pragma once
// The forward pass of a layer that sees few channels, a network's first. What a pixel reads in one row of the picture,
// its S C values, is contiguous, and the next pixel's begins stride * C values behind it: an output row is a product of
// R strips of the picture with the kernel. Strips are copied with the zeros beside the picture, each once for all
// output rows that read it, so that a row of pixels is cut into tiles without a thought of its ends.
//
// Kernel rows above and below the picture are left out. Taps beside its columns are multiplied by a strip's zeros: to
// leave them out, the pixels at a row's ends would need tiles of their own, as they have in the implicit product. That
// was built too, this kernel for the pixels between the ends: v48.1_1, 32 pictures and one, AVX2, Zen 3, 0.92 and 0.94
// of the implicit product's time; strips 0.76 and 0.75.

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include <mien/core/parallel.hpp>
#include <mien/kernels/conv/algorithm.hpp>
#include <mien/kernels/conv/strips.hpp>
#include <mien/kernels/gemm/macro_kernel.hpp>
#include <mien/kernels/gemm/pack.hpp>
#include <mien/kernels/gemm/pointers.hpp>
#include <mien/kernels/gemm/task.hpp>

namespace mien::inline v0::kernels::strips {

/// Longer sums pay for a list of pointers, and leave out padding on all sides. AVX2, Zen 3, one thread, parts of the
/// implicit product's time, sums of 9: 0.60; 27: 0.75 to 0.91; 54: 0.99; 100: 0.97; 147: 0.98 to 1.12.
inline constexpr std::int64_t longest_sum = 64;

/// Rows of fewer pixels make low tiles.
inline constexpr std::int64_t fewest_pixels = 6;

/// Threads share out rows: of low pictures, single ones would leave threads without work.
inline constexpr std::int64_t fewest_rows = 6;

inline const char* loses_forward(const ConvGeometry& g) {
  if (patch_size(g) > longest_sum) return "its sums are long enough to pay for lists of pointers";
  if (g.ow < fewest_pixels) return "a row of its output has fewer than 6 pixels";
  if (g.oh < fewest_rows) return "its output has fewer than 6 rows";
  return nullptr;
}

/// One thread's memory.
template <class T>
struct ForwardScratch {
  T* ring;           ///< [row of the picture modulo ring_rows][cell][channel]
  const T** strips;  ///< what one output row reads
  T** results;       ///< its pixels
};

template <class T>
struct ForwardPlan {
  const MicroKernels<T>* kernels;
  std::int64_t cells, copied_cells;  ///< of a strip; of them on the picture
  std::int64_t window;               ///< rows of the picture from the first that a row of y reads to the last
  std::int64_t ring_rows;
  std::int64_t panels, panel_size;
  std::int64_t tiles, low_tile, higher_tiles;  ///< of a row of pixels; the lower ones' height; how many are one higher
  T* packed = nullptr;                         ///< the kernel, if it is packed in the call
  std::size_t shared_bytes, thread_bytes;

  ForwardPlan(const ConvGeometry& g, std::byte* workspace) : kernels(&active_micro_kernels<T>()) {
    cells = (g.ow - 1) * g.stride_w + g.s;
    copied_cells = std::clamp<std::int64_t>(cells - g.pad_left, 0, g.w);
    window = (g.r - 1) * g.dilation_h + 1;
    ring_rows = std::min(g.h, window);
    panels = ceil_div(g.k, kernels->columns), panel_size = patch_size(g) * kernels->columns;
    tiles = ceil_div(g.ow, kernels->rows()), low_tile = g.ow / tiles, higher_tiles = g.ow % tiles;
    Scratch shared(workspace), own;
    if (!g.kernel_prepared) packed = shared.array<T>(panels * panel_size);
    static_cast<void>(thread_scratch(g, own));
    shared_bytes = shared.bytes(), thread_bytes = own.bytes();
  }
  [[nodiscard]] ForwardScratch<T> thread_scratch(const ConvGeometry& g, Scratch& scratch) const {
    T* const ring = scratch.array<T>(ring_rows * cells * g.c);
    const T** const strips = scratch.array<const T*>(g.r);
    return {ring, strips, scratch.array<T*>(g.ow)};
  }
};

/// What one task is at: a picture.
template <class T>
struct ForwardPlace {
  const ConvCall<T>& call;
  const ForwardPlan<T>& plan;
  const ForwardScratch<T>& own;
  std::int64_t n;

  [[nodiscard]] T* strip(std::int64_t row) const {
    return own.ring + row % plan.ring_rows * plan.cells * call.geometry.c;
  }
};

/// The panel behind `operand.panels` whole ones, which filters do not fill, of `height` pixels.
template <class T>
void multiply_last_panel(const ForwardPlace<T>& at, StripOperand<T> operand, TileOutput<T> out, std::int64_t height) {
  const std::int64_t column = operand.panels * at.plan.kernels->columns;
  operand.b += operand.panels * operand.panel_size, operand.panels = 1;
  out.c_offset += column;
  if (out.bias != nullptr) out.bias += column;
  multiply_tile(*at.plan.kernels, operand, out, height, at.call.geometry.k - column);
}

/// The kernel rows that are on the picture: `count` from row `first` on.
struct KernelRows {
  std::int64_t first, count;
};

/// Lists the strips that a row of y reads, one for each kernel row that is on the picture.
template <class T>
KernelRows list_strips(const ForwardPlace<T>& at, std::int64_t row) {
  const ConvGeometry& g = at.call.geometry;
  const std::int64_t x_row = row * g.stride_h - g.pad_top;
  KernelRows rows{x_row < 0 ? std::min(g.r, ceil_div(-x_row, g.dilation_h)) : 0, 0};
  for (std::int64_t x = x_row + rows.first * g.dilation_h; rows.first + rows.count < g.r && x < g.h; x += g.dilation_h)
    at.own.strips[rows.count++] = at.strip(x);
  return rows;
}

/// One row of y, whose strips are in the ring.
template <class T>
void multiply_row(const ForwardPlace<T>& at, std::int64_t row, TileOutput<T> out) {
  const ConvGeometry& g = at.call.geometry;
  const ForwardPlan<T>& plan = at.plan;
  const std::int64_t run = g.s * g.c, whole_panels = g.k / plan.kernels->columns;
  const KernelRows rows = list_strips(at, row);
  const T* const b = (g.kernel_prepared ? at.call.right : plan.packed) + rows.first * run * plan.kernels->columns;
  StripOperand<T> operand{at.own.strips, 0, g.stride_w * g.c, rows.count, run, b, whole_panels, plan.panel_size};
  point_at_rows(at.call.result + (at.n * g.oh + row) * g.ow * g.k, g.k, g.ow, at.own.results);
  out.c = at.own.results;
  for (std::int64_t tile = 0; tile < plan.tiles; ++tile) {
    const std::int64_t height = tile < plan.higher_tiles ? plan.low_tile + 1 : plan.low_tile;
    run_micro_kernel(plan.kernels->heights[height - 1], operand, out);
    if (whole_panels < plan.panels) multiply_last_panel(at, operand, out, height);
    operand.skip_rows(height), out.c += height;
  }
  gemm_detail::activate_rows(at.own.results, g.ow, 0, g.k, at.call.epilogue.activation);
  at.call.epilogue.finished((at.n * g.oh + row) * g.ow, g.ow, g.k);
}

/// One task: rows begin ... end-1 of picture n of y.
template <class T>
void multiply_band(const ForwardPlace<T>& at, std::int64_t begin, std::int64_t end) {
  const ConvGeometry& g = at.call.geometry;
  TileOutput<T> out = tile_output(at.call.epilogue, false, true, true);
  out.past_caches = write_past_caches(at.call.result, output_pixels(g), g.k, g.k, at.call.epilogue);
  out.fetch = false;  // of y, while 27 products are summed; with it, one picture of v48.1_1 takes 1.09 times as long
  std::fill_n(at.own.ring, at.plan.ring_rows * at.plan.cells * g.c, T(0));
  std::int64_t next = 0;  // the first row of the picture that was not copied
  for (std::int64_t row = begin; row < end; ++row) {
    const std::int64_t first = row * g.stride_h - g.pad_top, last = std::min(g.h, first + at.plan.window);
    for (next = std::max(next, first); next < last && at.plan.copied_cells > 0; ++next)
      std::copy_n(at.call.left + (at.n * g.h + next) * g.w * g.c, at.plan.copied_cells * g.c,
                  at.strip(next) + g.pad_left * g.c);
    multiply_row(at, row, out);
  }
}

template <class T>
std::size_t forward_workspace(const ConvGeometry& g, int threads) {
  const ForwardPlan<T> plan(g, nullptr);
  return plan.shared_bytes + static_cast<std::size_t>(threads) * plan.thread_bytes;
}

/// The prepared kernel is the packed one.
template <class T>
std::int64_t prepared_size(const ConvGeometry& g) {
  const ForwardPlan<T> plan(g, nullptr);
  return plan.panels * plan.panel_size;
}

template <class T>
void pack_kernel(const ConvCall<T>& call, const ForwardPlan<T>& plan, T* packed) {
  const ConvGeometry& g = call.geometry;
  pack_panels(call.right, g.k, false, patch_size(g), g.k, T(1), packed, plan.panel_size, plan.kernels->columns);
}

template <class T>
void prepare(const ConvCall<T>& call) {
  pack_kernel(call, ForwardPlan<T>(call.geometry, nullptr), call.result);
}

template <class T>
void forward(const ConvCall<T>& call) {
  const ConvGeometry& g = call.geometry;
  const ForwardPlan<T> plan(g, call.workspace);
  if (!g.kernel_prepared) pack_kernel(call, plan, plan.packed);
  // Neighbouring bands both copy the rows that both read. No cut changes a bit of y, so the threads decide.
  const std::int64_t bands =
      call.threads == 1 ? 1 : std::min(g.oh, ceil_div(4 * call.threads, std::max<std::int64_t>(1, g.n)));
  parallel_for(call.threads, g.n * bands, [&](std::int64_t task, int thread) {
    Scratch own(call.workspace + plan.shared_bytes + static_cast<std::size_t>(thread) * plan.thread_bytes);
    const ForwardScratch<T> scratch = plan.thread_scratch(g, own);
    const std::int64_t n = task / bands, band = task % bands;
    multiply_band(ForwardPlace<T>{call, plan, scratch, n}, part_begin(g.oh, bands, band),
                  part_begin(g.oh, bands, band + 1));
  });
}

}  // namespace mien::inline v0::kernels::strips
