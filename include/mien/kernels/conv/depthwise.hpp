#pragma once
// Each channel convolved by itself: groups == c. The vectors run over the channels, which lie side by side. There are
// nine products a number for a 3 x 3 kernel, so loads, addresses and the beginnings and ends of short loops set the
// pace: outputs go eight at a time, a cell that is loaded serves all its products, and the outputs at the picture's
// edges are cases of their own that are known when compiled.
//
// Forward and the gradient of the input are one loop over a row of outputs (axis.hpp: outputs that see the same taps go
// together, so padding is never read and strides leave no holes). With a depth multiplier, k = m c, output channel
// c m + i sees input channel c: the same loop over a picture whose channels are repeated m times, a band of rows at a
// time in the thread's own memory. The gradient of the kernel: depthwise_kernel_gradient.hpp.

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include <mien/core/parallel.hpp>
#include <mien/kernels/conv/algorithm.hpp>
#include <mien/kernels/conv/axis.hpp>
#include <mien/kernels/conv/kernel_pieces.hpp>
#include <mien/kernels/elementwise/activate.hpp>
#include <mien/kernels/gemm/block_sizes.hpp>
#include <mien/kernels/gemm/scratch.hpp>
#include <mien/kernels/isa/registers.hpp>

namespace mien::inline v0::kernels {

/// A row of outputs and what its taps read, all of `channels` channels. Distances count elements.
template <class T>
struct DepthwiseRow {
  const T* source;                         ///< cell 0 of the row that the first tap row reads
  std::int64_t source_row;                 ///< to the row that the next tap row reads
  const T* kernel;                         ///< the first tap row's weights of column tap 0
  std::int64_t kernel_row, kernel_column;  ///< to the next tap row's, the next column tap's
  std::int64_t rows;                       ///< tap rows on the picture
  const T* bias;
  T* result;
  std::int64_t channels;
};

}  // namespace mien::inline v0::kernels

#define MIEN_KERNEL_TEXT <mien/kernels/conv/depthwise.inl>
#include <mien/kernels/isa/for_each_isa.inl>

namespace mien::inline v0::kernels::depthwise {

inline const char* accepts(const ConvGeometry& g) {
  return g.groups == g.c && g.groups > 1 ? nullptr : "its groups are not single channels";
}

/// What a task computes: about so many numbers of the output, in whole rows.
inline constexpr std::int64_t task_size = std::int64_t{1} << 14;
/// A gradient of the kernel is shared out by pixels, in pieces of no fewer than this: the kernel is small, and the
/// fewer parts a pixel is cut into, the longer the stretches that are read. Speed against pieces of 2048 pixels, with
/// 256, 512 and 1024, Zen 4, one thread: 32x14x14x512 AVX-512 1.87, 1.81, 1.83, AVX2 1.67, 1.63, 1.61;
/// 32x7x7x1024 1.53, 1.48, 0.93 and 1.58, 1.59, 0.80; 32x8x8x128 0.88, 0.94, 0.81 and 0.98, 1.01, 0.70.
inline constexpr std::int64_t shortest_piece = 512;
/// And where pieces are too few, by channels, in parts no smaller than this.
inline constexpr std::int64_t fewest_channels = 64;

[[nodiscard]] constexpr ConvAxis row_axis(const ConvGeometry& g, ConvPass pass) {
  return (pass == ConvPass::backward_input ? backward_axis : forward_axis)(g.oh, g.h, g.r, g.stride_h, g.dilation_h,
                                                                           g.pad_top);
}
[[nodiscard]] constexpr ConvAxis column_axis(const ConvGeometry& g, ConvPass pass) {
  return (pass == ConvPass::backward_input ? backward_axis : forward_axis)(g.ow, g.w, g.s, g.stride_w, g.dilation_w,
                                                                           g.pad_left);
}

/// How the pass is cut, and its workspace.
template <class T>
struct Plan {
  ConvAxis rows, columns;
  std::int64_t multiplier;          ///< output channels of an input channel
  std::int64_t task_rows, tasks;    ///< of the side that is written
  std::int64_t band;                ///< rows of the picture with repeated channels that a thread holds
  std::int64_t pieces, parts;       ///< gradient of the kernel: of the output's rows, of the channels
  T* zeros = nullptr;               ///< the bias where there is none
  AxisSegment* row_taps = nullptr;  ///< of each row of the side that is written
  AxisSegment* segments = nullptr;  ///< of the columns
  T* others = nullptr;              ///< gradient of the kernel: the sums of the pieces but the first
  std::int64_t segment_count = 0, zero_count;
  std::size_t shared_bytes, thread_bytes;

