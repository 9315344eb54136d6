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
#include <mien/kernels/conv/implicit_gemm_plan.hpp>
#include <mien/kernels/conv/tap_by_tap.hpp>
#include <mien/kernels/gemm/pointers.hpp>
#include <mien/kernels/gemm/task.hpp>

namespace mien::inline v0::kernels::implicit_gemm {

/// Below this a run is too short for the pointers it costs.
inline constexpr std::int64_t fewest_channels = 8;

inline const char* accepts_forward(const ConvGeometry&) { return nullptr; }
inline const char* accepts_backward_input(const ConvGeometry& g) {
  return group_channels(g) < fewest_channels ? "it has fewer than 8 input channels" : nullptr;
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

/// Neighbouring pixels of one row of a region and of one tile: the first one's place in the tile, how many they are,
/// and what the first one reads.
template <class T>
struct PixelRun {
  std::int64_t place, count;
  const T* source;
};

/// Sets the pointers of a run of pixels in a tile's part of the sources.
template <class T>
void point_at_run(const Problem& p, const Region& region, const Runs<T>& runs, std::int64_t height,
                  const PixelRun<T>& pixels, const T** sources) {
  const std::int64_t channels = p.groups * p.depth, row_size = p.columns_axis.cells * channels;
  const T** to = sources + pixels.place;
  for (std::int64_t r = 0; r < region.rows.taps; ++r)
    for (std::int64_t s = 0; s < runs.per_row; ++s, to += height)
      point_at_rows(pixels.source + r * region.rows.tap_cells * row_size + s * region.columns.tap_cells * channels,
                    region.columns.cell_step * channels, pixels.count, to);
}

/// A region's pixels that a task takes, counted picture by picture, row by row.
struct PixelRange {
  std::int64_t begin, end;
};

/// Pointers for the pixels of a task. Positions are divided out once for each row of pixels: done for each pixel, that
/// took a quarter of a first layer's time. A whole tile behind another one of its row reads the same places further on:
/// first layers forward with AVX2, Zen 3, 0.95 to 0.97 of the time.
template <class T>
void point_at_pixels(const ConvCall<T>& call, const Problem& p, const Plan<T>& plan, const Region& region,
                     const Runs<T>& runs, std::int64_t group, const PixelRange& range, const ThreadScratch<T>& own) {
  const std::int64_t height = plan.kernels->rows(), channels = p.groups * p.depth, tile_size = runs.count * height;
  const AxisSegment &down = region.rows, &across = region.columns;
  const std::int64_t step = across.cell_step * channels, result_step = across.step * p.groups * p.columns;
  const T** tile = own.sources;
  for (std::int64_t pixel = range.begin, place = 0; pixel < range.end;) {
    const std::int64_t row = pixel / across.count, i = row % down.count, n = row / down.count;
    const std::int64_t row_end = std::min(range.end, (row + 1) * across.count);
    std::int64_t j = pixel - row * across.count;
    T* const results = call.result + group * p.columns +
                       ((n * p.rows.outputs + down.first + i * down.step) * p.columns_axis.outputs + across.first) *
                           p.groups * p.columns;
    const T* const sources =
        call.left + group * p.depth +
        ((n * p.rows.cells + down.cell + i * down.cell_step) * p.columns_axis.cells + across.cell) * channels;
    point_at_rows(results + j * result_step, result_step, row_end - pixel, own.results + (pixel - range.begin));
    bool behind_whole = false;
    for (std::int64_t count; pixel < row_end; pixel += count, j += count) {
      count = std::min(row_end - pixel, height - place);
      if (behind_whole && count == height)
        point_behind(tile - tile_size, height * step, tile_size, tile);
      else
        point_at_run(p, region, runs, height, PixelRun<T>{place, count, sources + j * step}, tile);
      behind_whole = count == height;
      place += count;
      if (place == height) place = 0, tile += tile_size;
    }
  }
}

/// Tells the result's reader of a task's pixels, those of a row of the picture at a time. In a forward pass, the only
/// one that is read, a region's steps are 1: its neighbouring pixels are neighbours in the picture.
template <class T>
void report_pixels(const Epilogue<T>& epilogue, const Problem& p, const Region& region, const PixelRange& range,
                   std::int64_t filters) {
  const AxisSegment &down = region.rows, &across = region.columns;
  for (std::int64_t pixel = range.begin, count = 0; pixel < range.end; pixel += count) {
    const std::int64_t row = pixel / across.count, j = pixel - row * across.count;
    count = std::min(range.end - pixel, across.count - j);
    const std::int64_t picture_row = row / down.count * p.rows.outputs + down.first + row % down.count;
    epilogue.finished(picture_row * p.columns_axis.outputs + across.first + j, count, filters);
  }
}

/// Copies a task's pixels, each a single run, apart from each other.
template <class T>
void copy_sources(const Problem& p, std::int64_t count, const ThreadScratch<T>& own) {
  for (std::int64_t i = 0; i < count; ++i) {
    T* const copy = own.copies + i * copied_ld(p.depth);
    std::copy_n(own.sources[i], p.depth, copy);
    own.sources[i] = copy;
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

/// What a task computes: some pixels of a region, some panels of a group.
template <class T>
struct ConvTask {
  std::int64_t group;
  const Region* region;
  PixelRange pixels;
  std::int64_t panel_begin, panel_end;

  ConvTask(const Problem& p, const Plan<T>& plan, std::int64_t task) : region(plan.regions) {
    const std::int64_t parts = plan.groups_of_panels, height = plan.kernels->rows();
    const std::int64_t place = task % (plan.chunks * parts);
    const std::int64_t part = plan.panels_first ? place / plan.chunks : place % parts;
    const std::int64_t chunk = plan.panels_first ? place % plan.chunks : place / parts;
    while (chunk >= region->first_task + region->tasks) ++region;
    const std::int64_t count = region->pixels(p.pictures), tiles = ceil_div(count, height);
    group = task / (plan.chunks * parts);
    pixels.begin = part_begin(tiles, region->tasks, chunk - region->first_task) * height;
    pixels.end = std::min(count, part_begin(tiles, region->tasks, chunk - region->first_task + 1) * height);
    panel_begin = part_begin(plan.panels, parts, part), panel_end = part_begin(plan.panels, parts, part + 1);
  }
  [[nodiscard]] std::int64_t size() const { return pixels.end - pixels.begin; }
};

/// All panels of a task, once its pointers are set.
template <class T>
void multiply_panels(const ConvCall<T>& call, const Problem& p, const Plan<T>& plan, const ConvTask<T>& task,
                     const Runs<T>& runs, TileOutput<T> out, const ThreadScratch<T>& own) {
  const std::int64_t height = plan.kernels->rows(), width = plan.kernels->columns;
  RowOperand<T> operand{own.sources, height,     own.kernels, 0,
                        width,       runs.count, runs.length, fetch_in_panel(runs.length, width)};
  for (std::int64_t panel = task.panel_begin; panel < task.panel_end; ++panel) {
    const std::int64_t column = panel * width, columns = std::min(width, p.columns - column);
    if (call.epilogue.bias != nullptr) out.bias = call.epilogue.bias + task.group * p.columns + column;
    out.c_offset = column;
    operand.b_offset = panel * p.taps() * p.depth * width;
    for (std::int64_t i = 0; i < task.size(); i += height) {
      operand.a = own.sources + i * runs.count;
      out.c = own.results + i;
      multiply_tile(*plan.kernels, operand, out, std::min(height, task.size() - i), columns);
    }
  }
}

template <class T>
void run_task(const ConvCall<T>& call, const Problem& p, const Plan<T>& plan, const ConvTask<T>& task,
              const ThreadScratch<T>& own) {
  const std::int64_t width = plan.kernels->columns;
  const std::int64_t begin = task.panel_begin * width, end = std::min(p.columns, task.panel_end * width);
  const Runs<T> runs(p, *task.region);
  point_at_pixels(call, p, plan, *task.region, runs, task.group, task.pixels, own);
  const bool plain = call.epilogue.bias == nullptr && call.epilogue.activation == linear;
  if (runs.count == 0 && p.backward && plain) {
    for (std::int64_t i = 0; i < task.size(); ++i) std::fill(own.results[i] + begin, own.results[i] + end, T(0));
    return;
  }
  if (own.copies != nullptr && runs.count == 1) copy_sources(p, task.size(), own);
  point_at_kernel(call, p, plan, *task.region, runs, task.group, own);
  TileOutput<T> out = tile_output(call.epilogue, false, true, true);
  out.past_caches =
      p.groups == 1 && write_past_caches(call.result, p.result_pixels(), p.columns, p.columns, call.epilogue);
  multiply_panels(call, p, plan, task, runs, out, own);
  gemm_detail::activate_rows(own.results, task.size(), begin, end, call.epilogue.activation);
  if (call.epilogue.reader != nullptr) report_pixels(call.epilogue, p, *task.region, task.pixels, end - begin);
}

/// The task whose predecessors together cost about `cost`. Tasks go through all regions again and again.
template <class T>
std::int64_t task_at_cost(const Problem& p, const Plan<T>& plan, std::int64_t cost) {
  const std::int64_t each = plan.panels_first ? 1 : plan.groups_of_panels;
  for (std::int64_t first = 0; first < plan.tasks;)
    for (const Region* region = plan.regions; region < plan.regions + plan.region_count; ++region) {
      const std::int64_t tasks = region->tasks * each, task_cost = region->task_cost(p);
      if (cost < tasks * task_cost) return first + (cost + task_cost / 2) / task_cost;
      cost -= tasks * task_cost, first += tasks;
    }
  return plan.tasks;
}

/// Runs all tasks, in shares of equal cost: with a stride, the gradient of the input has whole regions without a tap.
/// A thread has several, so that another can help it with the last ones.
template <class T, class Body>
void run_in_shares(int threads, const Problem& p, const Plan<T>& plan, const Body& body) {
  std::int64_t total = 0;
  for (std::int64_t i = 0; i < plan.region_count; ++i)
    total += plan.regions[i].task_cost(p) * plan.regions[i].tasks * plan.groups_of_panels * p.groups;
  const std::int64_t shares = std::min(plan.tasks, std::int64_t{8} * threads);
  parallel_for(threads, shares, [&](std::int64_t share, int thread) {
    const std::int64_t end = task_at_cost(p, plan, part_begin(total, shares, share + 1));
    for (std::int64_t task = task_at_cost(p, plan, part_begin(total, shares, share)); task < end; ++task)
      body(ConvTask<T>(p, plan, task), thread);
  });
}

template <class T, bool backward>
std::size_t workspace(const ConvGeometry& g, int threads) {
  const Problem problem(g, backward);
  const Plan<T> plan(problem, nullptr);
  const std::size_t own = static_cast<std::size_t>(threads) * plan.thread_bytes;
  return plan.shared_bytes + std::max(own, few_pixels(problem) ? lists_bytes<T>(problem) : 0);
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
  if (goes_tap_by_tap(problem, plan, call.threads)) return run_tap_by_tap(call, problem, plan);
  run_in_shares(call.threads, problem, plan, [&](const ConvTask<T>& task, int thread) {
    Scratch own(call.workspace + plan.shared_bytes + static_cast<std::size_t>(thread) * plan.thread_bytes);
    run_task(call, problem, plan, task, plan.thread_scratch(problem, own));
  });
}

}  // namespace mien::inline v0::kernels::implicit_gemm
