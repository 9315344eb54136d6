// See pool.hpp: one row of output pixels (forward) or one picture (backward). The functions named ..._at
// do the channels of one register, Value = Vec<T>, or one of the last channels, Value = T.

/// The integers that a comparison of vectors yields, one a lane; a plain integer beside a plain T.
template <class T, class Value>
struct PoolIndexOf {
  typedef decltype(Vec<T>{} > Vec<T>{}) type;
};
template <class T>
struct PoolIndexOf<T, T> {
  typedef std::int32_t type;
};

/// As many indices as Vec<T> has lanes, as they lie in memory.
template <class T, class Index>
struct StoredIndices {
  typedef Index type __attribute__((vector_size(lanes<T> * sizeof(Index)), aligned(sizeof(Index)), may_alias));
};

/// A window's taps on the picture, in a form that loops walk by addition.
struct PoolTaps {
  std::int64_t rows, columns;       ///< taps on the picture
  std::int64_t first;               ///< number of the first of them within the window
  std::int64_t window_row;          ///< taps from one row of the window to the next
  std::int64_t pixel_step, row_step;  ///< elements from one tap to the next in a row; from one row to the next
};

inline PoolTaps pool_taps(const ConvGeometry& g, IndexRange rows, IndexRange columns) {
  return {rows.end - rows.first, columns.end - columns.first, rows.first * g.s + columns.first, g.s, g.c, g.w * g.c};
}

/// The taps of a window of 2 x 2 that lies on the picture, with numbers that the compiler sees: the loops over them unroll.
__attribute__((always_inline)) inline PoolTaps two_by_two(const ConvGeometry& g) { return {2, 2, 0, 2, g.c, g.w * g.c}; }
inline bool is_two_by_two(const PoolTaps& taps) { return taps.rows == 2 && taps.columns == 2 && taps.window_row == 2; }

/// Where the first tap on the picture of output (i, j) lies.
inline std::int64_t pool_corner(const ConvGeometry& g, std::int64_t i, std::int64_t j) {
  const std::int64_t h = i * g.stride_h - g.pad_top, w = j * g.stride_w - g.pad_left;
  return ((h < 0 ? 0 : h) * g.w + (w < 0 ? 0 : w)) * g.c;
}

template <class Value, class T, class Index>
__attribute__((always_inline)) inline void max_pool_at(const PoolTaps& taps, const T* x, T* y, Index* index) {
  using Where = typename PoolIndexOf<T, Value>::type;
  Value best = load_as<Value>(x);
  Where where = Where{} + static_cast<std::int32_t>(taps.first);
#pragma GCC unroll 2
  for (std::int64_t r = 0; r < taps.rows; ++r)
#pragma GCC unroll 2
    for (std::int64_t s = 0; s < taps.columns; ++s) {
      const Value value = load_as<Value>(x + r * taps.row_step + s * taps.pixel_step);
      where = value > best ? Where{} + static_cast<std::int32_t>(taps.first + r * taps.window_row + s) : where;
      best = value > best ? value : best;
    }
  store_as(y, best);
  if (index == nullptr) return;
  if constexpr (sizeof(Value) == sizeof(T)) {
    *index = static_cast<Index>(where);
  } else {
    using Stored = typename StoredIndices<T, Index>::type;
    *reinterpret_cast<Stored*>(index) = __builtin_convertvector(where, Stored);
  }
}

template <class T, class Index>
__attribute__((always_inline)) inline void max_pool_row(const ConvGeometry& geometry, std::int64_t i, const T* x, T* y, Index* indices) {
  const ConvGeometry g = geometry;
  const IndexRange rows = taps_inside(i, g.h, g.r, g.stride_h, g.pad_top);
  for (std::int64_t j = 0; j < g.ow; ++j) {
    const PoolTaps taps = pool_taps(g, rows, taps_inside(j, g.w, g.s, g.stride_w, g.pad_left));
    const T* from = x + pool_corner(g, i, j);
    T* to = y + j * g.c;
    Index* index = indices == nullptr ? nullptr : indices + j * g.c;
    std::int64_t c = 0;
    if (is_two_by_two(taps))
      for (; c + lanes<T> <= g.c; c += lanes<T>) max_pool_at<Vec<T>>(two_by_two(g), from + c, to + c, index == nullptr ? nullptr : index + c);
    for (; c + lanes<T> <= g.c; c += lanes<T>) max_pool_at<Vec<T>>(taps, from + c, to + c, index == nullptr ? nullptr : index + c);
    for (; c < g.c; ++c) max_pool_at<T>(taps, from + c, to + c, index == nullptr ? nullptr : index + c);
  }
}

