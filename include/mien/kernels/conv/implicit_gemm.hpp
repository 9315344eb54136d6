#pragma once
// A product whose rows of patches are never made. In NHWC the taps of one kernel row read neighbouring pixels, so a
// pixel's row of patches is a few contiguous runs of the picture, and the micro-kernel broadcasts from there.
//
// Output pixels that see the same taps are computed together (axis.hpp), so padding is neither stored nor multiplied:
// a border pixel's sum is simply shorter. The gradient of the input is the same sum over dy with the kernel turned
// round and its channels and filters exchanged. Strides need no holes either: there, too, pixels with the same taps go
// together.

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include <mien/core/parallel.hpp>
#include <mien/kernels/conv/algorithm.hpp>
#include <mien/kernels/conv/axis.hpp>
#include <mien/kernels/gemm/gemm.hpp>

namespace mien::inline v0::kernels::implicit_gemm {

/// Below this a run is too short for the pointers it costs.
inline constexpr std::int64_t fewest_channels = 8;

inline const char* accepts_forward(const ConvGeometry&) { return nullptr; }
inline const char* accepts_backward_input(const ConvGeometry& g) {
  return group_channels(g) < fewest_channels ? "it has fewer than 8 input channels" : nullptr;
}

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

  [[nodiscard]] std::int64_t source_size() const { return pictures * rows.cells * columns_axis.cells * groups * depth; }
  [[nodiscard]] std::int64_t taps() const { return rows.taps * columns_axis.taps; }
  /// Neighbouring taps read one contiguous run where neighbouring pixels are read by them and hold one group.
  [[nodiscard]] bool merges_taps() const { return groups == 1 && columns_axis.down == 1 && columns_axis.dilation == 1; }
};

/// A set of pixels that see the same taps, over all pictures, and the tasks it is cut into.
struct Region {
  AxisSegment rows, columns;
  std::int64_t first_task, tasks;
  [[nodiscard]] std::int64_t pixels(std::int64_t pictures) const { return pictures * rows.count * columns.count; }
};

