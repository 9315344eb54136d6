#pragma once
// How the work is cut, by the problem and the instruction set alone, and where everything lies in the workspace.
//
//   by tiles:    all of U first; then a task is a group of tiles: its V, then block after block of filters M and Y. V
//                and M stay in the second cache, as far as it takes one strip of tiles. For large pictures.
//   by filters:  all of V first; then a task is a block of filters: its U, then group after group of tiles M and Y. U
//                is never in memory whole. For few tiles and a large kernel. Few threads have a V each (own_input).

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include <mien/kernels/conv/winograd/cost.hpp>
#include <mien/kernels/conv/winograd/group.hpp>
#include <mien/kernels/epilogue.hpp>
#include <mien/kernels/gemm/block_sizes.hpp>
#include <mien/kernels/gemm/scratch.hpp>

namespace mien::inline v0::kernels::winograd {

enum class Order { by_tiles, by_filters };

/// By filters where there are fewer tiles than filters; of wide tiles, fewer than half as many, since V of a tile is
/// nearly twice as large: v48.3_1 forward, Zen 3, two threads, 5.3 ms by tiles, 8.2 by filters.
[[nodiscard]] inline Order order_of(const Problem& p) {
  return p.tiles() * (p.is_wide() ? 2 : 1) < p.columns ? Order::by_filters : Order::by_tiles;
}

/// By tiles, U of more bytes does not stay in the third cache from one group of tiles to the next. Zen 3, two threads,
/// wide and other tiles, ms: 8 MB (v48.3_1) 5.3 and 6.2; 16 MB and 9 MB (v48.3_2) 13.5 and 10.6, (v224.3_2) 64 and 57.
inline constexpr std::int64_t resident_bytes = std::int64_t{12} << 20;

[[nodiscard]] inline bool kernel_stays_in_cache(const Problem& p) {
  return p.points() * p.depth * p.columns * static_cast<std::int64_t>(sizeof(float)) <= resident_bytes;
}

/// Filters of one block. By filters 32, so that U takes less of the second cache: v48.5_x 3.53 ms, 64: 3.65; by tiles
/// 64 and 32 are equal, and 64 reads V half as often.
[[nodiscard]] constexpr std::int64_t block_filters(Order order) { return order == Order::by_tiles ? 64 : 32; }

/// Tiles of a group, at most. By tiles V must stay in the second cache (group_bytes); v48.1_2: 28 tiles 9.04 ms, 56
/// tiles 9.35. By filters V is read from memory, and a larger group reads U less often; v48.4_2: 28 and
/// 56 tiles 10.4 ms; c2.3b: 28 tiles 2.31 ms, 56 tiles 2.19. Groups are whole multiples of the kernel's height: what
/// is left over takes its slower tiles. Lost: U of 128 channels at a time, to keep it in the second cache (21.6
/// instead of 20.5 ms on one thread).
[[nodiscard]] constexpr std::int64_t most_tiles(Order order) { return order == Order::by_tiles ? 28 : 56; }
inline constexpr std::int64_t max_group_tiles = 56;
inline constexpr std::int64_t group_bytes = 600 * 1024;

/// Whether each thread transforms all of the input for itself, if the tasks are blocks of filters: where that costs
/// less than a sixteenth of the products. What one thread writes and another one reads goes from cache to cache, twice,
/// and where two cores do not share their last one that takes longer than the transformation. Two threads, ms, V of
/// each / shared, where they do not share it: rn.4.2 0.70 / 1.10, c2.3b 2.03 / 2.92, v48.4_2 10.0 / 11.9; where they
/// do: 0.70 / 0.70, 2.02 / 1.92, 9.9 / 9.5. Lost: fetching the next point's V while a point is multiplied (1.20 of
/// rn.4.2's 1.10).
[[nodiscard]] constexpr bool own_input(const Problem& p, int threads) {
  return threads > 1 && 16 * cost_of_value * (threads - 1) <= p.columns + cost_of_value;
}

/// Channels of the kernel that are transformed at a time.
inline constexpr std::int64_t kernel_channels = 16;

/// An output of so many bytes passes the caches by on its way to memory.
inline constexpr std::int64_t streamed_bytes = std::int64_t{4} << 20;

/// Whether the output is so large, and lies so, that its stores pass the caches by: written in registers, and read by
/// nobody in the meantime.
template <class T>
[[nodiscard]] bool streams(const Problem& p, const T* result, const Epilogue<T>& epilogue) {
  const std::int64_t bytes = p.pictures * p.out_h * p.out_w * p.columns * static_cast<std::int64_t>(sizeof(T));
  const bool aligned = reinterpret_cast<std::uintptr_t>(result) % 64 == 0;
  return bytes >= streamed_bytes && aligned && p.columns * static_cast<std::int64_t>(sizeof(T)) % 64 == 0 &&
         left_alone_once_stored(epilogue);
}

template <class T>
struct ThreadScratch {
  T* input = nullptr;         ///< V of a group; by tiles; of all groups, by filters, if each thread has its own
  T* kernel = nullptr;        ///< U of a block; by filters
  T* products;                ///< M of a group and a block
  T* taps;                    ///< the kernel's taps, copied together: a panel, kernel_channels channels
  bool* has_input = nullptr;  ///< whether `input` has been filled in this call; by filters
};

template <class T>
struct Plan {
  const MicroKernels<T>* kernels;
  Order order;
  bool own_input;  ///< each thread has a V of its own; by filters
  std::int64_t panels, block_panels, blocks;
  std::int64_t strips;       ///< of as many tiles as the micro-kernel has rows
  std::int64_t groups;       ///< of strips
  std::int64_t group_tiles;  ///< at most
  MatrixLayout input, products;
  std::int64_t kernel_stride;  ///< from one point's matrix of a panel of U to the next's
  T* zeros = nullptr;
  T* shared_input = nullptr;   ///< V of all groups; by filters
  T* shared_kernel = nullptr;  ///< U of all panels; by tiles
  std::size_t shared_bytes = 0, thread_bytes = 0;

