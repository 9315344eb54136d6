// The three transforms, vectors of channels (or filters) at a time, once per instruction set. Along one axis they are
// the matrices of points.hpp with what the rows of +-a share computed once; a tile takes two steps, down its columns
// and then along its rows, through an array that stays in the first cache.

/// v = B' d.
template <int size, class T>
__attribute__((always_inline)) inline void input_points(const Vec<T>* d, Vec<T>* v) {
  constexpr T root_2 = T(winograd::sqrt_2), root_half = T(winograd::sqrt_half);
  if constexpr (size == winograd::pair) {
    v[0] = d[1];
    v[1] = d[1] + d[2];
    v[2] = d[2];
  } else if constexpr (size == 1) {
    v[0] = d[2] - root_half * d[1];
    v[1] = d[0] - root_2 * d[1];
    v[2] = T(-1.5 * winograd::sqrt_2) * d[1];
  } else if constexpr (size == 2) {
    const Vec<T> a = T(-1.5) * d[2], b = T(1.5 * winograd::sqrt_half) * d[1];
    v[0] = d[3] - T(0.5) * d[1];
    v[1] = d[0] - T(2) * d[2];
    v[2] = a - b;
    v[3] = a + b;
  } else if constexpr (size == 3) {
    const Vec<T> a = d[3] - root_2 * d[2], b = d[2] - root_2 * d[1];
    v[0] = d[4] - root_2 * d[3] - T(0.5) * b;
    v[1] = root_2 * a + (d[0] - root_half * d[1]);
    v[2] = T(1.5 * winograd::sqrt_2) * a + T(1.5) * b;
    v[3] = root_half * a - T(0.5) * b;
    v[4] = T(2 * winograd::sqrt_2) * d[3] - root_2 * d[1];
  } else {
    const Vec<T> even_half = d[4] - T(2) * d[2], odd_half = root_half * d[3] - root_2 * d[1];
    const Vec<T> even_2 = d[4] - T(0.5) * d[2], odd_2 = root_2 * d[3] - root_half * d[1];
    v[0] = d[5] - T(2.5) * d[3] + d[1];
    v[1] = d[4] - T(2.5) * d[2] + d[0];
    v[2] = even_half + odd_half;
    v[3] = even_half - odd_half;
    v[4] = even_2 + odd_2;
    v[5] = even_2 - odd_2;
  }
}

/// u = G g: all points of the largest tile, or the pair's.
template <bool of_pair, class T>
__attribute__((always_inline)) inline void kernel_points(const Vec<T>* g, Vec<T>* u) {
  if constexpr (of_pair) {
    u[0] = g[0] - g[1];
    u[1] = g[1];
    u[2] = g[2] - g[1];
    return;
  }
  u[0] = g[2];
  u[1] = g[0];
  const Vec<T> even = T(-2.0 / 3) * g[0] - T(1.0 / 3) * g[2], odd = T(winograd::sqrt_2 / 3) * g[1];
  u[2] = even - odd;
  u[3] = even + odd;
  const Vec<T> even_2 = T(1.0 / 6) * g[0] + T(1.0 / 3) * g[2], odd_2 = T(winograd::sqrt_2 / 6) * g[1];
  u[4] = even_2 + odd_2;
  u[5] = even_2 - odd_2;
}

/// y = A' m.
template <int size, class T>
__attribute__((always_inline)) inline void output_points(const Vec<T>* m, Vec<T>* y) {
  constexpr T root_2 = T(winograd::sqrt_2), root_half = T(winograd::sqrt_half);
  if constexpr (size == winograd::pair) {
    y[0] = m[1] + m[2];
    y[1] = m[0] + m[1];
  } else if constexpr (size == 1) {
    y[0] = m[0] + m[1] + m[2];
  } else {
    const Vec<T> sum = m[2] + m[3], difference = m[2] - m[3];
    if constexpr (size == 2) {
      y[0] = m[1] + sum;
      y[1] = root_half * difference + m[0];
    } else if constexpr (size == 3) {
      y[0] = m[1] + sum + m[4];
      y[1] = root_half * difference + root_2 * m[4];
      y[2] = T(0.5) * sum + T(2) * m[4] + m[0];
    } else {
      const Vec<T> sum_2 = m[4] + m[5], difference_2 = m[4] - m[5];
      y[0] = m[1] + sum + sum_2;
      y[1] = root_half * difference + root_2 * difference_2;
      y[2] = T(0.5) * sum + T(2) * sum_2;
      y[3] = T(0.5 * winograd::sqrt_half) * difference + T(2 * winograd::sqrt_2) * difference_2 + m[0];
    }
  }
}