  Plan(const ConvGeometry& g, ConvPass pass, std::byte* workspace)
      : rows(row_axis(g, pass)), columns(column_axis(g, pass)), multiplier(group_filters(g)) {
    const std::int64_t row_size = g.w * g.k, extent = std::min(g.h, (g.r - 1) * g.dilation_h + 1);
    band = std::clamp(4 * task_size / std::max<std::int64_t>(1, row_size), extent, g.h);
    task_rows = std::max<std::int64_t>(1, task_size / std::max<std::int64_t>(1, columns.outputs * g.k));
    if (multiplier > 1) task_rows = std::max(task_rows, (band - extent) / g.stride_h + 1);
    tasks = ceil_div(g.n * rows.outputs, task_rows);
    pieces = kernel_pieces(g, shortest_piece);
    parts = multiplier > 1 ? 1 : std::min(ceil_div(g.k, fewest_channels), ceil_div(wanted_tasks, pieces));
    Scratch scratch(workspace);
    zeros = scratch.array<T>(pass == ConvPass::backward_kernel ? 0 : g.k);
    zero_count = pass == ConvPass::backward_kernel ? 0 : g.k;
    row_taps = scratch.array<AxisSegment>(rows.outputs);
    segments = scratch.array<AxisSegment>(max_segments(columns));
    if (pass == ConvPass::backward_kernel) others = scratch.array<T>((pieces - 1) * kernel_size(g));
    shared_bytes = scratch.bytes();
    const std::int64_t own_rows = multiplier == 1 ? 0 : pass == ConvPass::backward_input ? 1 : band;
    Scratch own;
    static_cast<void>(own.array<T>(own_rows * row_size));
    thread_bytes = own.bytes();
  }
  /// Once a pass, before its tasks: fills in what all of them read.
  void prepare() {
    std::fill_n(zeros, zero_count, T(0));
    for (std::int64_t row = 0; row < rows.outputs; ++row) row_taps[row] = segment_of(rows, row);
    segment_count = find_segments(columns, segments);
  }
  [[nodiscard]] T* thread_memory(const ConvCall<T>& call, int thread) const {
    return reinterpret_cast<T*>(call.workspace + shared_bytes + static_cast<std::size_t>(thread) * thread_bytes);
  }
};

/// Calls body(row, count, taps, cell 0 of the row that the first of them reads) for rows first ... end-1 of the output,
/// counted over all pictures: up to `most` rows of a picture at a time that see the same tap rows. With a multiplier it
/// is one row, and the picture's rows are copied to `band`, channels repeated, as they are needed.
template <class T, class Body>
void for_each_row(const ConvGeometry& g, const Plan<T>& plan, std::int64_t first, std::int64_t end, std::int64_t most,
                  const T* x, T* band, const Body& body) {
  const std::int64_t each = plan.multiplier, row_size = g.w * g.k;
  std::int64_t band_picture = -1, band_first = 0, band_end = 0;
  for (std::int64_t row = first, count = 1; row < end; row += count, count = 1) {
    const std::int64_t n = row / g.oh, i = row % g.oh;
    const AxisSegment& taps = plan.row_taps[i];
    const T* const picture = x + n * g.h * g.w * g.c;
    if (each == 1) {
      for (; count < most && row + count < end && i + count < g.oh; ++count)
        if (const AxisSegment& next = plan.row_taps[i + count]; next.tap != taps.tap || next.taps != taps.taps) break;
      body(row, count, taps, picture + taps.cell * row_size);
      continue;
    }
    if (taps.taps > 0 && (n != band_picture || taps.cell + (taps.taps - 1) * taps.tap_cells >= band_end)) {
      // From where the window begins: with dilation, the first cell of a later row's taps may lie above this row's.
      band_picture = n, band_first = std::max<std::int64_t>(0, i * g.stride_h - g.pad_top);
      band_end = std::min(g.h, band_first + plan.band);
      const T* from = picture + band_first * g.w * g.c;
      for (T* to = band; to < band + (band_end - band_first) * row_size; to += each) std::fill_n(to, each, *from++);
    }
    body(row, count, taps, taps.taps > 0 ? band + (taps.cell - band_first) * row_size : band);
  }
}

template <class T>
void forward(const ConvCall<T>& call) {
  const ConvGeometry& g = call.geometry;
  Plan<T> plan(g, ConvPass::forward, call.workspace);
  plan.prepare();
  const auto kernel = MIEN_SELECT_ISA(T, depthwise_row);
  const std::int64_t row_size = g.ow * g.k;
  const auto compute = [&](std::int64_t row, std::int64_t, const AxisSegment& taps, const T* source) {
    T* const y = call.result + row * row_size;
    kernel({.source = source,
            .source_row = taps.tap_cells * g.w * g.k,
            .kernel = call.right + taps.tap * g.s * g.k,
            .kernel_row = taps.tap_step * g.s * g.k,
            .kernel_column = g.k,
            .rows = taps.taps,
            .bias = call.epilogue.bias != nullptr ? call.epilogue.bias : plan.zeros,
            .result = y,
            .channels = g.k},
           plan.segments, plan.segment_count);
    if (call.epilogue.activation != linear) activate(call.epilogue.activation, row_size, y, y);
    call.epilogue.finished(row * g.ow, g.ow, g.k);
  };
  parallel_for(output_pixels(g) * kernel_size(g) < small_product ? 1 : call.threads, plan.tasks,
               [&](std::int64_t task, int thread) {
                 for_each_row(g, plan, task * plan.task_rows, std::min(g.n * g.oh, (task + 1) * plan.task_rows), 1,
                              call.left, plan.thread_memory(call, thread), compute);
               });
}

/// The kernel turned round; with a multiplier an input channel's gradient is the sum over its output channels.
template <class T>
void backward_input(const ConvCall<T>& call) {
  const ConvGeometry& g = call.geometry;
  Plan<T> plan(g, ConvPass::backward_input, call.workspace);
  plan.prepare();
  const auto kernel = MIEN_SELECT_ISA(T, depthwise_row);
  const auto sum = MIEN_SELECT_ISA(T, sum_of_each);
  const auto compute = [&](std::int64_t row, T* dx, T* own) {
    const AxisSegment& taps = plan.row_taps[row % g.h];
    kernel({.source = call.left + (row / g.h * g.oh + taps.cell) * g.ow * g.k,
            .source_row = taps.tap_cells * g.ow * g.k,
            .kernel = call.right + ((g.r - 1 - taps.tap) * g.s + g.s - 1) * g.k,
            .kernel_row = -taps.tap_step * g.s * g.k,
            .kernel_column = -g.k,
            .rows = taps.taps,
            .bias = plan.zeros,
            .result = plan.multiplier == 1 ? dx : own,
            .channels = g.k},
           plan.segments, plan.segment_count);
    if (plan.multiplier > 1) sum(g.w * g.c, plan.multiplier, own, dx);
  };
  parallel_for(output_pixels(g) * kernel_size(g) < small_product ? 1 : call.threads, plan.tasks,
               [&](std::int64_t task, int thread) {
                 const std::int64_t end = std::min(g.n * g.h, (task + 1) * plan.task_rows);
                 for (std::int64_t row = task * plan.task_rows; row < end; ++row)
                   compute(row, call.result + row * g.w * g.c, plan.thread_memory(call, thread));
               });
}

template <class T, ConvPass pass>
std::size_t workspace(const ConvGeometry& g, int threads) {
  const Plan<T> plan(g, pass, nullptr);
  return plan.shared_bytes + static_cast<std::size_t>(threads) * plan.thread_bytes;
}

}  // namespace mien::inline v0::kernels::depthwise
