#pragma once
// What a convolution is to the implicit product, and how that is cut: sets of pixels that see the same taps, panels of
// the packed kernel, memory.

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include <mien/core/parallel.hpp>
#include <mien/kernels/conv/algorithm.hpp>
#include <mien/kernels/conv/axis.hpp>
#include <mien/kernels/gemm/block_sizes.hpp>
#include <mien/kernels/gemm/macro_kernel.hpp>
#include <mien/kernels/gemm/pack.hpp>

namespace mien::inline v0::kernels::implicit_gemm {

/// The convolution from the side that is written: `result` pixels times `columns` channels of each group, from `source`
/// pixels of `depth` channels of each group.
struct Problem {
  ConvAxis rows, columns_axis;
  std::int64_t pictures, groups, columns, depth;
  bool backward, kernel_prepared;

  Problem(const ConvGeometry& g, bool backward_input)
      : rows((backward_input ? backward_axis : forward_axis)(g.oh, g.h, g.r, g.stride_h, g.dilation_h, g.pad_top)),
        columns_axis(
            (backward_input ? backward_axis : forward_axis)(g.ow, g.w, g.s, g.stride_w, g.dilation_w, g.pad_left)),
        pictures(g.n),
        groups(g.groups),
        columns(backward_input ? group_channels(g) : group_filters(g)),
        depth(backward_input ? group_filters(g) : group_channels(g)),
        backward(backward_input),
        kernel_prepared(!backward_input && g.kernel_prepared) {}

  [[nodiscard]] std::int64_t result_pixels() const { return pictures * rows.outputs * columns_axis.outputs; }
  [[nodiscard]] std::int64_t source_size() const { return pictures * rows.cells * columns_axis.cells * groups * depth; }
  [[nodiscard]] std::int64_t taps() const { return rows.taps * columns_axis.taps; }
  /// Neighbouring taps read one contiguous run where neighbouring pixels are read by them and hold one group.
  [[nodiscard]] bool merges_taps() const { return groups == 1 && columns_axis.down == 1 && columns_axis.dilation == 1; }
};

/// What writing a value costs, in multiplications of its sum; it counts where a stride leaves pixels without a tap.
/// rn.3.1s2, gradient of the input, one thread: 0.06 ms for 885 thousand zeros, at 57 multiplications a nanosecond. Two
/// threads, ms: 4: 0.42; 20: 0.53; shares of equal numbers of tasks: 0.74.
inline constexpr std::int64_t cost_of_write = 4;

/// A set of pixels that see the same taps, over all pictures, and the tasks it is cut into.
struct Region {
  AxisSegment rows, columns;
  std::int64_t first_task, tasks;
  [[nodiscard]] std::int64_t pixels(std::int64_t pictures) const { return pictures * rows.count * columns.count; }
  /// Of one task, relative to the others of the call.
  [[nodiscard]] std::int64_t task_cost(const Problem& p) const {
    return pixels(p.pictures) * (rows.taps * columns.taps * p.depth + cost_of_write) / std::max<std::int64_t>(1, tasks);
  }
};

template <class T>
struct ThreadScratch {
  const T** sources;  ///< [tile][run][row of the tile]
  const T** kernels;  ///< [run]: where the run's rows of the packed kernel begin
  T** results;        ///< [row of the chunk]
  T* copies;          ///< of the sources, if they are copied apart
};

/// All of the workspace, and the regions that were found.
template <class T>
struct Plan {
  const MicroKernels<T>* kernels;
  std::int64_t panels, groups_of_panels;
  T* packed = nullptr;  ///< the kernel, if it is packed in the call
  AxisSegment* segments = nullptr;
  Region* regions = nullptr;
  std::int64_t region_count = 0, chunks = 0, tasks = 0;
  bool panels_first = false;  ///< a panel meets all pixels, then the next: where the kernel is larger than the picture
  std::size_t shared_bytes, thread_bytes;