  Plan(const Problem& p, std::byte* workspace, int threads)
      : kernels(&active_micro_kernels<T>()),
        order(order_of(p)),
        own_input(order == Order::by_filters && winograd::own_input(p, threads)),
        panels(ceil_div(p.columns, kernels->columns)),
        block_panels(std::min(panels, std::max<std::int64_t>(1, block_filters(order) / kernels->columns))),
        blocks(ceil_div(panels, block_panels)),
        strips(ceil_div(p.tiles(), kernels->rows())),
        groups(ceil_div(strips, strips_of_a_group(p))),
        group_tiles(ceil_div(strips, groups) * kernels->rows()),
        input(group_tiles, p.depth),
        products(group_tiles, block_panels * kernels->columns),
        kernel_stride(p.depth * kernels->columns + 16) {
    Scratch scratch(workspace);
    zeros = scratch.array<T>(max_points * p.depth);
    if (order == Order::by_filters && !own_input)
      shared_input = scratch.array<T>(groups * input.size(p));
    else if (order == Order::by_tiles && !p.kernel_prepared)
      shared_kernel = scratch.array<T>(panels * panel_size(p));
    shared_bytes = scratch.bytes();
    Scratch own;
    static_cast<void>(thread_scratch(p, own));
    thread_bytes = own.bytes();
  }

  /// Of one panel of U: all points.
  [[nodiscard]] std::int64_t panel_size(const Problem& p) const { return p.points() * kernel_stride; }
  [[nodiscard]] std::int64_t group_begin(const Problem& p, std::int64_t group) const {
    return std::min(p.tiles(), part_begin(strips, groups, group) * kernels->rows());
  }
  [[nodiscard]] ThreadScratch<T> thread_scratch(const Problem& p, Scratch& scratch) const {
    ThreadScratch<T> own;
    if (order == Order::by_filters && !p.kernel_prepared) own.kernel = scratch.array<T>(block_panels * panel_size(p));
    if (order == Order::by_tiles) own.input = scratch.array<T>(input.size(p));
    if (own_input) own.input = scratch.array<T>(groups * input.size(p)), own.has_input = scratch.array<bool>(1);
    own.products = scratch.array<T>(products.size(p));
    own.taps = scratch.array<T>(taps * taps * kernel_channels * kernels->columns);
    return own;
  }

 private:
  /// As many as the cache takes; but one, where groups of more would be too few to share out.
  [[nodiscard]] std::int64_t strips_of_a_group(const Problem& p) const {
    const std::int64_t height = kernels->rows();
    if (order == Order::by_filters) return most_tiles(order) / height;
    const std::int64_t strip = height * p.points() * MatrixLayout(1, p.depth).ld * static_cast<std::int64_t>(sizeof(T));
    const std::int64_t fitting = std::clamp(group_bytes / strip, std::int64_t{1}, most_tiles(order) / height);
    return strips / fitting < wanted_tasks ? 1 : fitting;
  }
};

}  // namespace mien::inline v0::kernels::winograd