template <class T>
void max_pool_forward_row(const ConvGeometry& g, std::int64_t i, const T* x, T* y, std::byte* indices) {
  if (pool_index_size(g) == 1)
    max_pool_row(g, i, x, y, reinterpret_cast<std::uint8_t*>(indices));
  else
    max_pool_row(g, i, x, y, reinterpret_cast<std::int32_t*>(indices));
}

/// Adds dy to that tap of dx whose number is *index; `apart`: no other window has the taps, so that all are set.
template <bool apart, class Value, class T, class Index>
__attribute__((always_inline)) inline void max_pool_backward_at(const PoolTaps& taps, const T* dy, const Index* index, T* dx) {
  using Where = typename PoolIndexOf<T, Value>::type;
  const Value gradient = load_as<Value>(dy);
  Where where;
  if constexpr (sizeof(Value) == sizeof(T))
    where = static_cast<Where>(*index);
  else
    where = __builtin_convertvector(*reinterpret_cast<const typename StoredIndices<T, Index>::type*>(index), Where);
#pragma GCC unroll 2
  for (std::int64_t r = 0; r < taps.rows; ++r)
#pragma GCC unroll 2
    for (std::int64_t s = 0; s < taps.columns; ++s) {
      T* to = dx + r * taps.row_step + s * taps.pixel_step;
      const Where tap = Where{} + static_cast<std::int32_t>(taps.first + r * taps.window_row + s);
      const Value own = where == tap ? gradient : Value{};
      store_as(to, apart ? own : load_as<Value>(to) + own);
    }
}

template <bool apart, class T, class Index>
__attribute__((always_inline)) inline void max_pool_backward_windows(const ConvGeometry& geometry, const T* dy, const Index* indices, T* dx) {
  const ConvGeometry g = geometry;
  for (std::int64_t i = 0; i < g.oh; ++i) {
    const IndexRange rows = taps_inside(i, g.h, g.r, g.stride_h, g.pad_top);
    for (std::int64_t j = 0; j < g.ow; ++j, dy += g.c, indices += g.c) {
      const PoolTaps taps = pool_taps(g, rows, taps_inside(j, g.w, g.s, g.stride_w, g.pad_left));
      T* to = dx + pool_corner(g, i, j);
      std::int64_t c = 0;
      if (is_two_by_two(taps))
        for (; c + lanes<T> <= g.c; c += lanes<T>) max_pool_backward_at<apart, Vec<T>>(two_by_two(g), dy + c, indices + c, to + c);
      for (; c + lanes<T> <= g.c; c += lanes<T>) max_pool_backward_at<apart, Vec<T>>(taps, dy + c, indices + c, to + c);
      for (; c < g.c; ++c) max_pool_backward_at<apart, T>(taps, dy + c, indices + c, to + c);
    }
  }
}

template <class T>
__attribute__((always_inline)) inline void clear_array(std::int64_t n, T* x) {
  const std::int64_t whole = n - n % lanes<T>;
  for (std::int64_t i = 0; i < whole; i += lanes<T>) store(x + i, Vec<T>{});
  for (std::int64_t i = whole; i < n; ++i) x[i] = 0;
}