template <class T>
struct ThreadScratch {
  const T** sources;  ///< [tile][run][row of the tile]
  const T** kernels;  ///< [run]: where the run's rows of the packed kernel begin
  T** results;        ///< [row of the chunk]
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
    return own;
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

/// A region's runs: how many, how long, and where each begins in the packed kernel.
template <class T>
struct Runs {
  std::int64_t count, length, per_row;
  Runs(const Problem& p, const Region& region) {
    const bool merged = p.merges_taps();
    per_row = region.columns.taps == 0 ? 0 : merged ? 1 : region.columns.taps;
    length = (merged ? region.columns.taps : 1) * p.depth;
    count = region.rows.taps * per_row;
  }
};

/// Pointers for pixels begin ... end-1 of a region, counted picture by picture, row by row.
template <class T>
void point_at_pixels(const ConvCall<T>& call, const Problem& p, const Plan<T>& plan, const Region& region,
                     const Runs<T>& runs, std::int64_t group, std::int64_t begin, std::int64_t end,
                     const ThreadScratch<T>& own) {
  const std::int64_t height = plan.kernels->rows(), source_channels = p.groups * p.depth;
  const std::int64_t result_channels = p.groups * p.columns;
  for (std::int64_t pixel = begin; pixel < end; ++pixel) {
    const std::int64_t j = pixel % region.columns.count, i = pixel / region.columns.count % region.rows.count;
    const std::int64_t n = pixel / (region.columns.count * region.rows.count), place = pixel - begin;
    const std::int64_t row = region.rows.first + i * region.rows.step,
                       column = region.columns.first + j * region.columns.step;
    own.results[place] = call.result +
                         ((n * p.rows.outputs + row) * p.columns_axis.outputs + column) * result_channels +
                         group * p.columns;
    const T** to = own.sources + (place / height * runs.count) * height + place % height;
    for (std::int64_t r = 0; r < region.rows.taps; ++r) {
      const std::int64_t from_row = region.rows.cell + i * region.rows.cell_step + r * region.rows.tap_cells;
      const T* const from =
          call.left + (n * p.rows.cells + from_row) * p.columns_axis.cells * source_channels + group * p.depth;
      for (std::int64_t s = 0; s < runs.per_row; ++s, to += height) {
        const std::int64_t from_column =
            region.columns.cell + j * region.columns.cell_step + s * region.columns.tap_cells;
        *to = from + from_column * source_channels;
      }
    }
  }
}

/// Where each run's part of the packed kernel begins, in panel 0 of the group.
template <class T>
void point_at_kernel(const ConvCall<T>& call, const Problem& p, const Plan<T>& plan, const Region& region,
                     const Runs<T>& runs, std::int64_t group, const ThreadScratch<T>& own) {
  const std::int64_t width = plan.kernels->columns;
  const T* const all = p.kernel_prepared ? call.right : plan.packed;
  const T* const packed = all + group * plan.panels * p.taps() * p.depth * width;
  for (std::int64_t r = 0; r < region.rows.taps; ++r)
    for (std::int64_t s = 0; s < runs.per_row; ++s) {
      const std::int64_t row = region.rows.tap + r * region.rows.tap_step,
                         column = region.columns.tap + s * region.columns.tap_step;
      own.kernels[r * runs.per_row + s] = packed + (row * p.columns_axis.taps + column) * p.depth * width;
    }
}

template <class T>
const Region& region_of_chunk(const Plan<T>& plan, std::int64_t chunk) {
  const Region* region = plan.regions;
  while (chunk >= region->first_task + region->tasks) ++region;
  return *region;
}

template <class T>
void multiply_chunk(const ConvCall<T>& call, const Problem& p, const Plan<T>& plan, std::int64_t task,
                    const ThreadScratch<T>& own) {
  const MicroKernels<T>& kernels = *plan.kernels;
  const std::int64_t height = kernels.rows(), width = kernels.columns, parts = plan.groups_of_panels;
  const std::int64_t place = task % (plan.chunks * parts), group = task / (plan.chunks * parts);
  const std::int64_t part = plan.panels_first ? place / plan.chunks : place % parts;
  const std::int64_t chunk = plan.panels_first ? place % plan.chunks : place / parts;
  const Region& region = region_of_chunk(plan, chunk);
  const std::int64_t pixels = region.pixels(p.pictures), tiles = ceil_div(pixels, height);
  const std::int64_t begin = part_begin(tiles, region.tasks, chunk - region.first_task) * height;
  const std::int64_t end = std::min(pixels, part_begin(tiles, region.tasks, chunk - region.first_task + 1) * height);
  const Runs<T> runs(p, region);
  point_at_pixels(call, p, plan, region, runs, group, begin, end, own);
  point_at_kernel(call, p, plan, region, runs, group, own);

  TileOutput<T> out = tile_output(call.epilogue, false, true, true);
  const std::int64_t result_pixels = p.pictures * p.rows.outputs * p.columns_axis.outputs;
  out.past_caches =
      p.groups == 1 && write_past_caches(call.result, result_pixels, p.columns, p.columns, call.epilogue.activation);
  const std::int64_t first_panel = part_begin(plan.panels, parts, part),
                     last_panel = part_begin(plan.panels, parts, part + 1);
  const std::int64_t panel_size = p.taps() * p.depth * width;
  for (std::int64_t panel = first_panel; panel < last_panel; ++panel) {
    const std::int64_t column = panel * width, columns = std::min(width, p.columns - column);
    if (call.epilogue.bias != nullptr) out.bias = call.epilogue.bias + group * p.columns + column;
    out.c_offset = column;
    for (std::int64_t i = 0; i < end - begin; i += height) {
      const T* const* const sources = own.sources + i * runs.count;
      out.c = own.results + i;
      multiply_tile(kernels,
                    RowOperand<T>{sources, height, own.kernels, panel * panel_size, width, runs.count, runs.length},
                    out, std::min(height, end - begin - i), columns);
    }
  }
  if (out.past_caches) fence_stores_past_caches();
  gemm_detail::activate_rows(own.results, end - begin, first_panel * width, std::min(p.columns, last_panel * width),
                             call.epilogue.activation);
}

template <class T, bool backward>
std::size_t workspace(const ConvGeometry& g, int threads) {
  const Problem problem(g, backward);
  const Plan<T> plan(problem, nullptr);
  return plan.shared_bytes + static_cast<std::size_t>(threads) * plan.thread_bytes;
}

/// The prepared kernel is the packed one of the forward pass.
template <class T>
std::int64_t prepared_size(const ConvGeometry& g) {
  const Problem problem(g, false);
  return Plan<T>(problem, nullptr).packed_size(problem);
}

template <class T>
void prepare(const ConvCall<T>& call) {
  const Problem problem(call.geometry, false);
  pack_kernel(call, problem, Plan<T>(problem, call.workspace), call.result);
}

template <class T, bool backward>
void run(const ConvCall<T>& call) {
  const Problem problem(call.geometry, backward);
  Plan<T> plan(problem, call.workspace);
  plan.find_regions(problem);
  if (!problem.kernel_prepared) pack_kernel(call, problem, plan, plan.packed);
  parallel_for(call.threads, plan.tasks, [&](std::int64_t task, int thread) {
    Scratch own(call.workspace + plan.shared_bytes + static_cast<std::size_t>(thread) * plan.thread_bytes);
    multiply_chunk(call, problem, plan, task, plan.thread_scratch(problem, own));
  });
}

}  // namespace mien::inline v0::kernels::implicit_gemm
