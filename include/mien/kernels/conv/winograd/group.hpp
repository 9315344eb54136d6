#pragma once
// Tiles are worked on in groups, small enough for a group's transformed input V and its products M to stay in the
// second cache. For each point, V is a matrix (tiles x channels) and M = V U one (tiles x filters). Tiles of several
// sizes stand in one group: all of them have the points of the smallest tile; the last point of an axis belongs to its
// larger tiles only. So there are four kinds of points, and each kind's matrices have a row for each tile that has it.

#include <algorithm>
#include <cstdint>

#include <mien/kernels/conv/winograd/problem.hpp>
#include <mien/kernels/conv/winograd/transform.hpp>

namespace mien::inline v0::kernels::winograd {

/// Of a point: whether it is the last of its row of points, of its column, of both or none.
inline constexpr int point_kinds = 4;

/// The last point down counts 1, the last point across 2.
[[nodiscard]] constexpr int kind_of(const Problem& p, int i, int j) {
  return (i == p.down.points() - 1 ? 1 : 0) + (j == p.across.points() - 1 ? 2 : 0);
}

/// For each kind, how many tiles have such points; for one tile, its row in the matrices of such points.
struct KindCounts {
  std::int64_t of[point_kinds] = {};
};

/// One tile: where it is and how large.
struct Tile {
  std::int64_t picture, row, column;  ///< of its first output
  int rows, columns;                  ///< its sizes
  bool larger_down, larger_across;

  Tile(const Problem& p, std::int64_t index) {
    const std::int64_t j = index % p.across.count, i = index / p.across.count % p.down.count;
    picture = index / (p.across.count * p.down.count);
    row = p.down.first(i), column = p.across.first(j);
    rows = p.down.size_of(i), columns = p.across.size_of(j);
    larger_down = p.down.is_larger(i), larger_across = p.across.is_larger(j);
  }
  void count(KindCounts& counts) const {
    ++counts.of[0];
    counts.of[1] += larger_down ? 1 : 0;
    counts.of[2] += larger_across ? 1 : 0;
    counts.of[3] += larger_down && larger_across ? 1 : 0;
  }
};

/// The matrices of a group, one for each point: point q = i * (points across) + j begins at q * stride, its rows lie ld
/// apart.
struct MatrixLayout {
  std::int64_t ld, stride;

  /// 16 more values a matrix, and rows of an odd number of 64-byte lines: what lies a multiple of 4096 bytes apart
  /// would compete for one set of the first cache.
  MatrixLayout(std::int64_t rows, std::int64_t columns) {
    const std::int64_t lines = (columns + 15) / 16;
    ld = 16 * (lines > 4 && lines % 2 == 0 ? lines + 1 : lines);
    stride = rows * ld + 16;
  }
  [[nodiscard]] std::int64_t size(const Problem& p) const { return p.points() * stride; }
};

/// Where the points of a tile are whose rows in the four kinds of matrices are given.
[[nodiscard]] inline PointPlaces find_places(const Problem& p, const MatrixLayout& layout, const Tile& tile,
                                             const KindCounts& rows) {
  PointPlaces places{{}, p.across.points() * layout.stride, layout.stride};
  for (int i = 0; i < 2; ++i)
    for (int j = 0; j < 2; ++j)
      places.origins[i][j] = rows.of[(tile.larger_down ? i : 0) + (tile.larger_across ? 2 * j : 0)] * layout.ld;
  return places;
}

/// The pixels below a tile's points; `zeros` are as many as max_points pixels have.
template <class T>
void find_cells(const Problem& p, const Tile& tile, const T* source, const T* zeros, TileCells<T>& cells) {
  const std::int64_t left = tile.column - p.pad_left;
  cells.step = p.depth;
  cells.begin = static_cast<int>(std::max<std::int64_t>(0, -left));
  cells.end = static_cast<int>(std::min<std::int64_t>(cells_of(tile.columns), p.in_w - left));
  for (int i = 0; i < max_points; ++i) {
    const std::int64_t row = tile.row - p.pad_top + i;
    const bool inside = i < cells_of(tile.rows) && row >= 0 && row < p.in_h;
    cells.rows[i] = inside ? source + ((tile.picture * p.in_h + row) * p.in_w + left) * p.depth : zeros;
  }
}

}  // namespace mien::inline v0::kernels::winograd