/// One picture whose windows tile it: every cell is written once.
template <class T>
void max_pool_backward_tiles(const ConvGeometry& g, const T* dy, const std::byte* indices, T* dx) {
  const std::int64_t row = g.w * g.c, used = g.ow * g.s * g.c, rows = g.oh * g.r;
  for (std::int64_t h = 0; used < row && h < rows; ++h) clear_array(row - used, dx + h * row + used);
  clear_array((g.h - rows) * row, dx + rows * row);
  max_pool_backward_windows<true>(g, dy, reinterpret_cast<const std::uint8_t*>(indices), dx);
}

/// One picture: dx is cleared, then every window adds to it, in order.
template <class T>
void max_pool_backward_picture(const ConvGeometry& g, const T* dy, const std::byte* indices, T* dx) {
  if (windows_tile(g) && pool_index_size(g) == 1) return max_pool_backward_tiles(g, dy, indices, dx);
  clear_array(g.h * g.w * g.c, dx);
  if (pool_index_size(g) == 1)
    max_pool_backward_windows<false>(g, dy, reinterpret_cast<const std::uint8_t*>(indices), dx);
  else
    max_pool_backward_windows<false>(g, dy, reinterpret_cast<const std::int32_t*>(indices), dx);
}

/// The window's rows are summed one by one and then added: short sums, also for the whole picture.
template <class Value, class T>
__attribute__((always_inline)) inline void average_pool_at(const PoolTaps& taps, T factor, const T* x, T* y) {
  Value sum{};
  for (std::int64_t r = 0; r < taps.rows; ++r) {
    Value row{};
    for (std::int64_t s = 0; s < taps.columns; ++s) row += load_as<Value>(x + r * taps.row_step + s * taps.pixel_step);
    sum += row;
  }
  store_as(y, sum * factor);
}

template <class T>
void average_pool_forward_row(const ConvGeometry& geometry, std::int64_t i, const T* x, T* y) {
  const ConvGeometry g = geometry;
  const IndexRange rows = taps_inside(i, g.h, g.r, g.stride_h, g.pad_top);
  for (std::int64_t j = 0; j < g.ow; ++j, y += g.c) {
    const PoolTaps taps = pool_taps(g, rows, taps_inside(j, g.w, g.s, g.stride_w, g.pad_left));
    const T factor = T{1} / static_cast<T>(taps.rows * taps.columns);
    const T* from = x + pool_corner(g, i, j);
    std::int64_t c = 0;
    for (; c + lanes<T> <= g.c; c += lanes<T>) average_pool_at<Vec<T>>(taps, factor, from + c, y + c);
    for (; c < g.c; ++c) average_pool_at<T>(taps, factor, from + c, y + c);
  }
}

template <class Value, class T>
__attribute__((always_inline)) inline void average_pool_backward_at(const PoolTaps& taps, T factor, const T* dy, T* dx) {
  const Value share = load_as<Value>(dy) * factor;
  for (std::int64_t r = 0; r < taps.rows; ++r)
    for (std::int64_t s = 0; s < taps.columns; ++s) {
      T* to = dx + r * taps.row_step + s * taps.pixel_step;
      store_as(to, load_as<Value>(to) + share);
    }
}

/// One picture: dx is cleared, then every window adds to it, in order.
template <class T>
void average_pool_backward_picture(const ConvGeometry& geometry, const T* dy, T* dx) {
  const ConvGeometry g = geometry;
  clear_array(g.h * g.w * g.c, dx);
  for (std::int64_t i = 0; i < g.oh; ++i) {
    const IndexRange rows = taps_inside(i, g.h, g.r, g.stride_h, g.pad_top);
    for (std::int64_t j = 0; j < g.ow; ++j, dy += g.c) {
      const PoolTaps taps = pool_taps(g, rows, taps_inside(j, g.w, g.s, g.stride_w, g.pad_left));
      const T factor = T{1} / static_cast<T>(taps.rows * taps.columns);
      T* to = dx + pool_corner(g, i, j);
      std::int64_t c = 0;
      for (; c + lanes<T> <= g.c; c += lanes<T>) average_pool_backward_at<Vec<T>>(taps, factor, dy + c, to + c);
      for (; c < g.c; ++c) average_pool_backward_at<T>(taps, factor, dy + c, to + c);
    }
  }
}
