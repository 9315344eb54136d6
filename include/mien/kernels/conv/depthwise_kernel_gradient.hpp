#pragma once
// The gradient of the kernel where each channel is convolved by itself: nine sums, the taps of a 3 x 3 kernel, over all
// pixels of a channel. They fit the registers of every set and stay there over rows and pictures, whose borders are
// cases of their own, known when compiled; a gradient and a cell that are read serve all their products. Other kernels,
// and padding that hides more than one tap, go tap by tap through rows that see the same taps.

#include <algorithm>
#include <array>
#include <cstdint>

#include <mien/core/parallel.hpp>
#include <mien/kernels/conv/axis.hpp>
#include <mien/kernels/conv/depthwise.hpp>
#include <mien/kernels/conv/kernel_pieces.hpp>
#include <mien/kernels/isa/registers.hpp>

namespace mien::inline v0::kernels {

/// A row of outputs.
template <class T>
struct DepthwiseGradientRow {
  const T* x;              ///< cell 0 of the row that its first tap row reads
  const T* dy;             ///< its gradients
  std::int64_t tap, taps;  ///< its first tap row; how many
};

/// Rows of outputs whose products with the picture are added to the gradient of a 3 x 3 kernel, for some of the
/// channels.
template <class T>
struct DepthwiseGradient {
  const DepthwiseGradientRow<T>* rows;
  std::int64_t row_count;
  const AxisSegment* segments;  ///< of the columns
  std::int64_t segment_count;
  bool padded_by_one;  ///< of a row's five outputs or more the first lacks its first tap, the last its last, no other
                       ///< any; neighbours share cells, as with a stride of one dilation
  std::int64_t x_row;  ///< to the row that the next tap row reads
  T* dw;
  std::int64_t channels, first_channel, end_channel;
};

/// Rows of outputs that see the same tap rows, whose products with the picture are added to the gradient of the kernel,
/// for some of the channels.
template <class T>
struct DepthwiseKernelRows {
  std::int64_t count;          ///< rows of outputs
  const T* x;                  ///< cell 0 of the row that the first row's first tap row reads
  std::int64_t x_row, x_step;  ///< to the row that the next tap row reads; that the next row of outputs reads
  const T* dy;                 ///< the first row's gradients
  std::int64_t dy_step;        ///< to the next row's
  T* dw;                       ///< the first tap row's gradients of column tap 0
  std::int64_t dw_row;         ///< to the next tap row's
  std::int64_t taps;           ///< tap rows on the picture
  std::int64_t channels, first_channel, end_channel;
};

}  // namespace mien::inline v0::kernels

#define MIEN_KERNEL_TEXT <mien/kernels/conv/depthwise_kernel_gradient.inl>
#include <mien/kernels/isa/for_each_isa.inl>