template <class T>
using PointVectors = Vec<T>[winograd::max_points][winograd::max_points];

/// A row of a tile's points; `to` is where the row begins, but for the origins.
template <int size, class T>
__attribute__((always_inline)) inline void store_points(const Vec<T>* v, T* to, const winograd::PointPlaces& places,
                                                        bool last) {
  constexpr int end = winograd::points_of(size) - 1;
  T* const first = to + places.origins[last][0];
#pragma GCC unroll 6
  for (int j = 0; j < end; ++j) store(first + j * places.across, v[j]);
  store(to + places.origins[last][1] + end * places.across, v[end]);
}

template <int size, class T>
__attribute__((always_inline)) inline void input_down(const winograd::TileCells<T>& cells,
                                                      const winograd::TileCells<T>& next, std::int64_t c, int columns,
                                                      PointVectors<T>& t) {
  constexpr int cells_down = winograd::cells_of(size), points = winograd::points_of(size);
  for (int j = 0; j < columns; ++j, c += cells.step) {
    Vec<T> d[cells_down] = {}, v[points];
#pragma GCC unroll 6
    for (int i = 0; i < cells_down; ++i) __builtin_prefetch(next.rows[i] + c);
    if (j >= cells.begin && j < cells.end) {
#pragma GCC unroll 6
      for (int i = 0; i < cells_down; ++i) d[i] = load(cells.rows[i] + c);
    }
    input_points<size, T>(d, v);
#pragma GCC unroll 6
    for (int i = 0; i < points; ++i) t[i][j] = v[i];
  }
}

template <int size, class T>
__attribute__((always_inline)) inline void input_along(const PointVectors<T>& t, int rows, T* to,
                                                       const winograd::PointPlaces& places) {
  for (int i = 0; i < rows; ++i, to += places.down) {
    Vec<T> v[winograd::points_of(size)];
    input_points<size, T>(t[i], v);
    store_points<size, T>(v, to, places, i + 1 == rows);
  }
}

/// One vector of channels of a tile, from channel c of its cells on. Those of `next` are fetched: a whole tile ahead
/// (lost: 4 vectors ahead, from the same cells; v48.2_2 1.57 and 1.78 ms).
template <class T>
__attribute__((always_inline)) inline void transform_input_vector(const winograd::InputTile<T>& tile,
                                                                  const winograd::TileCells<T>& cells,
                                                                  const winograd::TileCells<T>& next, std::int64_t c,
                                                                  T* to) {
  PointVectors<T> t;
  const int rows = winograd::points_of(tile.rows), columns = winograd::cells_of(tile.columns);
  switch (tile.rows) {
    case 4:
      input_down<4>(cells, next, c, columns, t);
      break;
    case 3:
      input_down<3>(cells, next, c, columns, t);
      break;
    case 2:
      input_down<2>(cells, next, c, columns, t);
      break;
    case 1:
      input_down<1>(cells, next, c, columns, t);
      break;
    default:
      input_down<winograd::pair>(cells, next, c, columns, t);
  }
  switch (tile.columns) {
    case 4:
      return input_along<4>(t, rows, to, tile.places);
    case 3:
      return input_along<3>(t, rows, to, tile.places);
    case 2:
      return input_along<2>(t, rows, to, tile.places);
    case 1:
      return input_along<1>(t, rows, to, tile.places);
    default:
      input_along<winograd::pair>(t, rows, to, tile.places);
  }
}

