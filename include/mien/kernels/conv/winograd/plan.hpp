#pragma once
// How the work is cut, by the problem and the instruction set alone, and where everything lies in the workspace.
//
//   by tiles:    all of U first; then a task is a group of tiles: its V, then block after block of filters M and Y. V
//   and
//                M never leave the second cache. For large pictures.
//   by filters:  all of V first; then a task is a block of filters: its U, then group after group of tiles M and Y. U
//   is
//                never in memory whole. For few tiles and a large kernel.

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include <mien/kernels/conv/winograd/group.hpp>
#include <mien/kernels/gemm/block_sizes.hpp>
#include <mien/kernels/gemm/scratch.hpp>

namespace mien::inline v0::kernels::winograd {

enum class Order { by_tiles, by_filters };

/// Filters of one block.
inline constexpr std::int64_t block_filters = 64;

/// What a group's V may take, in bytes, and the limits of its tiles.
inline constexpr std::int64_t group_bytes = 512 * 1024;
inline constexpr std::int64_t fewest_tiles = 14, most_tiles = 28;

/// Channels of the kernel that are transformed at a time.
inline constexpr std::int64_t kernel_channels = 16;

/// An output of so many bytes passes the caches by on its way to memory.
inline constexpr std::int64_t streamed_bytes = std::int64_t{4} << 20;

/// Whether the output is so large, and lies so, that its stores pass the caches by.
template <class T>
[[nodiscard]] bool streams(const Problem& p, const T* result) {
  const std::int64_t bytes = p.pictures * p.out_h * p.out_w * p.columns * static_cast<std::int64_t>(sizeof(T));
  const bool aligned = reinterpret_cast<std::uintptr_t>(result) % 64 == 0;
  return bytes >= streamed_bytes && aligned && p.columns * static_cast<std::int64_t>(sizeof(T)) % 64 == 0;
}

template <class T>
struct ThreadScratch {
  T* input = nullptr;   ///< V of a group; by tiles
  T* kernel = nullptr;  ///< U of a block; by filters
  T* products;          ///< M of a group and a block
  T* taps;              ///< the kernel's taps for a panel and kernel_channels, where they cannot be read as they lie
};

template <class T>
struct Plan {
  const MicroKernels<T>* kernels;
  std::int64_t panels, block_panels, blocks;
  std::int64_t group_tiles, groups;
  Order order;
  MatrixLayout input, products;
  std::int64_t kernel_stride;  ///< from one point's matrix of a panel of U to the next's
  T* zeros = nullptr;
  T* shared_input = nullptr;   ///< V of all groups; by filters
  T* shared_kernel = nullptr;  ///< U of all panels; by tiles
  std::size_t shared_bytes = 0, thread_bytes = 0;

  Plan(const Problem& p, std::byte* workspace)
      : kernels(&active_micro_kernels<T>()),
        panels(ceil_div(p.columns, kernels->columns)),
        block_panels(std::min(panels, std::max<std::int64_t>(1, block_filters / kernels->columns))),
        blocks(ceil_div(panels, block_panels)),
        group_tiles(tiles_of_a_group(p)),
        groups(ceil_div(p.tiles(), group_tiles)),
        order(p.tiles() < p.columns ? Order::by_filters : Order::by_tiles),
        input(group_tiles, p.depth),
        products(group_tiles, block_panels * kernels->columns),
        kernel_stride(p.depth * kernels->columns + 16) {
    Scratch scratch(workspace);
    zeros = scratch.array<T>(input.ld);
    if (order == Order::by_filters)
      shared_input = scratch.array<T>(groups * input.size(p));
    else
      shared_kernel = scratch.array<T>(panels * panel_size(p));
    shared_bytes = scratch.bytes();
    Scratch own;
    static_cast<void>(thread_scratch(p, own));
    thread_bytes = own.bytes();
  }

  /// Of one panel of U: all points.
  [[nodiscard]] std::int64_t panel_size(const Problem& p) const { return p.points() * kernel_stride; }
  [[nodiscard]] std::int64_t group_begin(const Problem& p, std::int64_t group) const {
    return part_begin(p.tiles(), groups, group);
  }
  [[nodiscard]] ThreadScratch<T> thread_scratch(const Problem& p, Scratch& scratch) const {
    ThreadScratch<T> own;
    if (order == Order::by_filters)
      own.kernel = scratch.array<T>(block_panels * panel_size(p));
    else
      own.input = scratch.array<T>(input.size(p));
    own.products = scratch.array<T>(products.size(p));
    own.taps = scratch.array<T>(taps * taps * kernel_channels * kernels->columns);
    return own;
  }

 private:
  /// As many tiles as the cache takes; groups that four threads can share evenly.
  [[nodiscard]] static std::int64_t tiles_of_a_group(const Problem& p) {
    const std::int64_t bytes = p.points() * MatrixLayout(1, p.depth).ld * static_cast<std::int64_t>(sizeof(T));
    const std::int64_t fitting = std::clamp(group_bytes / bytes, fewest_tiles, most_tiles);
    const std::int64_t groups = ceil_div(ceil_div(p.tiles(), fitting), 4) * 4;
    return std::max<std::int64_t>(1, ceil_div(p.tiles(), groups));
  }
};

}  // namespace mien::inline v0::kernels::winograd
