#pragma once
// How an axis of outputs is cut into tiles. A tile of m outputs costs m + 2 points, so that the fewest tiles are the
// cheapest cut: ceil(outputs / 4), ceil(outputs / 6) of wide ones. They are made as equal as can be, the larger ones
// first: sizes m and m - 1, nothing computed that is not wanted.
//
//   14 = 4 + 4 + 3 + 3: 22 points; four tiles of 4, cut off, would take 24.       7 = 4 + 3: 11 instead of 12.
//
// In two dimensions this is 484 products for 14 x 14 instead of 576, and 121 for 7 x 7 instead of 144. An axis of two
// pixels between zeros is one tile of 3 points. Wide, 14 = 5 + 5 + 4 takes 20 points, 46 = 6 times 6 + 2 times 5 takes
// 62 instead of 70.

#include <cstdint>

#include <mien/kernels/conv/winograd/points.hpp>

namespace mien::inline v0::kernels::winograd {

/// The tiles of one axis: `larger` of them with `size` outputs, then the others with size - 1; or one of size `pair`.
struct AxisTiles {
  std::int64_t count = 0, larger = 0;
  int size = 0;

  AxisTiles() = default;
  constexpr AxisTiles(std::int64_t outputs, std::int64_t inputs, std::int64_t padding, bool may_be_wide)
      : AxisTiles(outputs, may_be_wide) {
    if (outputs == 2 && inputs == 2 && padding == 1) count = 1, larger = 1, size = pair;
  }
  /// If tiles may be wide and the cut has one of 5 or 6 outputs, all of them are.
  constexpr explicit AxisTiles(std::int64_t outputs, bool may_be_wide = false) {
    if (may_be_wide) cut(outputs, 6);
    if (size > 4)
      size += wide;
    else
      cut(outputs, 4);
  }
  [[nodiscard]] constexpr bool is_larger(std::int64_t tile) const { return tile < larger; }
  [[nodiscard]] constexpr int size_of(std::int64_t tile) const { return is_larger(tile) ? size : size - 1; }
  /// The tile's first output; tile `count` begins where the axis ends.
  [[nodiscard]] constexpr std::int64_t first(std::int64_t tile) const {
    return tile * (outputs_of(size) - 1) + (tile < larger ? tile : larger);
  }
  /// The points that the larger tiles use; the others use one fewer.
  [[nodiscard]] constexpr int points() const { return points_of(size); }
  /// Of all tiles together.
  [[nodiscard]] constexpr std::int64_t total_points() const {
    return size == pair ? count * points() : first(count) + (taps - 1) * count;
  }

 private:
  constexpr void cut(std::int64_t outputs, std::int64_t most) {
    count = (outputs + most - 1) / most;
    size = count == 0 ? 0 : static_cast<int>((outputs + count - 1) / count);
    larger = outputs - count * (size - 1);
  }
};

static_assert(AxisTiles(14).count == 4 && AxisTiles(14).larger == 2 && AxisTiles(14).total_points() == 22);
static_assert(AxisTiles(6).size == 3 && AxisTiles(6).larger == 2 && AxisTiles(5).first(1) == 3);
static_assert(AxisTiles(2, 2, 1, true).total_points() == 3 && AxisTiles(2, 2, 1, false).first(1) == 2);
static_assert(AxisTiles(0).total_points() == 0 && AxisTiles(2, 4, 0, true).total_points() == 4);
static_assert(AxisTiles(1).size == 1 && AxisTiles(1).total_points() == 3 && AxisTiles(48).total_points() == 72);
static_assert(AxisTiles(48, true).size == wide + 6 && AxisTiles(48, true).total_points() == 64);
static_assert(AxisTiles(14, true).size == wide + 5 && AxisTiles(14, true).first(2) == 10);
static_assert(AxisTiles(7, true).size == 4 && AxisTiles(7, true).larger == 1 && AxisTiles(8, true).size == 4);

}  // namespace mien::inline v0::kernels::winograd
