#pragma once

#include <algorithm>
#include <cstddef>
#include <numeric>
#include <vector>

#include <mien/core/memory.hpp>

namespace mien::inline v0 {

/// Puts blocks of memory that do not live at the same time into one arena. Time is counted in steps of the plan.
class MemoryPlan {
 public:
  static constexpr int none = -1;

  /// A block of that many bytes, alive from `first` to `last`, both included. Returns its number; none for 0 bytes.
  int add(std::size_t bytes, int first, int last) {
    if (bytes == 0) return none;
    blocks_.push_back({round_to_cache_line(bytes), first, last, 0});
    return static_cast<int>(blocks_.size()) - 1;
  }

  /// Lets a block live until `last` at least.
  void extend(int block, int last) {
    if (block != none)
      blocks_[static_cast<std::size_t>(block)].last = std::max(blocks_[static_cast<std::size_t>(block)].last, last);
  }

  /// Gives every block its place: the largest first, each at the lowest place that is free for the whole of its life.
  /// (A template, so that it costs nothing to compile before a model is built.)
  template <class = void>
  void place() {
    std::vector<std::size_t> order(blocks_.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::stable_sort(order.begin(), order.end(), [&](auto a, auto b) { return blocks_[a].bytes > blocks_[b].bytes; });
    std::vector<const Block*> placed;  // by offset
    for (const std::size_t index : order) {
      Block& block = blocks_[index];
      block.offset = lowest_gap(block, placed);
      placed.insert(std::upper_bound(placed.begin(), placed.end(), &block,
                                     [](auto* a, auto* b) { return a->offset < b->offset; }),
                    &block);
      bytes_ = std::max(bytes_, block.offset + block.bytes);
    }
  }

  /// The size of the arena, and a block's place in it, after place().
  [[nodiscard]] std::size_t bytes() const { return bytes_; }
  [[nodiscard]] std::size_t offset(int block) const { return blocks_[static_cast<std::size_t>(block)].offset; }

 private:
  struct Block {
    std::size_t bytes;
    int first, last;
    std::size_t offset;
  };

  [[nodiscard]] static std::size_t lowest_gap(const Block& block, const std::vector<const Block*>& placed) {
    std::size_t at = 0;
    for (const Block* other : placed) {
      if (other->last < block.first || block.last < other->first) continue;
      if (at + block.bytes <= other->offset) break;
      at = std::max(at, other->offset + other->bytes);
    }
    return at;
  }

  std::vector<Block> blocks_;
  std::size_t bytes_ = 0;
};

}  // namespace mien::inline v0