/// V = B' d B for all channels. The last vector's lanes beyond the channels become 0.
template <class T>
void transform_input(const winograd::InputTile<T>& tile) {
  std::int64_t c = 0;
  for (; c + lanes<T> <= tile.channels; c += lanes<T>)
    transform_input_vector(tile, tile.cells, tile.next, c, tile.to + c);
  if (c == tile.channels) return;
  T last[winograd::max_points][winograd::max_points][lanes<T>] = {};
  winograd::TileCells<T> cells{{}, lanes<T>, 0, winograd::cells_of(tile.columns)};
  for (int i = 0; i < winograd::cells_of(tile.rows); ++i) {
    cells.rows[i] = last[i][0];
    for (int j = tile.cells.begin; j < tile.cells.end; ++j)
      for (std::int64_t k = c; k < tile.channels; ++k) last[i][j][k - c] = tile.cells.rows[i][j * tile.cells.step + k];
  }
  transform_input_vector(tile, cells, cells, 0, tile.to + c);
}

template <int size, class T>
__attribute__((always_inline)) inline void kernel_along(const Vec<T>* t, T* to, std::int64_t stride) {
  constexpr int points = winograd::points_of(size);
  Vec<T> u[winograd::max_points];
  kernel_points<size == winograd::pair, T>(t, u);
#pragma GCC unroll 6
  for (int j = 0; j < points; ++j) store(to + j * stride, u[j]);
}

/// A row of points, from G g of the three columns of taps, down[s][i].
template <int i, class T>
__attribute__((always_inline)) inline void kernel_row(const winograd::KernelBlock<T>& block,
                                                      const Vec<T> (&down)[3][winograd::max_points], T* to) {
  if (i >= winograd::points_of(block.rows)) return;
  const Vec<T> t[3] = {down[0][i], down[1][i], down[2][i]};
  to += i * winograd::points_of(block.columns) * block.stride;
  switch (block.columns) {
    case 4:
      return kernel_along<4, T>(t, to, block.stride);
    case 3:
      return kernel_along<3, T>(t, to, block.stride);
    case 2:
      return kernel_along<2, T>(t, to, block.stride);
    case 1:
      return kernel_along<1, T>(t, to, block.stride);
    default:
      kernel_along<winograd::pair, T>(t, to, block.stride);
  }
}

/// U = G g G' for a panel of two vectors of filters. From the taps to the points everything stays in registers: v48.5_x
/// 6.1 ms through an array, 5.5 without.
template <bool of_pair, class T>
__attribute__((always_inline)) inline void transform_kernel_down(const winograd::KernelBlock<T>& block) {
  for (std::int64_t from = 0; from < 2 * lanes<T> * block.channels; from += lanes<T>) {
    Vec<T> down[3][winograd::max_points];
#pragma GCC unroll 3
    for (int s = 0; s < 3; ++s) {
      const T* const g = block.taps + s * block.tap + from;
      const Vec<T> column[3] = {load(g), load(g + 3 * block.tap), load(g + 6 * block.tap)};
      kernel_points<of_pair, T>(column, down[s]);
    }
    T* const to = block.to + from;
    kernel_row<0>(block, down, to);
    kernel_row<1>(block, down, to);
    kernel_row<2>(block, down, to);
    if constexpr (!of_pair) {
      kernel_row<3>(block, down, to);
      kernel_row<4>(block, down, to);
      kernel_row<5>(block, down, to);
    }
  }
}

template <class T>
void transform_kernel(const winograd::KernelBlock<T>& block) {
  if (block.rows == winograd::pair) return transform_kernel_down<true>(block);
  transform_kernel_down<false>(block);
}

template <int size, class T>
__attribute__((always_inline)) inline void output_down(const winograd::OutputTile<T>& tile, std::int64_t k,
                                                       PointVectors<T>& t) {
  const T* from = tile.from + k;
  const winograd::PointPlaces& places = tile.places;
  constexpr int end = winograd::points_of(size) - 1, outputs = winograd::outputs_of(size);
  const int columns = winograd::points_of(tile.columns);
  for (int j = 0; j < columns; ++j, from += places.across) {
    const bool last = j + 1 == columns;
    Vec<T> m[end + 1], y[outputs];
#pragma GCC unroll 6
    for (int i = 0; i < end; ++i) m[i] = load(from + places.origins[0][last] + i * places.down);
    m[end] = load(from + places.origins[1][last] + end * places.down);
    output_points<size, T>(m, y);
#pragma GCC unroll 4
    for (int i = 0; i < outputs; ++i) t[i][j] = y[i];
  }
}

