// The two transforms that only the gradient of the kernel has, once per instruction set: the gradient of a tile of
// outputs is spread over its points, Z = A dY A', and the gradients at the points are gathered into the taps,
// dw = G' dU G. Both take two steps, as transform.inl's do.

template <int size, class T>
__attribute__((always_inline)) inline void spread_down(const winograd::GradientTile<T>& tile, const T* from,
                                                       std::int64_t row, std::int64_t column, PointVectors<T>& t) {
  constexpr int outputs = winograd::outputs_of(size), points = winograd::points_of(size);
  const int columns = winograd::outputs_of(tile.columns);
  for (int j = 0; j < columns; ++j, from += column) {
    Vec<T> y[outputs], z[points];
#pragma GCC unroll 8
    for (int i = 0; i < outputs; ++i) {
      y[i] = load(from + i * row);
      __builtin_prefetch(from + i * row + tile.ahead);
    }
    spread_outputs<size, T>(y, z);
#pragma GCC unroll 8
    for (int i = 0; i < points; ++i) t[i][j] = z[i];
  }
}

template <int size, class T>
__attribute__((always_inline)) inline void spread_along(const PointVectors<T>& t, int rows, T* to,
                                                        const winograd::PointPlaces& places) {
  for (int i = 0; i < rows; ++i, to += places.down) {
    Vec<T> z[winograd::points_of(size)];
    spread_outputs<size, T>(t[i], z);
    store_points<size, T>(z, to, places, i + 1 == rows);
  }
}

/// One vector of filters of a tile, whose pixels lie row and column apart from `from` on.
template <class T>
__attribute__((always_inline)) inline void spread_vector(const winograd::GradientTile<T>& tile, const T* from,
                                                         std::int64_t row, std::int64_t column, T* to) {
  PointVectors<T> t;
  const int rows = winograd::points_of(tile.rows);
  MIEN_BY_TILE_SIZE(tile.rows, spread_down, tile, from, row, column, t);
  MIEN_BY_TILE_SIZE(tile.columns, spread_along, t, rows, to, tile.places);
}

/// Z = A dY A' for all filters. The last vector's lanes beyond the filters become 0.
template <class T>
void spread_gradient(const winograd::GradientTile<T>& tile) {
  std::int64_t k = 0;
  for (; k + lanes<T> <= tile.filters; k += lanes<T>)
    spread_vector(tile, tile.from + k, tile.row, tile.column, tile.to + k);
  if (k == tile.filters) return;
  T last[winograd::max_outputs][winograd::max_outputs][lanes<T>] = {};
  for (int i = 0; i < winograd::outputs_of(tile.rows); ++i)
    for (int j = 0; j < winograd::outputs_of(tile.columns); ++j)
      for (std::int64_t f = k; f < tile.filters; ++f) last[i][j][f - k] = tile.from[i * tile.row + j * tile.column + f];
  spread_vector(tile, &last[0][0][0], winograd::max_outputs * lanes<T>, lanes<T>, tile.to + k);
}

template <int size, class T>
__attribute__((always_inline)) inline void gather_down(const winograd::PointSums<T>& sums, std::int64_t k,
                                                       PointVectors<T>& t) {
  constexpr int points = winograd::points_of(size);
  const int row = winograd::points_of(sums.columns);
  for (int j = 0; j < row; ++j) {
    Vec<T> u[points], w[3];
#pragma GCC unroll 8
    for (int i = 0; i < points; ++i) u[i] = load(sums.from + (i * row + j) * sums.point + k);
    for (std::int64_t piece = 1; piece < sums.pieces; ++piece) {
      const T* const from = sums.from + piece * sums.piece + k;
#pragma GCC unroll 8
      for (int i = 0; i < points; ++i) u[i] += load(from + (i * row + j) * sums.point);
    }
    gather_points<size, T>(u, w);
#pragma GCC unroll 3
    for (int i = 0; i < 3; ++i) t[i][j] = w[i];
  }
}

template <int size, class T>
__attribute__((always_inline)) inline void gather_along(const PointVectors<T>& t, T* to, std::int64_t tap,
                                                        std::int64_t ahead) {
  for (int i = 0; i < 3; ++i) {
    Vec<T> w[3];
    gather_points<size, T>(t[i], w);
#pragma GCC unroll 3
    for (int j = 0; j < 3; ++j, to += tap) {
      store(to, w[j]);
      __builtin_prefetch(to + ahead, 1);
    }
  }
}

/// One vector of filters, beginning with filter k of the block: tap (r, s) goes to to[(r * 3 + s) * tap].
template <class T>
__attribute__((always_inline)) inline void gather_vector(const winograd::PointSums<T>& sums, std::int64_t k, T* to,
                                                         std::int64_t tap) {
  PointVectors<T> t;
  MIEN_BY_TILE_SIZE(sums.rows, gather_down, sums, k, t);
  MIEN_BY_TILE_SIZE(sums.columns, gather_along, t, to, tap, sums.ahead);
}

/// dw = G' dU G for one channel and the block's filters.
template <class T>
void gather_taps(const winograd::PointSums<T>& sums) {
  std::int64_t k = 0;
  for (; k + lanes<T> <= sums.filters; k += lanes<T>) gather_vector(sums, k, sums.to + k, sums.tap);
  if (k == sums.filters) return;
  T last[winograd::taps * winograd::taps][lanes<T>];
  gather_vector(sums, k, &last[0][0], lanes<T>);
  for (int tap = 0; tap < winograd::taps * winograd::taps; ++tap)
    for (std::int64_t f = k; f < sums.filters; ++f) sums.to[tap * sums.tap + f] = last[tap][f - k];
}

template <class T>
inline constexpr winograd::GradientTransforms<T> winograd_gradient_transforms{&spread_gradient<T>, &gather_taps<T>};
