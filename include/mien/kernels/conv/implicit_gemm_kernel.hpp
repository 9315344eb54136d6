#pragma once
// The gradient of the kernel as a product whose patches are never made: for each tap, dw[tap] (channels x filters) is
// the sum over output pixels of x's channels under that tap times dy's filters. Pixels whose tap falls into the padding
// are left out of the list that the micro-kernel walks.

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include <mien/core/parallel.hpp>
#include <mien/kernels/conv/algorithm.hpp>
#include <mien/kernels/conv/implicit_gemm.hpp>
#include <mien/kernels/conv/kernel_pieces.hpp>
#include <mien/kernels/gemm/block_sizes.hpp>
#include <mien/kernels/gemm/macro_kernel.hpp>
#include <mien/kernels/gemm/pack.hpp>

namespace mien::inline v0::kernels::implicit_gemm {

inline const char* accepts_backward_kernel(const ConvGeometry& g) {
  return group_channels(g) < fewest_channels ? "its groups have fewer than 8 input channels" : nullptr;
}

/// Rows of dw that are computed together: at most so many channels of one tap.
inline constexpr std::int64_t unit_channels = 64;

/// How the gradient is cut: pieces of the pixels times parts of the rows of dw.
template <class T>
struct KernelPlan {
  const MicroKernels<T>* kernels;
  std::int64_t panels;         ///< of one group's filters
  std::int64_t channel_parts;  ///< of a group's channels
  std::int64_t units;          ///< of rows: group, tap, channel part
  std::int64_t pieces, parts;  ///< of the pixels, of the units
  std::int64_t depth;  ///< pixels at a time: their packed dy takes at most half of the second cache. Tried on a Zen 4
                       ///< without gain: 128 or 256 always; panels outside rows; x's channels copied together (c2.1b:
                       ///< 83 instead of 98 GFLOP/s)
  T* others = nullptr;
  std::size_t shared_bytes, thread_bytes;

  KernelPlan(const ConvGeometry& g, std::byte* workspace) : kernels(&active_micro_kernels<T>()) {
    panels = ceil_div(group_filters(g), kernels->columns);
    channel_parts = ceil_div(group_channels(g), unit_channels);
    units = g.groups * g.r * g.s * channel_parts;
    pieces = kernel_pieces(g);
    parts = std::min(units, ceil_div(wanted_tasks, pieces));
    depth = std::clamp<std::int64_t>((std::int64_t{1} << 17) / (panels * kernels->columns), 128, 512);
    Scratch scratch(workspace);
    others = scratch.array<T>((pieces - 1) * kernel_size(g));
    shared_bytes = scratch.bytes();
    thread_bytes = KernelScratch(*this, Scratch()).bytes;
  }