namespace mien::inline v0::kernels::depthwise {

/// Pixels whose products are summed in registers before they are added to the kernel's gradient: enough that loading
/// and storing that costs nothing, few enough that the sums stay short.
inline constexpr std::int64_t summed_pixels = 256;

/// Whether depthwise_gradient_3x3 knows all the sets of taps that there are.
template <class T>
[[nodiscard]] bool gradient_is_3x3(const ConvGeometry& g, const Plan<T>& plan) {
  const auto known = [](const AxisSegment& segment) { return segment.taps >= 2; };
  return g.r == 3 && g.s == 3 && g.k >= 8 && std::all_of(plan.row_taps, plan.row_taps + g.oh, known) &&
         std::all_of(plan.segments, plan.segments + plan.segment_count, known);
}

/// Whether a row is as DepthwiseGradient::padded_by_one has it.
template <class T>
[[nodiscard]] bool rows_are_padded_by_one(const Plan<T>& plan) {
  const AxisSegment* const s = plan.segments;
  return plan.segment_count == 3 && s[0].count == 1 && s[0].tap == 1 && s[1].taps == 3 && s[1].count >= 3 &&
         s[1].cell_step == s[1].tap_cells && s[2].count == 1 && s[2].tap == 0;
}

/// Rows of outputs from first to end - 1, counted over all pictures, for some of the channels.
struct GradientPart {
  std::int64_t first, end, first_channel, end_channel;
};

/// As many rows at a time as summed_pixels says; with a multiplier one, since the next one may overwrite the band.
template <class T>
void add_gradient_3x3(const ConvCall<T>& call, const Plan<T>& plan, const GradientPart& part, T* dw, T* band) {
  const ConvGeometry& g = call.geometry;
  const auto kernel = MIEN_SELECT_ISA(T, depthwise_gradient_3x3);
  std::array<DepthwiseGradientRow<T>, 64> rows;
  const std::int64_t most = plan.multiplier > 1 ? 1 : std::clamp<std::int64_t>(summed_pixels / g.ow, 1, rows.size());
  std::int64_t count = 0;
  const auto add = [&] {
    kernel({.rows = rows.data(),
            .row_count = count,
            .segments = plan.segments,
            .segment_count = plan.segment_count,
            .padded_by_one = rows_are_padded_by_one(plan),
            .x_row = g.dilation_h * g.w * g.k,
            .dw = dw,
            .channels = g.k,
            .first_channel = part.first_channel,
            .end_channel = part.end_channel});
    count = 0;
  };
  for_each_row(g, plan, part.first, part.end, 1, call.left, band,
               [&](std::int64_t row, std::int64_t, const AxisSegment& taps, const T* x) {
                 rows[static_cast<std::size_t>(count++)] = {x, call.right + row * g.ow * g.k, taps.tap, taps.taps};
                 if (count == most) add();
               });
  if (count > 0) add();
}

/// Any kernel and padding.
template <class T>
void add_gradient(const ConvCall<T>& call, const Plan<T>& plan, const GradientPart& part, T* dw, T* band) {
  const ConvGeometry& g = call.geometry;
  const auto kernel = MIEN_SELECT_ISA(T, depthwise_kernel_rows);
  const std::int64_t most = std::max<std::int64_t>(1, summed_pixels / std::max<std::int64_t>(1, g.ow));
  for_each_row(g, plan, part.first, part.end, most, call.left, band,
               [&](std::int64_t row, std::int64_t count, const AxisSegment& taps, const T* x) {
                 kernel({.count = count,
                         .x = x,
                         .x_row = taps.tap_cells * g.w * g.k,
                         .x_step = g.stride_h * g.w * g.k,
                         .dy = call.right + row * g.ow * g.k,
                         .dy_step = g.ow * g.k,
                         .dw = dw + taps.tap * g.s * g.k,
                         .dw_row = taps.tap_step * g.s * g.k,
                         .taps = taps.taps,
                         .channels = g.k,
                         .first_channel = part.first_channel,
                         .end_channel = part.end_channel},
                        plan.segments, plan.segment_count);
               });
}

template <class T>
void backward_kernel(const ConvCall<T>& call) {
  const ConvGeometry& g = call.geometry;
  Plan<T> plan(g, ConvPass::backward_kernel, call.workspace);
  plan.prepare();
  const auto add = gradient_is_3x3(g, plan) ? add_gradient_3x3<T> : add_gradient<T>;
  const std::int64_t vectors = ceil_div(g.k, fewest_channels / 4);  // parts begin at whole registers
  const auto channel = [&](std::int64_t part) {
    return std::min(g.k, part_begin(vectors, plan.parts, part) * fewest_channels / 4);
  };
  parallel_for(output_pixels(g) * kernel_size(g) < small_product ? 1 : call.threads, plan.pieces * plan.parts,
               [&](std::int64_t task, int thread) {
                 const std::int64_t piece = task / plan.parts, part = task % plan.parts;
                 const GradientPart own{part_begin(g.n * g.oh, plan.pieces, piece),
                                        part_begin(g.n * g.oh, plan.pieces, piece + 1), channel(part),
                                        channel(part + 1)};
                 T* const dw = kernel_piece(g, call.result, plan.others, piece);
                 for (std::int64_t tap = 0; tap < g.r * g.s; ++tap)
                   std::fill(dw + tap * g.k + own.first_channel, dw + tap * g.k + own.end_channel, T(0));
                 add(call, plan, own, dw, plan.thread_memory(call, thread));
               });
  add_kernel_pieces(g, plan.pieces, call.result, plan.others, call.threads);
}

}  // namespace mien::inline v0::kernels::depthwise
