#pragma once
// Winograd's algorithm for 3x3 kernels of stride 1: tiles of up to 4x4 outputs, 36 products for 16 outputs instead of
// 144 (points.hpp). The products are plain ones of the micro-kernel: for each point, V (tiles x channels), read as it
// lies, times U (channels x filters), in panels. Everything else is vectors of channels, so that nothing is transposed.

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

namespace mien::inline v0::kernels::winograd {

template <class T>
const char* accepts(const ConvGeometry& g) {
  if (sizeof(T) != sizeof(float)) return "it is for float";
  if (g.r != taps || g.s != taps) return "the kernel is not 3x3";
  if (g.stride_h != 1 || g.stride_w != 1) return "the stride is not 1";
  if (g.dilation_h != 1 || g.dilation_w != 1) return "the kernel is dilated";
  if (g.groups != 1) return "there are groups";
  if (g.arithmetic == Arithmetic::strict) return "the arithmetic is to be strict";
  return nullptr;
}

template <bool backward>
const char* loses(const ConvGeometry& g) {
  const Problem p(g, backward);
  return winograd_cost(p) < direct_cost(p) ? nullptr : "its transforms would cost more than the products that it saves";
}

/// U of one panel: channels begin ... end-1.
template <class T>
void transform_panel(const ConvCall<T>& call, const Problem& p, const Plan<T>& plan, std::int64_t panel,
                     std::int64_t begin, std::int64_t end, T* to, T* scratch) {
  const ConvGeometry& g = call.geometry;
  const std::int64_t width = plan.kernels->columns, column = panel * width;
  const std::int64_t columns = std::min(width, p.columns - column);
  const T* pointers[taps * taps];
  for (std::int64_t c = begin; c < end; c += kernel_channels) {
    const std::int64_t channels = std::min(kernel_channels, end - c);
    const bool as_they_lie = !p.backward && columns == width;
    for (std::int64_t tap = 0; tap < taps * taps; ++tap) {
      T* const packed = scratch + tap * kernel_channels * width;
      const T* const from = p.backward ? call.right + ((taps * taps - 1 - tap) * g.c + column) * g.k + c
                                       : call.right + (tap * g.c + c) * g.k + column;
      pointers[tap] = as_they_lie ? from : packed;
      if (!as_they_lie) pack_panels(from, g.k, p.backward, channels, columns, T(1), packed, 0, width);
    }
    active_transforms<T>().kernel({pointers, as_they_lie ? g.k : width, channels, p.down.points(), p.across.points(),
                                   to + c * width, plan.kernel_stride});
  }
}

/// V of the tiles begin ... end-1.
template <class T>
void transform_group_input(const ConvCall<T>& call, const Problem& p, const Plan<T>& plan, std::int64_t begin,
                           std::int64_t end, T* to) {
  const T* cells[tile_table];
  std::int64_t places[tile_table];
  KindCounts rows;
  for (std::int64_t index = begin; index < end; ++index) {
    const Tile tile(p, index);
    find_cells(p, tile, call.left, plan.zeros, cells);
    find_places(p, plan.input, rows, places);
    active_transforms<T>().input({cells, tile.rows, tile.columns, p.depth, to, places});
    tile.count(rows);
  }
}

/// M = V U for every point: a group of tiles, a block of panels.
template <class T>
void multiply_group(const Problem& p, const Plan<T>& plan, const KindCounts& tiles, const T* input, const T* kernel,
                    std::int64_t panels, T* products) {
  const std::int64_t width = plan.kernels->columns;
  const T* a[most_tiles];
  T* c[most_tiles];
  for (std::int64_t i = 0; i < tiles.of[0]; ++i) c[i] = products + i * plan.products.ld;
  std::int64_t q = 0;
  for (int i = 0; i < p.down.points(); ++i)
    for (int j = 0; j < p.across.points(); ++j, ++q) {
      const std::int64_t rows = tiles.of[kind_of(p, i, j)];
      for (std::int64_t row = 0; row < rows; ++row) a[row] = input + q * plan.input.stride + row * plan.input.ld;
      for (std::int64_t panel = 0; panel < panels; ++panel) {
        const T* const b = kernel + panel * plan.panel_size(p) + q * plan.kernel_stride;
        TileOutput<T> out{};
        out.c = c;
        out.c_offset = q * plan.products.stride + panel * width;
        multiply_full_width(*plan.kernels, RowOperand<T>{a, 0, &b, 0, width, 1, p.depth}, out, rows);
      }
    }
}

/// Y of the tiles begin ... end-1 and the filters first ... first + filters - 1, from M.
template <class T>
void transform_group_output(const ConvCall<T>& call, const Problem& p, const Plan<T>& plan, std::int64_t begin,
                            std::int64_t end, std::int64_t first, std::int64_t filters, const T* products) {
  const TileOutput<T> finish = tile_output(call.epilogue, false, true, true);
  const bool in_registers = applied_in_registers(call.epilogue.activation);
  std::int64_t places[tile_table];
  KindCounts rows;
  OutputTile<T> out{products,          places,       0,       0, filters, finish.bias,
                    finish.activation, finish.slope, nullptr, 0, 0,       false};
  if (out.bias != nullptr) out.bias += first;
  out.row = p.out_w * p.columns, out.column = p.columns;
  out.stream = in_registers && streams(p, call.result);
  for (std::int64_t index = begin; index < end; ++index) {
    const Tile tile(p, index);
    find_places(p, plan.products, rows, places);
    out.rows = tile.rows, out.columns = tile.columns;
    out.to = call.result + ((tile.picture * p.out_h + tile.row) * p.out_w + tile.column) * p.columns + first;
    active_transforms<T>().output(out);
    for (int i = 0; i < tile.rows && !in_registers; ++i)
      for (int j = 0; j < tile.columns; ++j) {
        T* const y = out.to + i * out.row + j * out.column;
        activate(call.epilogue.activation, filters, y, y);
      }
    tile.count(rows);
  }
  if (out.stream) fence_stores_past_caches();
}

[[nodiscard]] inline KindCounts count_tiles(const Problem& p, std::int64_t begin, std::int64_t end) {
  KindCounts counts;
  for (std::int64_t index = begin; index < end; ++index) Tile(p, index).count(counts);
  return counts;
}

/// A group of tiles and a block of filters: the products, then the output.
template <class T>
void finish_group(const ConvCall<T>& call, const Problem& p, const Plan<T>& plan, std::int64_t group,
                  std::int64_t block, const T* input, const T* kernel, const ThreadScratch<T>& own) {
  const std::int64_t begin = plan.group_begin(p, group), end = plan.group_begin(p, group + 1);
  const std::int64_t panel = block * plan.block_panels, panels = std::min(plan.block_panels, plan.panels - panel);
  const std::int64_t first = panel * plan.kernels->columns;
  multiply_group(p, plan, count_tiles(p, begin, end), input, kernel, panels, own.products);
  transform_group_output(call, p, plan, begin, end, first, std::min(p.columns - first, panels * plan.kernels->columns),
                         own.products);
}

template <class T>
void run_by_tiles(const ConvCall<T>& call, const Problem& p, const Plan<T>& plan, const auto& scratch_of) {
  const std::int64_t parts = ceil_div(p.depth, kernel_channels);
  parallel_for(call.threads, plan.panels * parts, [&](std::int64_t task, int thread) {
    const std::int64_t panel = task / parts, c = task % parts * kernel_channels;
    transform_panel(call, p, plan, panel, c, std::min(p.depth, c + kernel_channels),
                    plan.shared_kernel + panel * plan.panel_size(p), scratch_of(thread).taps);
  });
  parallel_for(call.threads, plan.groups, [&](std::int64_t group, int thread) {
    const ThreadScratch<T> own = scratch_of(thread);
    transform_group_input(call, p, plan, plan.group_begin(p, group), plan.group_begin(p, group + 1), own.input);
    for (std::int64_t block = 0; block < plan.blocks; ++block)
      finish_group(call, p, plan, group, block, own.input,
                   plan.shared_kernel + block * plan.block_panels * plan.panel_size(p), own);
  });
}

template <class T>
void run_by_filters(const ConvCall<T>& call, const Problem& p, const Plan<T>& plan, const auto& scratch_of) {
  parallel_for(call.threads, plan.groups, [&](std::int64_t group, int) {
    transform_group_input(call, p, plan, plan.group_begin(p, group), plan.group_begin(p, group + 1),
                          plan.shared_input + group * plan.input.size(p));
  });
  parallel_for(call.threads, plan.blocks, [&](std::int64_t block, int thread) {
    const ThreadScratch<T> own = scratch_of(thread);
    const std::int64_t first = block * plan.block_panels, last = std::min(plan.panels, first + plan.block_panels);
    for (std::int64_t panel = first; panel < last; ++panel)
      transform_panel(call, p, plan, panel, 0, p.depth, own.kernel + (panel - first) * plan.panel_size(p), own.taps);
    for (std::int64_t group = 0; group < plan.groups; ++group)
      finish_group(call, p, plan, group, block, plan.shared_input + group * plan.input.size(p), own.kernel, own);
  });
}

template <class T, bool backward>
std::size_t workspace([[maybe_unused]] const ConvGeometry& g, [[maybe_unused]] int threads) {
  if constexpr (sizeof(T) == sizeof(float)) {  // nothing is compiled for double, which accepts() refuses
    const Plan<T> plan(Problem(g, backward), nullptr);
    return plan.shared_bytes + static_cast<std::size_t>(threads) * plan.thread_bytes;
  } else {
    return 0;
  }
}

template <class T, bool backward>
void run([[maybe_unused]] const ConvCall<T>& call) {
  if constexpr (sizeof(T) == sizeof(float)) {
    const Problem p(call.geometry, backward);
    const Plan<T> plan(p, call.workspace);
    std::fill_n(plan.zeros, plan.input.ld, T(0));
    const auto scratch_of = [&](int thread) {
      Scratch own(call.workspace + plan.shared_bytes + static_cast<std::size_t>(thread) * plan.thread_bytes);
      return plan.thread_scratch(p, own);
    };
    if (plan.order == Order::by_tiles)
      run_by_tiles(call, p, plan, scratch_of);
    else
      run_by_filters(call, p, plan, scratch_of);
  }
}

}  // namespace mien::inline v0::kernels::winograd
