#pragma once
// The gradient of a 3x3 kernel by Winograd, dw = G' dU G. How it is cut, kernel_gradient_plan.hpp says.

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include <mien/core/parallel.hpp>
#include <mien/kernels/conv/algorithm.hpp>
#include <mien/kernels/conv/winograd/cost.hpp>
#include <mien/kernels/conv/winograd/kernel_gradient_plan.hpp>
#include <mien/kernels/gemm/macro_kernel.hpp>

namespace mien::inline v0::kernels::winograd {

template <bool wide_tiles>
const char* kernel_gradient_loses(const ConvGeometry& g) {
  const Problem p(g, false, wide_tiles);
  if (kernel_gradient_cost(p) >= direct_products(p) * p.depth * p.columns) return transforms_cost_more;
  if (!wide_tiles) return nullptr;
  return kernel_gradient_cost(p) < kernel_gradient_cost(Problem(g, false, false)) ? nullptr : smaller_tiles_cost_less;
}

/// V of tiles begin ... end-1, in `to` from number `slot` on.
template <class T>
void transform_inputs(const ConvCall<T>& call, const KernelGradientPlan<T>& plan, std::int64_t begin, std::int64_t end,
                      std::int64_t slot, const PointMatrices<T>& to) {
  const Problem& p = plan.problem;
  TileCells<T> cells[2];
  for (std::int64_t block = 0; block < plan.channels.count; ++block) {
    T* v = to.values + block * to.block + slot * to.width;
    const T* const source = call.left + plan.channels.begin(block);
    find_cells(p, Tile(p, begin), source, plan.zeros, cells[begin % 2]);
    for (std::int64_t index = begin; index < end; ++index, v += to.width) {
      const Tile tile(p, index);
      const std::int64_t next = std::min(index + 1, end - 1);
      find_cells(p, Tile(p, next), source, plan.zeros, cells[next % 2]);
      active_transforms<T>().input(
          {cells[index % 2], cells[next % 2], tile.rows, tile.columns, plan.channels.size(block), v, to.places});
    }
  }
}

/// Z of tiles begin ... end-1.
template <class T>
void transform_gradients(const ConvCall<T>& call, const KernelGradientPlan<T>& plan, std::int64_t begin,
                         std::int64_t end, std::int64_t slot, const PointMatrices<T>& to) {
  const Problem& p = plan.problem;
  for (std::int64_t block = 0; block < plan.filters.count; ++block) {
    T* z = to.values + block * to.block + slot * to.width;
    for (std::int64_t index = begin; index < end; ++index, z += to.width) {
      const Tile tile(p, index);
      const std::int64_t pixel = (tile.picture * p.out_h + tile.row) * p.out_w + tile.column;
      active_gradient_transforms<T>().spread(
          {call.right + pixel * p.columns + plan.filters.begin(block), p.out_w * p.columns, p.columns, tile.rows,
           tile.columns, plan.filters.size(block), z, to.places, outputs_of(tile.columns) * p.columns});
    }
  }
}

/// Lists tiles begin ... end-1, in the first slots of `tiles`, by the kinds of points that they have.
template <class T>
void list_tiles(const Problem& p, std::int64_t begin, std::int64_t end, TransformedTiles<T>& tiles) {
  std::fill_n(tiles.listed, point_kinds, std::int64_t{0});
  for (std::int64_t slot = 0; slot < end - begin; ++slot) {
    const Tile tile(p, begin + slot);
    KindCounts has;
    tile.count(has);
    for (int kind = 0; kind < point_kinds; ++kind) {
      if (has.of[kind] == 0) continue;
      tiles.input_rows[kind][tiles.listed[kind]] = tiles.inputs.values + slot * tiles.inputs.width;
      tiles.gradient_rows[kind][tiles.listed[kind]++] = tiles.gradients.values + slot * tiles.gradients.width;
    }
  }
}

/// What call number `call` of a point fetches of the next point's V and Z, which are in the third cache: each as many
/// lines as there are tiles. v48.3_2, one thread, products: 13.8 ms without, 12.1 with; c3.2b 37 and 31.
template <class T>
const T* lines_ahead(const TransformedTiles<T>& tiles, std::int64_t v, std::int64_t z, std::int64_t point,
                     std::int64_t call) {
  constexpr std::int64_t line = 64 / sizeof(T);
  const std::int64_t step = tiles.listed[0] * line, calls = tiles.inputs.width / line;
  if (call < calls) return tiles.inputs.values + v + point * tiles.inputs.point + call * step;
  if (call - calls >= tiles.gradients.width / line) return nullptr;
  return tiles.gradients.values + z + point * tiles.gradients.point + (call - calls) * step;
}

/// dU of one block, from the listed tiles; added to what `sums` holds if `accumulate`.
template <class T>
void multiply_block(const KernelGradientPlan<T>& plan, const TransformedTiles<T>& tiles, std::int64_t block,
                    bool accumulate, T* sums) {
  const MicroKernels<T>& kernels = *plan.kernels;
  const std::int64_t channel_block = block / plan.filters.count, filter_block = block % plan.filters.count;
  const std::int64_t channels = plan.channels.size(channel_block), filters = plan.filters.size(filter_block);
  T* rows[ChannelBlocks::widest];
  for (std::int64_t i = 0; i < channels; ++i) rows[i] = sums + i * plan.filters.width;
  TileOutput<T> out{};
  out.accumulate = accumulate;
  const std::int64_t v = channel_block * tiles.inputs.block, z = filter_block * tiles.gradients.block;
  for (std::int64_t point = 0; point < plan.problem.points(); ++point) {
    const int across = plan.problem.across.points();
    const int kind = kind_of(plan.problem, static_cast<int>(point) / across, static_cast<int>(point) % across);
    ColumnOperand<T> operand{tiles.input_rows[kind], 0, tiles.gradient_rows[kind], 0, tiles.listed[kind]};
    std::int64_t call = 0;
    for (std::int64_t column = 0; column < filters; column += kernels.columns)
      for (std::int64_t row = 0; row < channels; row += kernels.rows(), ++call) {
        operand.ahead = point + 1 < plan.problem.points() ? lines_ahead(tiles, v, z, point + 1, call) : nullptr;
        if (accumulate && operand.ahead == nullptr) operand.ahead = sums + (point + 1) * plan.sum_point;
        operand.a_offset = v + point * tiles.inputs.point + row;
        operand.b_offset = z + point * tiles.gradients.point + column;
        out.c = rows + row;
        out.c_offset = point * plan.sum_point + column;
        multiply_full_width(kernels, operand, out, std::min(kernels.rows(), channels - row));
      }
  }
}

/// dw of channels begin ... end-1 of a block, from the dU of all pieces, `piece` apart.
template <class T>
void gather_block(const ConvCall<T>& call, const KernelGradientPlan<T>& plan, std::int64_t block, std::int64_t begin,
                  std::int64_t end, const T* sums, std::int64_t piece) {
  const Problem& p = plan.problem;
  const std::int64_t channel = plan.channels.begin(block / plan.filters.count), k = p.columns;
  const std::int64_t filter_block = block % plan.filters.count;
  T* const dw = call.result + channel * k + plan.filters.begin(filter_block);
  for (std::int64_t i = begin; i < end; ++i)
    active_gradient_transforms<T>().gather({sums + i * plan.filters.width, plan.pieces, piece, plan.sum_point,
                                            p.down.size, p.across.size, plan.filters.size(filter_block), dw + i * k,
                                            p.depth * k, k});
}

/// dU of tiles begin ... end-1, all blocks, a group of tiles at a time.
template <class T>
void sum_piece(const ConvCall<T>& call, const KernelGradientPlan<T>& plan, std::int64_t begin, std::int64_t end,
               TransformedTiles<T> own, T* sums) {
  const std::int64_t groups = ceil_div(end - begin, plan.capacity);
  for (std::int64_t group = 0; group < groups; ++group) {
    const std::int64_t first = begin + part_begin(end - begin, groups, group);
    const std::int64_t last = begin + part_begin(end - begin, groups, group + 1);
    transform_inputs(call, plan, first, last, 0, own.inputs);
    transform_gradients(call, plan, first, last, 0, own.gradients);
    list_tiles(plan.problem, first, last, own);
    for (std::int64_t block = 0; block < plan.blocks(); ++block)
      multiply_block(plan, own, block, group > 0, sums + block * plan.sum_block);
  }
}

template <class T>
void kernel_gradient_by_pieces(const ConvCall<T>& call, const KernelGradientPlan<T>& plan) {
  const std::int64_t tiles = plan.problem.tiles(), piece_step = plan.blocks() * plan.sum_block;
  parallel_for(call.threads, plan.pieces, [&](std::int64_t piece, int thread) {
    Scratch own(call.workspace + plan.shared_bytes + static_cast<std::size_t>(thread) * plan.thread_bytes);
    sum_piece(call, plan, part_begin(tiles, plan.pieces, piece), part_begin(tiles, plan.pieces, piece + 1),
              plan.transformed_tiles(own), plan.sums + piece * piece_step);
  });
  constexpr std::int64_t parts = 8;  // of the channels of a block
  parallel_for(call.threads, plan.blocks() * parts, [&](std::int64_t task, int) {
    const std::int64_t block = task / parts, channels = plan.channels.size(block / plan.filters.count);
    gather_block(call, plan, block, part_begin(channels, parts, task % parts),
                 part_begin(channels, parts, task % parts + 1), plan.sums + block * plan.sum_block, piece_step);
  });
}

template <class T>
void kernel_gradient_by_blocks(const ConvCall<T>& call, const KernelGradientPlan<T>& plan) {
  Scratch shared(call.workspace + plan.tiles_begin);
  TransformedTiles<T> tiles = plan.transformed_tiles(shared);
  for (std::int64_t round = 0; round < plan.rounds; ++round) {
    const std::int64_t begin = part_begin(plan.problem.tiles(), plan.rounds, round);
    const std::int64_t end = part_begin(plan.problem.tiles(), plan.rounds, round + 1);
    list_tiles(plan.problem, begin, end, tiles);
    constexpr std::int64_t run = 8;  // tiles of one task
    parallel_for(call.threads, ceil_div(end - begin, run), [&](std::int64_t task, int) {
      const std::int64_t slot = task * run, first = begin + slot, last = std::min(end, first + run);
      transform_inputs(call, plan, first, last, slot, tiles.inputs);
      transform_gradients(call, plan, first, last, slot, tiles.gradients);
    });
    parallel_for(call.threads, plan.blocks(), [&](std::int64_t block, int thread) {
      Scratch own(call.workspace + plan.shared_bytes + static_cast<std::size_t>(thread) * plan.thread_bytes);
      T* const sums = plan.sums != nullptr ? plan.sums + block * plan.sum_block : own.array<T>(plan.sum_block);
      multiply_block(plan, tiles, block, round > 0, sums);
      if (round + 1 < plan.rounds) return;
      gather_block(call, plan, block, 0, plan.channels.size(block / plan.filters.count), sums, 0);
    });
  }
}

template <class T, bool wide_tiles>
std::size_t kernel_gradient_workspace(const ConvGeometry& g, int threads) {
  const KernelGradientPlan<T> plan(g, nullptr, wide_tiles);
  return plan.shared_bytes + static_cast<std::size_t>(threads) * plan.thread_bytes;
}

template <class T, bool wide_tiles>
void kernel_gradient(const ConvCall<T>& call) {
  const KernelGradientPlan<T> plan(call.geometry, call.workspace, wide_tiles);
  std::fill_n(plan.zeros, max_points * plan.problem.depth, T(0));
  if (plan.by_pieces()) return kernel_gradient_by_pieces(call, plan);
  kernel_gradient_by_blocks(call, plan);
}

}  // namespace mien::inline v0::kernels::winograd
