#pragma once
// How the gradient of the kernel by Winograd is cut into tasks. At each point it is a product: dU (channels x filters)
// is the sum over the tiles of V' Z, V = B' d B and Z = A dY A'. There are two ways, and the sizes alone choose:
//
//   pieces  Many tiles, a small kernel. The tiles are cut into pieces. A task makes the V and Z of its piece, a group
//   of
//           tiles at a time that stays in the second cache, and adds their products to the piece's own dU. The pieces'
//           dU are added in order when they are gathered into dw.
//   blocks  Few tiles, a large kernel. V and Z of all tiles are made first. A task then makes dU of one block of
//           channels and filters, which stays in the second cache and is gathered at once. Where V and Z would be too
//           large, the tiles come in rounds, and the dU of all blocks is kept from one to the next.

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include <mien/kernels/conv/geometry.hpp>
#include <mien/kernels/conv/winograd/gradient_transform.hpp>
#include <mien/kernels/conv/winograd/group.hpp>
#include <mien/kernels/gemm/block_sizes.hpp>
#include <mien/kernels/gemm/micro_kernel.hpp>
#include <mien/kernels/gemm/scratch.hpp>

namespace mien::inline v0::kernels::winograd {

/// Channels or filters in nearly equal blocks; but for the last, of `width`.
struct ChannelBlocks {
  static constexpr std::int64_t widest = 64;
  std::int64_t total, width, count;

  ChannelBlocks(std::int64_t channels, std::int64_t multiple)
      : total(channels),
        width(ceil_div(ceil_div(channels, ceil_div(channels, widest)), multiple) * multiple),
        count(ceil_div(channels, width)) {}
  [[nodiscard]] std::int64_t begin(std::int64_t block) const { return block * width; }
  [[nodiscard]] std::int64_t size(std::int64_t block) const { return std::min(width, total - begin(block)); }
  [[nodiscard]] std::int64_t padded() const { return count * width; }
};

/// From one point's matrix to the next: what lies a multiple of 4096 bytes apart would compete for one set of the
/// cache.
[[nodiscard]] constexpr std::int64_t point_distance(std::int64_t values) { return values + 16; }

/// V or Z of some tiles: block by block, point by point, tile by tile. Each tile has a place at every point, so that
/// places are the same for all; a smaller tile leaves some empty.
template <class T>
struct PointMatrices {
  std::int64_t width, point, block;  ///< from one tile to the next, one point, one block
  PointPlaces places;
  T* values;

  PointMatrices(const Problem& p, const ChannelBlocks& blocks, std::int64_t capacity, Scratch& scratch)
      : width(blocks.width),
        point(point_distance(capacity * width)),
        block(p.points() * point),
        places{{}, p.across.points() * point, point},
        values(scratch.array<T>(blocks.count * block)) {}
};

/// V and Z of some tiles, and for each kind of points a list of the tiles that have them.
template <class T>
struct TransformedTiles {
  PointMatrices<T> inputs, gradients;
  const T** input_rows[point_kinds];
  const T** gradient_rows[point_kinds];
  std::int64_t listed[point_kinds] = {};

  TransformedTiles(const Problem& p, const ChannelBlocks& channels, const ChannelBlocks& filters, std::int64_t capacity,
                   Scratch& scratch)
      : inputs(p, channels, capacity, scratch), gradients(p, filters, capacity, scratch) {
    for (int kind = 0; kind < point_kinds; ++kind) {
      input_rows[kind] = scratch.array<const T*>(capacity);
      gradient_rows[kind] = scratch.array<const T*>(capacity);
    }
  }
};

/// By pieces: points of a group's tiles. v48.1_2, tiles of 36 points, Zen 4, ms: 16 tiles 14.0, 24 tiles 13.4, 48 tiles
/// 12.7, 96 tiles 12.1; wide ones of 64, Zen 3: 96 tiles 20.2, 48 tiles 18.6. Lost: fetching what the next group reads
/// while this one is multiplied (the products then take as much longer).
inline constexpr std::int64_t group_points = 96 * 36;
/// No piece is shorter, and the dU of all pieces together take no more bytes. v48.2_2, ms: 2 pieces 8.8, 4 pieces 9.8,
/// 8 pieces 10.2; but two pieces are work for two threads only.
inline constexpr std::int64_t smallest_piece_tiles = 48, pieces_bytes = std::int64_t{10} << 20;
/// By blocks: the bytes of V and Z of one round, unless one round alone takes no more memory than several.
inline constexpr std::int64_t round_bytes = std::int64_t{24} << 20;

template <class T>
struct KernelGradientPlan {
  const MicroKernels<T>* kernels;
  Problem problem;
  ChannelBlocks channels, filters;
  std::int64_t sum_point, sum_block;  ///< of dU: from one point to the next, from one block to the next
  std::int64_t pieces = 1, rounds = 1;
  std::int64_t capacity;    ///< tiles of a group or of a round
  T* zeros;                 ///< what lies beyond the border
  T* sums = nullptr;        ///< dU that outlives a task: of each piece, or from round to round
  std::size_t tiles_begin;  ///< by blocks: where V and Z begin in the shared workspace
  std::size_t shared_bytes, thread_bytes;

  KernelGradientPlan(const ConvGeometry& g, std::byte* workspace, bool wide_tiles)
      : kernels(&active_micro_kernels<T>()),
        problem(g, false, wide_tiles),
        channels(g.c, kernels->columns / 2),
        filters(g.k, kernels->columns),
        sum_point(point_distance(channels.width * filters.width)),
        sum_block(problem.points() * sum_point) {
    const std::int64_t size = static_cast<std::int64_t>(sizeof(T)), tiles = problem.tiles();
    const std::int64_t sum_bytes = blocks() * sum_block * size;
    while (2 * pieces <= wanted_tasks && 2 * pieces * smallest_piece_tiles <= tiles &&
           2 * pieces * sum_bytes <= pieces_bytes)
      pieces *= 2;  // so that threads, too, are most often given equal shares
    if (by_pieces()) {
      const std::int64_t longest = ceil_div(tiles, pieces);
      capacity = ceil_div(longest, ceil_div(longest * problem.points(), group_points));
    } else {
      const std::int64_t bytes = tiles * problem.points() * (channels.padded() + filters.padded()) * size;
      if (bytes > round_bytes + sum_bytes) rounds = ceil_div(bytes, round_bytes);
      capacity = ceil_div(tiles, rounds);
    }
    Scratch shared(workspace), own;
    zeros = shared.array<T>(max_points * problem.depth);
    if (by_pieces() || rounds > 1) sums = shared.array<T>(pieces * blocks() * sum_block);
    tiles_begin = shared.bytes();
    static_cast<void>(transformed_tiles(by_pieces() ? own : shared));
    if (!by_pieces() && rounds == 1) static_cast<void>(own.array<T>(sum_block));
    shared_bytes = shared.bytes(), thread_bytes = own.bytes();
  }
  [[nodiscard]] bool by_pieces() const { return pieces > 1; }
  [[nodiscard]] std::int64_t blocks() const { return channels.count * filters.count; }
  [[nodiscard]] TransformedTiles<T> transformed_tiles(Scratch& scratch) const {
    return {problem, channels, filters, capacity, scratch};
  }
};

}  // namespace mien::inline v0::kernels::winograd