  Plan(const Problem& p, std::byte* workspace) : kernels(&active_micro_kernels<T>()) {
    panels = ceil_div(p.columns, kernels->columns);
    Scratch scratch(workspace);
    if (!p.kernel_prepared) packed = scratch.array<T>(packed_size(p));
    segments = scratch.array<AxisSegment>(max_segments(p.rows) + max_segments(p.columns_axis));
    regions = scratch.array<Region>(max_segments(p.rows) * max_segments(p.columns_axis));
    shared_bytes = scratch.bytes();
    Scratch own;
    static_cast<void>(thread_scratch(p, own));
    thread_bytes = own.bytes();
  }
  [[nodiscard]] std::int64_t packed_size(const Problem& p) const {
    return p.groups * panels * p.taps() * p.depth * kernels->columns;
  }
  [[nodiscard]] std::int64_t chunk_tiles() const { return block_sizes(kernels->isa).tiles; }
  [[nodiscard]] ThreadScratch<T> thread_scratch(const Problem& p, Scratch& scratch) const {
    const std::int64_t rows = chunk_tiles() * kernels->rows();
    ThreadScratch<T> own;
    own.sources = scratch.array<const T*>(rows * p.taps());
    own.kernels = scratch.array<const T*>(p.taps());
    own.results = scratch.array<T*>(rows);
    own.copies = copies_sources(p) ? scratch.array<T>(rows * copied_ld(p.depth)) : nullptr;
    return own;
  }
  /// A 1x1 kernel's pixels that lie a multiple of 4096 bytes apart compete for one set of the first cache; more taps
  /// would take too much room. rn.4.1s2, 512 channels with stride 2: 0.92 ms where they lie.
  [[nodiscard]] bool copies_sources(const Problem& p) const {
    return p.taps() == 1 && rows_collide<T>(p.columns_axis.up * p.groups * p.depth) &&
           kernels->rows() > first_cache_ways;
  }
  /// Cuts each region into chunks of tiles, larger ones where there are fewer taps, and finds how many parts the panels
  /// must be cut into to make enough tasks.
  void find_regions(const Problem& p) {
    AxisSegment* const columns = segments + max_segments(p.rows);
    const std::int64_t row_count = find_segments(p.rows, segments),
                       column_count = find_segments(p.columns_axis, columns);
    for (std::int64_t i = 0; i < row_count; ++i)
      for (std::int64_t j = 0; j < column_count; ++j) {
        Region& region = regions[region_count++];
        region = {segments[i], columns[j], chunks, 0};
        const std::int64_t tiles = ceil_div(region.pixels(p.pictures), kernels->rows());
        region.tasks = ceil_div(tiles, chunk_tiles());
        chunks += region.tasks;
      }
    panels_first = p.source_size() < p.groups * p.taps() * p.depth * p.columns;
    groups_of_panels =
        panels_first ? panels : std::min(panels, ceil_div(wanted_tasks, std::max<std::int64_t>(1, chunks)));
    tasks = chunks * groups_of_panels * p.groups;
  }
};

/// The kernel in panels: panel after panel of each group, each of taps() * depth rows. Of w (R, S, C/groups, K) the
/// forward pass takes rows (r, s, c) as they are; the gradient of the input takes tap R*S - 1 - t as tap t, transposed.
template <class T>
void pack_kernel(const ConvCall<T>& call, const Problem& p, const Plan<T>& plan, T* packed) {
  const ConvGeometry& g = call.geometry;
  const std::int64_t width = plan.kernels->columns, rows = p.taps() * p.depth;
  parallel_for(rows * p.columns < small_product ? 1 : call.threads, p.groups * plan.panels,
               [&](std::int64_t task, int) {
                 const std::int64_t group = task / plan.panels, column = task % plan.panels * width;
                 const std::int64_t columns = std::min(width, p.columns - column);
                 T* const panel = packed + task * rows * width;
                 const T* const w = call.right + group * group_filters(g);
                 if (!p.backward)
                   return pack_panels(w + column, g.k, false, rows, columns, T(1), panel, rows * width, width);
                 for (std::int64_t tap = 0; tap < p.taps(); ++tap) {
                   const T* const from = w + ((p.taps() - 1 - tap) * group_channels(g) + column) * g.k;
                   pack_panels(from, g.k, true, p.depth, columns, T(1), panel + tap * p.depth * width, 0, width);
                 }
               });
}

}  // namespace mien::inline v0::kernels::implicit_gemm