  /// One thread's memory.
  struct KernelScratch {
    T* packed;            ///< dy of a block of pixels, in panels
    const T** pixels;     ///< of x, under the tap
    const T** gradients;  ///< rows of packed
    std::size_t bytes;
    KernelScratch(const KernelPlan& plan, Scratch scratch)
        : packed(scratch.array<T>(plan.depth * plan.panels * plan.kernels->columns)),
          pixels(scratch.array<const T*>(plan.depth)),
          gradients(scratch.array<const T*>(plan.depth)),
          bytes(scratch.bytes()) {}
  };
};

/// Output pixels begin ... end-1.
struct PixelBlock {
  std::int64_t begin, end;
  bool first;
  [[nodiscard]] std::int64_t size() const { return end - begin; }
};

/// Lists the block's pixels of which the tap is on the picture: where x's channels are, and the packed row of dy.
template <class T>
std::int64_t list_pixels(const ConvCall<T>& call, const KernelPlan<T>& plan, const PixelBlock& block, std::int64_t tap,
                         const typename KernelPlan<T>::KernelScratch& own) {
  const ConvGeometry& g = call.geometry;
  const std::int64_t down = tap / g.s * g.dilation_h - g.pad_top, right = tap % g.s * g.dilation_w - g.pad_left;
  std::int64_t count = 0;
  for (std::int64_t pixel = block.begin; pixel < block.end;) {  // row by row
    const std::int64_t n = pixel / (g.oh * g.ow), i = pixel / g.ow % g.oh, j = pixel % g.ow;
    const std::int64_t columns = std::min(g.ow - j, block.end - pixel), row = i * g.stride_h + down;
    const T* const from = call.left + (n * g.h + row) * g.w * g.c;
    for (std::int64_t k = 0; k < columns && row >= 0 && row < g.h; ++k) {
      const std::int64_t column = (j + k) * g.stride_w + right;
      if (column < 0 || column >= g.w) continue;
      own.pixels[count] = from + column * g.c;
      own.gradients[count++] = own.packed + (pixel - block.begin + k) * plan.kernels->columns;
    }
    pixel += columns;
  }
  return count;
}

template <class T>
void pack_gradients(const ConvCall<T>& call, const KernelPlan<T>& plan, const PixelBlock& block, std::int64_t group,
                    T* packed) {
  const ConvGeometry& g = call.geometry;
  const std::int64_t width = plan.kernels->columns;
  pack_panels(call.right + block.begin * g.k + group * group_filters(g), g.k, false, block.size(), group_filters(g),
              T(1), packed, block.size() * width, width);
}

/// Adds the listed pixels' products to one unit's rows of dw.
template <class T>
void multiply_unit(const ConvGeometry& g, const KernelPlan<T>& plan, const PixelBlock& block, std::int64_t unit,
                   std::int64_t listed, const typename KernelPlan<T>::KernelScratch& own, T* dw) {
  const std::int64_t channels = group_channels(g), filters = group_filters(g), width = plan.kernels->columns;
  const std::int64_t part = unit % plan.channel_parts, tap = unit / plan.channel_parts % (g.r * g.s);
  const std::int64_t group = unit / plan.channel_parts / (g.r * g.s);
  const std::int64_t begin = part_begin(channels, plan.channel_parts, part);
  const std::int64_t rows = part_begin(channels, plan.channel_parts, part + 1) - begin;
  T* c[unit_channels];
  for (std::int64_t i = 0; i < rows; ++i) c[i] = dw + (tap * channels + begin + i) * g.k + group * filters;
  TileOutput<T> out{};
  out.accumulate = !block.first;
  for (std::int64_t i = 0; i < rows; i += plan.kernels->rows())
    for (std::int64_t panel = 0; panel < plan.panels; ++panel) {
      const ColumnOperand<T> operand{own.pixels, group * channels + begin + i, own.gradients,
                                     panel * block.size() * width, listed};
      out.c = c + i;
      out.c_offset = panel * width;
      multiply_tile(*plan.kernels, operand, out, std::min(plan.kernels->rows(), rows - i),
                    std::min(width, filters - panel * width));
    }
}

/// One task: a part of the units, over one piece of the pixels.
template <class T>
void accumulate_part(const ConvCall<T>& call, const KernelPlan<T>& plan, std::int64_t piece, std::int64_t part,
                     const typename KernelPlan<T>::KernelScratch& own) {
  const ConvGeometry& g = call.geometry;
  T* const dw = kernel_piece(g, call.result, plan.others, piece);
  const std::int64_t first = part_begin(output_pixels(g), plan.pieces, piece);
  const std::int64_t last = part_begin(output_pixels(g), plan.pieces, piece + 1);
  const std::int64_t blocks = std::max<std::int64_t>(1, ceil_div(last - first, plan.depth));  // no pixels: zeros
  for (std::int64_t b = 0; b < blocks; ++b) {
    const PixelBlock block{first + part_begin(last - first, blocks, b), first + part_begin(last - first, blocks, b + 1),
                           b == 0};
    std::int64_t packed_group = -1, listed_tap = -1, listed = 0;
    for (std::int64_t unit = part_begin(plan.units, plan.parts, part);
         unit < part_begin(plan.units, plan.parts, part + 1); ++unit) {
      const std::int64_t tap = unit / plan.channel_parts % (g.r * g.s), group = unit / plan.channel_parts / (g.r * g.s);
      if (group != packed_group) pack_gradients(call, plan, block, packed_group = group, own.packed);
      if (tap != listed_tap) listed = list_pixels(call, plan, block, listed_tap = tap, own);
      multiply_unit(g, plan, block, unit, listed, own, dw);
    }
  }
}

template <class T>
std::size_t kernel_workspace(const ConvGeometry& g, int threads) {
  const KernelPlan<T> plan(g, nullptr);
  return plan.shared_bytes + static_cast<std::size_t>(threads) * plan.thread_bytes;
}

template <class T>
void backward_kernel(const ConvCall<T>& call) {
  const KernelPlan<T> plan(call.geometry, call.workspace);
  parallel_for(call.threads, plan.pieces * plan.parts, [&](std::int64_t task, int thread) {
    std::byte* const own = call.workspace + plan.shared_bytes + static_cast<std::size_t>(thread) * plan.thread_bytes;
    accumulate_part(call, plan, task / plan.parts, task % plan.parts, {plan, Scratch(own)});
  });
  add_kernel_pieces(call.geometry, plan.pieces, call.result, plan.others, call.threads);
}

}  // namespace mien::inline v0::kernels::implicit_gemm
