// The three transforms, vectors of channels (or filters) at a time, once per instruction set. A tile takes two steps
// (one_axis.inl), down its columns and then along its rows, through an array that stays in the first cache.

template <class T>
using PointVectors = Vec<T>[winograd::max_points][winograd::max_points];

/// A row of a tile's points; `to` is where the row begins, but for the origins.
template <int size, class T>
__attribute__((always_inline)) inline void store_points(const Vec<T>* v, T* to, const winograd::PointPlaces& places,
                                                        bool last) {
  constexpr int end = winograd::points_of(size) - 1;
  T* const first = to + places.origins[last][0];
#pragma GCC unroll 8
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
#pragma GCC unroll 8
    for (int i = 0; i < cells_down; ++i) __builtin_prefetch(next.rows[i] + c);
    if (j >= cells.begin && j < cells.end) {
#pragma GCC unroll 8
      for (int i = 0; i < cells_down; ++i) d[i] = load(cells.rows[i] + c);
    }
    input_points<size, T>(d, v);
#pragma GCC unroll 8
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
  MIEN_BY_TILE_SIZE(tile.rows, input_down, cells, next, c, columns, t);
  MIEN_BY_TILE_SIZE(tile.columns, input_along, t, rows, to, tile.places);
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
  kernel_points<size, T>(t, u);
#pragma GCC unroll 8
  for (int j = 0; j < points; ++j) store(to + j * stride, u[j]);
}

/// A row of points, from G g of the three columns of taps, down[s][i].
template <int i, class T>
__attribute__((always_inline)) inline void kernel_row(const winograd::KernelBlock<T>& block,
                                                      const Vec<T> (&down)[3][winograd::max_points], T* to) {
  if (i >= winograd::points_of(block.rows)) return;
  const Vec<T> t[3] = {down[0][i], down[1][i], down[2][i]};
  to += i * winograd::points_of(block.columns) * block.stride;
  MIEN_BY_TILE_SIZE(block.columns, kernel_along, t, to, block.stride);
}

/// U = G g G' for a panel of two vectors of filters. From the taps to the points everything stays in registers: v48.5_x
/// 6.1 ms through an array, 5.5 without.
template <int size, class T>
__attribute__((always_inline)) inline void transform_kernel_down(const winograd::KernelBlock<T>& block) {
  for (std::int64_t from = 0; from < 2 * lanes<T> * block.channels; from += lanes<T>) {
    Vec<T> down[3][winograd::max_points];
#pragma GCC unroll 3
    for (int s = 0; s < 3; ++s) {
      const T* const g = block.taps + s * block.tap + from;
      const Vec<T> column[3] = {load(g), load(g + 3 * block.tap), load(g + 6 * block.tap)};
      kernel_points<size, T>(column, down[s]);
    }
    T* const to = block.to + from;
    kernel_row<0>(block, down, to);
    kernel_row<1>(block, down, to);
    kernel_row<2>(block, down, to);
    if constexpr (size != winograd::pair) {
      kernel_row<3>(block, down, to);
      kernel_row<4>(block, down, to);
      kernel_row<5>(block, down, to);
    }
    if constexpr (size > winograd::wide) {
      kernel_row<6>(block, down, to);
      kernel_row<7>(block, down, to);
    }
  }
}

template <class T>
void transform_kernel(const winograd::KernelBlock<T>& block) {
  if (block.rows == winograd::pair) return transform_kernel_down<winograd::pair>(block);
  if (block.rows > winograd::wide) return transform_kernel_down<winograd::wide + 6>(block);
  transform_kernel_down<4>(block);
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
#pragma GCC unroll 8
    for (int i = 0; i < end; ++i) m[i] = load(from + places.origins[0][last] + i * places.down);
    m[end] = load(from + places.origins[1][last] + end * places.down);
    output_points<size, T>(m, y);
#pragma GCC unroll 8
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
#pragma GCC unroll 8
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
  MIEN_BY_TILE_SIZE(tile.rows, output_down, tile, k, t);
  MIEN_BY_TILE_SIZE(tile.columns, output_along, tile, t, bias, to, row, column);
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
