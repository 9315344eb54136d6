#pragma once
// Winograd's algorithm for 3x3 kernels of stride 1: tiles of up to 4x4 outputs, 36 products for 16 outputs instead of
// 144, or wide ones of up to 6x6, 64 products for 36 outputs instead of 324 (points.hpp). The products are plain ones
// of the micro-kernel: for each point, V (tiles x channels), read as it lies, times U (channels x filters), in panels.
// Everything else is vectors of channels, so that nothing is transposed.

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include <mien/core/parallel.hpp>
#include <mien/kernels/conv/algorithm.hpp>
#include <mien/kernels/conv/winograd/cost.hpp>
#include <mien/kernels/conv/winograd/plan.hpp>
#include <mien/kernels/elementwise/activate.hpp>
#include <mien/kernels/gemm/macro_kernel.hpp>
#include <mien/kernels/gemm/pack.hpp>
#include <mien/kernels/gemm/pointers.hpp>

namespace mien::inline v0::kernels::winograd {

/// Channels that a sum of wide tiles may have: the error is to stay below 1e-5 also where outputs at a border see few
/// pixels (4x4 pixels in, padding 2, 6x6 out: 8.2e-6 with 256 channels, 1.1e-5 with 512; inside, 6.6e-6 with 512).
inline constexpr std::int64_t most_wide_depth = 256;

template <class T, ConvPass pass, bool wide_tiles>
const char* accepts(const ConvGeometry& g) {
  if (sizeof(T) != sizeof(float)) return "it is for float";
  if (g.r != taps || g.s != taps) return "the kernel is not 3x3";
  if (g.stride_h != 1 || g.stride_w != 1) return "the stride is not 1";
  if (g.dilation_h != 1 || g.dilation_w != 1) return "the kernel is dilated";
  if (g.groups != 1) return "there are groups";
  if (g.arithmetic == Arithmetic::strict) return "the arithmetic is to be strict";
  if (!wide_tiles) return nullptr;
  const Problem p(g, pass == ConvPass::backward_input, true);
  if (!p.is_wide()) return "no axis is cut into tiles of 5 or 6";
  if (pass != ConvPass::backward_kernel && p.depth > most_wide_depth)
    return "sums of so many channels would err too far";
  return nullptr;
}

/// Whether a kernel that is prepared once is prepared for wide tiles. The batch has no say, so that all batches read
/// the same form of U, or the implicit product's.
inline bool prepares_wide(const ConvGeometry& g) {
  const Problem narrow(g, false, false), p(g, false, true);
  return accepts<float, ConvPass::forward, true>(g) == nullptr && kernel_stays_in_cache(p) &&
         tiles_cost(p) < tiles_cost(narrow);
}

template <bool backward, bool wide_tiles>
const char* loses(const ConvGeometry& g) {
  const Problem p(g, backward, wide_tiles);
  if (winograd_cost(p) >= direct_cost(p)) return transforms_cost_more;
  if (p.kernel_prepared) return prepares_wide(g) == wide_tiles ? nullptr : "the kernel is prepared for the other tiles";
  if (!wide_tiles) return nullptr;
  if (order_of(p) == Order::by_tiles && !kernel_stays_in_cache(p))
    return "its transformed kernel would not stay in the third cache";
  return winograd_cost(p) < winograd_cost(Problem(g, backward, false)) ? nullptr : smaller_tiles_cost_less;
}

/// U of one panel, channels begin ... end-1; the first one's row goes to `to`. The taps of a channel lie C * K values
/// apart, often a power of two, and would push each other out of the caches: so each tap's values are first copied
/// together. v48.5_x on one thread: 3.7 ms for the transform if it reads them where they lie.
template <class T>
void transform_panel(const ConvCall<T>& call, const Problem& p, const Plan<T>& plan, std::int64_t panel,
                     std::int64_t begin, std::int64_t end, T* to, T* scratch) {
  const ConvGeometry& g = call.geometry;
  const std::int64_t width = plan.kernels->columns, column = panel * width;
  const std::int64_t columns = std::min(width, p.columns - column);
  for (std::int64_t c = begin; c < end; c += kernel_channels) {
    const std::int64_t channels = std::min(kernel_channels, end - c);
    for (std::int64_t tap = 0; tap < taps * taps; ++tap) {
      const T* const from = p.backward ? call.right + ((taps * taps - 1 - tap) * g.c + column) * g.k + c
                                       : call.right + (tap * g.c + c) * g.k + column;
      pack_panels(from, g.k, p.backward, channels, columns, T(1), scratch + tap * kernel_channels * width, 0, width);
    }
    active_transforms<T>().kernel({scratch, kernel_channels * width, channels, p.down.size, p.across.size,
                                   to + (c - begin) * width, plan.kernel_stride});
  }
}

/// V of the tiles begin ... end-1.
template <class T>
void transform_group_input(const ConvCall<T>& call, const Problem& p, const Plan<T>& plan, std::int64_t begin,
                           std::int64_t end, T* to) {
  TileCells<T> cells[2];
  KindCounts rows;
  const auto find = [&](std::int64_t index) { find_cells(p, Tile(p, index), call.left, plan.zeros, cells[index % 2]); };
  find(begin);
  for (std::int64_t index = begin; index < end; ++index) {
    const Tile tile(p, index);
    const std::int64_t next = std::min(index + 1, p.tiles() - 1);
    find(next);
    active_transforms<T>().input({cells[index % 2], cells[next % 2], tile.rows, tile.columns, p.depth, to,
                                  find_places(p, plan.input, tile, rows)});
    tile.count(rows);
  }
}

/// M = V U for every point: a group of tiles, a block of panels.
template <class T>
void multiply_group(const Problem& p, const Plan<T>& plan, const KindCounts& tiles, const T* input, const T* kernel,
                    std::int64_t panels, T* products) {
  const std::int64_t width = plan.kernels->columns;
  const FetchAhead fetch = fetch_in_panel(p.depth, width);
  const T* a[max_group_tiles];
  T* c[max_group_tiles];
  point_at_rows(products, plan.products.ld, tiles.of[0], c);
  std::int64_t q = 0;
  for (int i = 0; i < p.down.points(); ++i)
    for (int j = 0; j < p.across.points(); ++j, ++q) {
      const std::int64_t rows = tiles.of[kind_of(p, i, j)];
      point_at_rows(input + q * plan.input.stride, plan.input.ld, rows, a);
      for (std::int64_t panel = 0; panel < panels; ++panel) {
        const T* const b = kernel + panel * plan.panel_size(p) + q * plan.kernel_stride;
        TileOutput<T> out{};
        out.c = c, out.fetch = false;
        out.c_offset = q * plan.products.stride + panel * width;
        multiply_full_width(*plan.kernels, RowOperand<T>{a, 0, &b, 0, width, 1, p.depth, fetch}, out, rows);
      }
    }
}

/// Y of the tiles begin ... end-1 and the filters first ... first + filters - 1, from M.
template <class T>
void transform_group_output(const ConvCall<T>& call, const Problem& p, const Plan<T>& plan, std::int64_t begin,
                            std::int64_t end, std::int64_t first, std::int64_t filters, const T* products) {
  const TileOutput<T> finish = tile_output(call.epilogue, false, true, true);
  const bool in_registers = applied_in_registers(call.epilogue.activation);
  KindCounts rows;
  PointPlaces places{};
  OutputTile<T> out{products,          places,       0,       0, filters, finish.bias,
                    finish.activation, finish.slope, nullptr, 0, 0,       false};
  if (out.bias != nullptr) out.bias += first;
  out.row = p.out_w * p.columns, out.column = p.columns;
  out.stream = streams(p, call.result, call.epilogue);
  for (std::int64_t index = begin; index < end; ++index) {
    const Tile tile(p, index);
    places = find_places(p, plan.products, tile, rows);
    out.rows = tile.rows, out.columns = tile.columns;
    out.to = call.result + ((tile.picture * p.out_h + tile.row) * p.out_w + tile.column) * p.columns + first;
    active_transforms<T>().output(out);
    for (int i = 0; i < outputs_of(tile.rows) && !in_registers; ++i)
      for (int j = 0; j < outputs_of(tile.columns); ++j) {
        T* const y = out.to + i * out.row + j * out.column;
        activate(call.epilogue.activation, filters, y, y);
      }
    tile.count(rows);
  }
}

/// Tells the result's reader of the tiles begin ... end-1, those of a row of tiles at a time.
template <class T>
void report_tiles(const Epilogue<T>& epilogue, const Problem& p, std::int64_t begin, std::int64_t end,
                  std::int64_t filters) {
  for (std::int64_t index = begin, count = 0; index < end; index += count) {
    count = std::min(end - index, p.across.count - index % p.across.count);
    const Tile first(p, index), last(p, index + count - 1);
    const std::int64_t pixels = last.column + outputs_of(last.columns) - first.column;
    for (int i = 0; i < outputs_of(first.rows); ++i)
      epilogue.finished((first.picture * p.out_h + first.row + i) * p.out_w + first.column, pixels, filters);
  }
}

[[nodiscard]] inline KindCounts count_tiles(const Problem& p, std::int64_t begin, std::int64_t end) {
  KindCounts counts;
  for (std::int64_t index = begin; index < end; ++index) Tile(p, index).count(counts);
  return counts;
}

/// The filters of a block: their panels, and how many there are.
template <class T>
struct Block {
  std::int64_t panel, panels, first, filters;
  Block(const Problem& p, const Plan<T>& plan, std::int64_t index)
      : panel(index * plan.block_panels),
        panels(std::min(plan.block_panels, plan.panels - panel)),
        first(panel * plan.kernels->columns),
        filters(std::min(p.columns - first, panels * plan.kernels->columns)) {}
};

/// A group of tiles and a block of filters: the products, then the output.
template <class T>
void finish_group(const ConvCall<T>& call, const Problem& p, const Plan<T>& plan, std::int64_t group,
                  const Block<T>& block, const T* input, const T* kernel, T* products) {
  const std::int64_t begin = plan.group_begin(p, group), end = plan.group_begin(p, group + 1);
  multiply_group(p, plan, count_tiles(p, begin, end), input, kernel, block.panels, products);
  transform_group_output(call, p, plan, begin, end, block.first, block.filters, products);
  if (call.epilogue.reader != nullptr) report_tiles(call.epilogue, p, begin, end, block.filters);
}

/// All of U, panel after panel.
template <class T>
void transform_kernel(const ConvCall<T>& call, const Problem& p, const Plan<T>& plan, T* to, const auto& scratch_of) {
  const std::int64_t parts = ceil_div(p.depth, kernel_channels);
  parallel_for(call.threads, plan.panels * parts, [&](std::int64_t task, int thread) {
    const std::int64_t panel = task / parts, c = task % parts * kernel_channels;
    transform_panel(call, p, plan, panel, c, std::min(p.depth, c + kernel_channels),
                    to + panel * plan.panel_size(p) + c * plan.kernels->columns, scratch_of(thread).taps);
  });
}

template <class T>
void run_by_tiles(const ConvCall<T>& call, const Problem& p, const Plan<T>& plan, const auto& scratch_of) {
  if (!p.kernel_prepared) transform_kernel(call, p, plan, plan.shared_kernel, scratch_of);
  const T* const kernel = p.kernel_prepared ? call.right : plan.shared_kernel;
  parallel_for(call.threads, plan.groups, [&](std::int64_t group, int thread) {
    const ThreadScratch<T> own = scratch_of(thread);
    const std::int64_t begin = plan.group_begin(p, group), end = plan.group_begin(p, group + 1);
    transform_group_input(call, p, plan, begin, end, own.input);
    for (std::int64_t i = 0; i < plan.blocks; ++i) {
      const Block<T> block(p, plan, i);
      finish_group(call, p, plan, group, block, own.input, kernel + block.panel * plan.panel_size(p), own.products);
    }
  });
}

/// V of one of all groups.
template <class T>
void transform_one_group(const ConvCall<T>& call, const Problem& p, const Plan<T>& plan, std::int64_t group, T* to) {
  transform_group_input(call, p, plan, plan.group_begin(p, group), plan.group_begin(p, group + 1),
                        to + group * plan.input.size(p));
}

/// A task of by_filters: the block's U, then group after group.
template <class T>
void compute_block(const ConvCall<T>& call, const Problem& p, const Plan<T>& plan, const Block<T>& block,
                   const ThreadScratch<T>& own) {
  for (std::int64_t group = 0; plan.own_input && !*own.has_input && group < plan.groups; ++group)
    transform_one_group(call, p, plan, group, own.input);
  if (plan.own_input) *own.has_input = true;
  const T* const input = plan.own_input ? own.input : plan.shared_input;
  for (std::int64_t i = 0; i < block.panels && !p.kernel_prepared; ++i)
    transform_panel(call, p, plan, block.panel + i, 0, p.depth, own.kernel + i * plan.panel_size(p), own.taps);
  const T* const kernel = p.kernel_prepared ? call.right + block.panel * plan.panel_size(p) : own.kernel;
  for (std::int64_t group = 0; group < plan.groups; ++group)
    finish_group(call, p, plan, group, block, input + group * plan.input.size(p), kernel, own.products);
}

template <class T>
void run_by_filters(const ConvCall<T>& call, const Problem& p, const Plan<T>& plan, const auto& scratch_of) {
  if (plan.own_input)
    for (int thread = 0; thread < call.threads; ++thread) *scratch_of(thread).has_input = false;
  else
    parallel_for(call.threads, plan.groups,
                 [&](std::int64_t group, int) { transform_one_group(call, p, plan, group, plan.shared_input); });
  parallel_for(call.threads, plan.blocks, [&](std::int64_t block, int thread) {
    compute_block(call, p, plan, Block<T>(p, plan, block), scratch_of(thread));
  });
}

template <class T, bool backward, bool wide_tiles>
std::size_t workspace([[maybe_unused]] const ConvGeometry& g, [[maybe_unused]] int threads) {
  if constexpr (sizeof(T) == sizeof(float)) {  // nothing is compiled for double, which accepts() refuses
    const Plan<T> plan(Problem(g, backward, wide_tiles), nullptr, threads);
    return plan.shared_bytes + static_cast<std::size_t>(threads) * plan.thread_bytes;
  } else {
    return 0;
  }
}

/// The threads' own memory, behind what they share.
template <class T>
struct ScratchOfThreads {
  const Problem& p;
  const Plan<T>& plan;
  std::byte* workspace;
  [[nodiscard]] ThreadScratch<T> operator()(int thread) const {
    Scratch own(workspace + plan.shared_bytes + static_cast<std::size_t>(thread) * plan.thread_bytes);
    return plan.thread_scratch(p, own);
  }
};

/// The prepared kernel is U of the forward pass. It depends on the tiles' points, which the extents decide.
template <class T, bool wide_tiles>
std::int64_t prepared_size([[maybe_unused]] const ConvGeometry& g) {
  if constexpr (sizeof(T) == sizeof(float)) {
    const Problem p(g, false, wide_tiles);
    const Plan<T> plan(p, nullptr, 1);
    return plan.panels * plan.panel_size(p);
  } else {
    return 0;
  }
}

template <class T, bool wide_tiles>
void prepare([[maybe_unused]] const ConvCall<T>& call) {
  if constexpr (sizeof(T) == sizeof(float)) {
    const Problem p(call.geometry, false, wide_tiles);
    const Plan<T> plan(p, call.workspace, call.threads);
    transform_kernel(call, p, plan, call.result, ScratchOfThreads<T>{p, plan, call.workspace});
  }
}

template <class T, bool backward, bool wide_tiles>
void run([[maybe_unused]] const ConvCall<T>& call) {
  if constexpr (sizeof(T) == sizeof(float)) {
    const Problem p(call.geometry, backward, wide_tiles);
    const Plan<T> plan(p, call.workspace, call.threads);
    std::fill_n(plan.zeros, max_points * p.depth, T(0));
    const ScratchOfThreads<T> scratch_of{p, plan, call.workspace};
    if (plan.order == Order::by_tiles)
      run_by_tiles(call, p, plan, scratch_of);
    else
      run_by_filters(call, p, plan, scratch_of);
  }
}

}  // namespace mien::inline v0::kernels::winograd