template <class T>
__attribute__((always_inline)) inline Vec<T> finish_output(const winograd::OutputTile<T>& tile, Vec<T> y) {
  const Vec<T> zero{};
  if (tile.activation == InRegisters::relu) return max<T>(zero, y);  // this order keeps a NaN
  if (tile.activation == InRegisters::leaky_relu) return y > zero ? y : tile.slope * y;
  return y;
}

template <int size, class T>
__attribute__((always_inline)) inline void output_along(const winograd::OutputTile<T>& tile, const PointVectors<T>& t,
                                                        Vec<T> bias, T* to, std::int64_t row, std::int64_t column) {
  constexpr int outputs = winograd::outputs_of(size);
  const int rows = winograd::outputs_of(tile.rows);
  for (int i = 0; i < rows; ++i, to += row) {
    Vec<T> y[outputs];
    output_points<size, T>(t[i], y);
#pragma GCC unroll 4
    for (int j = 0; j < outputs; ++j) {
      const Vec<T> value = finish_output(tile, y[j] + bias);
      if (tile.stream)
        store_past_caches(to + j * column, value);
      else
        store(to + j * column, value);
    }
  }
}

/// One vector of filters, beginning with filter k of the block: output (i, j) goes to to[i * row + j * column].
template <class T>
__attribute__((always_inline)) inline void transform_output_vector(const winograd::OutputTile<T>& tile, std::int64_t k,
                                                                   Vec<T> bias, T* to, std::int64_t row,
                                                                   std::int64_t column) {
  PointVectors<T> t;
  switch (tile.rows) {
    case 4:
      output_down<4>(tile, k, t);
      break;
    case 3:
      output_down<3>(tile, k, t);
      break;
    case 2:
      output_down<2>(tile, k, t);
      break;
    case 1:
      output_down<1>(tile, k, t);
      break;
    default:
      output_down<winograd::pair>(tile, k, t);
  }
  switch (tile.columns) {
    case 4:
      return output_along<4>(tile, t, bias, to, row, column);
    case 3:
      return output_along<3>(tile, t, bias, to, row, column);
    case 2:
      return output_along<2>(tile, t, bias, to, row, column);
    case 1:
      return output_along<1>(tile, t, bias, to, row, column);
    default:
      output_along<winograd::pair>(tile, t, bias, to, row, column);
  }
}

/// Y = activation(A' M A + bias) for the block's filters.
template <class T>
void transform_output(const winograd::OutputTile<T>& tile) {
  std::int64_t k = 0;
  for (; k + lanes<T> <= tile.filters; k += lanes<T>) {
    const Vec<T> bias = tile.bias != nullptr ? load(tile.bias + k) : Vec<T>{};
    transform_output_vector(tile, k, bias, tile.to + k, tile.row, tile.column);
  }
  if (k == tile.filters) return;
  T bias[lanes<T>] = {}, last[winograd::max_outputs][winograd::max_outputs][lanes<T>];
  if (tile.bias != nullptr)
    for (std::int64_t j = k; j < tile.filters; ++j) bias[j - k] = tile.bias[j];
  transform_output_vector(tile, k, load(bias), &last[0][0][0], winograd::max_outputs * lanes<T>, lanes<T>);
  for (int i = 0; i < winograd::outputs_of(tile.rows); ++i)
    for (int j = 0; j < winograd::outputs_of(tile.columns); ++j)
      for (std::int64_t f = k; f < tile.filters; ++f) tile.to[i * tile.row + j * tile.column + f] = last[i][j][f - k];
}

template <class T>
inline constexpr winograd::Transforms<T> winograd_transforms{&transform_input<T>, &transform_kernel<T>,
                                                             &transform_output<T>};
