// The two transforms that only the gradient of the kernel has, once per instruction set: the gradient of a tile of
// outputs is spread over its points, Z = A dY A', and the gradients at the points are gathered into the taps,
// dw = G' dU G. Both take two steps, as transform.inl's do.

/// z = A y: the values at the points of the polynomial whose coefficients are y.
template <int size, class T>
__attribute__((always_inline)) inline void spread_outputs(const Vec<T>* y, Vec<T>* z) {
  constexpr T root_2 = T(winograd::sqrt_2), root_half = T(winograd::sqrt_half);
  if constexpr (size == winograd::pair) {
    z[0] = y[1];
    z[1] = y[0] + y[1];
    z[2] = y[0];
    return;
  }
  z[0] = y[winograd::outputs_of(size) - 1];
  z[1] = y[0];
  if constexpr (size == 1) {
    z[2] = y[0];
  } else if constexpr (size == 2) {
    z[2] = y[0] + root_half * y[1];
    z[3] = y[0] - root_half * y[1];
  } else if constexpr (size == 3) {
    const Vec<T> even = y[0] + T(0.5) * y[2];
    z[2] = even + root_half * y[1];
    z[3] = even - root_half * y[1];
    z[4] = y[0] + T(2) * y[2] + root_2 * y[1];
  } else {
    const Vec<T> even = y[0] + T(0.5) * y[2], odd = y[1] + T(0.5) * y[3];
    const Vec<T> even_2 = y[0] + T(2) * y[2], odd_2 = y[1] + T(2) * y[3];
    z[2] = even + root_half * odd;
    z[3] = even - root_half * odd;
    z[4] = even_2 + root_2 * odd_2;
    z[5] = even_2 - root_2 * odd_2;
  }
}

/// w = G' u.
template <int size, class T>
__attribute__((always_inline)) inline void gather_points(const Vec<T>* u, Vec<T>* w) {
  constexpr int points = winograd::points_of(size);
  if constexpr (size == winograd::pair) {
    w[0] = u[0];
    w[1] = u[1] - u[0] - u[2];
    w[2] = u[2];
    return;
  }
  Vec<T> sum = u[2], difference = u[2];
  if constexpr (points > 3) sum += u[3], difference -= u[3];
  w[0] = u[1] - T(2.0 / 3) * sum;
  w[1] = T(-winograd::sqrt_2 / 3) * difference;
  w[2] = u[0] - T(1.0 / 3) * sum;
  if constexpr (points > 4) {
    Vec<T> sum_2 = u[4], difference_2 = u[4];
    if constexpr (points > 5) sum_2 += u[5], difference_2 -= u[5];
    w[0] += T(1.0 / 6) * sum_2;
    w[1] += T(winograd::sqrt_2 / 6) * difference_2;
    w[2] += T(1.0 / 3) * sum_2;
  }
}

template <int size, class T>
__attribute__((always_inline)) inline void spread_down(const winograd::GradientTile<T>& tile, const T* from,
                                                       std::int64_t row, std::int64_t column, PointVectors<T>& t) {
  constexpr int outputs = winograd::outputs_of(size), points = winograd::points_of(size);
  const int columns = winograd::outputs_of(tile.columns);
  for (int j = 0; j < columns; ++j, from += column) {
    Vec<T> y[outputs], z[points];
#pragma GCC unroll 4
    for (int i = 0; i < outputs; ++i) {
      y[i] = load(from + i * row);
      __builtin_prefetch(from + i * row + tile.ahead);
    }
    spread_outputs<size, T>(y, z);
#pragma GCC unroll 6
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
  switch (tile.rows) {
    case 4:
      spread_down<4>(tile, from, row, column, t);
      break;
    case 3:
      spread_down<3>(tile, from, row, column, t);
      break;
    case 2:
      spread_down<2>(tile, from, row, column, t);
      break;
    case 1:
      spread_down<1>(tile, from, row, column, t);
      break;
    default:
      spread_down<winograd::pair>(tile, from, row, column, t);
  }
  switch (tile.columns) {
    case 4:
      return spread_along<4>(t, rows, to, tile.places);
    case 3:
      return spread_along<3>(t, rows, to, tile.places);
    case 2:
      return spread_along<2>(t, rows, to, tile.places);
    case 1:
      return spread_along<1>(t, rows, to, tile.places);
    default:
      spread_along<winograd::pair>(t, rows, to, tile.places);
  }
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
#pragma GCC unroll 6
    for (int i = 0; i < points; ++i) u[i] = load(sums.from + (i * row + j) * sums.point + k);
    for (std::int64_t piece = 1; piece < sums.pieces; ++piece) {
      const T* const from = sums.from + piece * sums.piece + k;
#pragma GCC unroll 6
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
  switch (sums.rows) {
    case 4:
      gather_down<4>(sums, k, t);
      break;
    case 3:
      gather_down<3>(sums, k, t);
      break;
    case 2:
      gather_down<2>(sums, k, t);
      break;
    case 1:
      gather_down<1>(sums, k, t);
      break;
    default:
      gather_down<winograd::pair>(sums, k, t);
  }
  switch (sums.columns) {
    case 4:
      return gather_along<4>(t, to, tap, sums.ahead);
    case 3:
      return gather_along<3>(t, to, tap, sums.ahead);
    case 2:
      return gather_along<2>(t, to, tap, sums.ahead);
    case 1:
      return gather_along<1>(t, to, tap, sums.ahead);
    default:
      gather_along<winograd::pair>(t, to, tap, sums.ahead);
  }
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
