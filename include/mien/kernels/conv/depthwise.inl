// See depthwise.hpp. The functions named ..._at do n channels: those of one register, or of a half, a quarter, and so on, at the end.

template <class T, int n>
struct ChannelsOf {
  typedef T type __attribute__((vector_size(n * sizeof(T))));
  typedef T unaligned __attribute__((vector_size(n * sizeof(T)), aligned(sizeof(T)), may_alias));
};
template <class T>
struct ChannelsOf<T, 1> {
  typedef T type;
  typedef T unaligned;
};

template <class T, int n>
__attribute__((always_inline)) inline typename ChannelsOf<T, n>::type load_channels(const T* p) {
  return *reinterpret_cast<const typename ChannelsOf<T, n>::unaligned*>(p);
}

template <class T, int n>
__attribute__((always_inline)) inline void store_channels(T* p, typename ChannelsOf<T, n>::type v) {
  *reinterpret_cast<typename ChannelsOf<T, n>::unaligned*>(p) = v;
}

/// The next smaller number of channels: halves down to 4, then single ones.
constexpr int fewer_channels(int n) { return n >= 8 ? n / 2 : 1; }

/// `count` outputs of a segment from number j on: each tap's weights are loaded once for all of them. `taps`: the column taps, known when
/// compiled, of outputs whose neighbours read neighbouring taps' cells, which are then loaded once; 0: any.
template <class T, int taps, int count, int n>
__attribute__((always_inline)) inline void depthwise_at(const DepthwiseRow<T>& row, const AxisSegment& segment, std::int64_t j, std::int64_t c) {
  using Value = typename ChannelsOf<T, n>::type;
  const std::int64_t tap = segment.tap_cells * row.channels, next = taps > 0 ? tap : segment.cell_step * row.channels;
  const std::int64_t weights = segment.tap_step * row.kernel_column;
  const T* x = row.source + (segment.cell + j * segment.cell_step) * row.channels + c;
  const T* w = row.kernel + segment.tap * row.kernel_column + c;
  Value sum[count];
#pragma GCC unroll 8
  for (int u = 0; u < count; ++u) sum[u] = row.bias == nullptr ? Value{} : load_channels<T, n>(row.bias + c);
  for (std::int64_t r = 0; r < row.rows; ++r, x += row.source_row, w += row.kernel_row) {
#pragma GCC unroll 8
    for (int s = 0; s < (taps > 0 ? taps : segment.taps); ++s) {
      const Value weight = load_channels<T, n>(w + s * weights);
#pragma GCC unroll 8
      for (int u = 0; u < count; ++u) sum[u] += weight * load_channels<T, n>(taps > 0 ? x + (u + s) * tap : x + s * tap + u * next);
    }
  }
  T* y = row.result + (segment.first + j * segment.step) * row.channels + c;
#pragma GCC unroll 8
  for (int u = 0; u < count; ++u) store_channels<T, n>(y + u * segment.step * row.channels, sum[u]);
}

template <class T, int taps, int count, int n = lanes<T>>
__attribute__((always_inline)) inline void depthwise_outputs(const DepthwiseRow<T>& row, const AxisSegment& segment, std::int64_t j, std::int64_t c = 0) {
  for (; c + n <= row.channels; c += n) depthwise_at<T, taps, count, n>(row, segment, j, c);
  if constexpr (n > 1) {
    if (c < row.channels) depthwise_outputs<T, taps, count, fewer_channels(n)>(row, segment, j, c);
  }
}

/// Outputs number j ... of a segment whose neighbours read neighbouring cells. The last four may overlap those before: the same
/// sums, and faster than one by one.
template <class T, int taps>
__attribute__((always_inline)) inline void depthwise_neighbours(const DepthwiseRow<T>& row, const AxisSegment& segment) {
  std::int64_t j = 0;
  for (; j + 4 <= segment.count; j += 4) depthwise_outputs<T, taps, 4>(row, segment, j);
  if (j > 0 && j < segment.count) return depthwise_outputs<T, taps, 4>(row, segment, segment.count - 4);
  for (; j < segment.count; ++j) depthwise_outputs<T, taps, 1>(row, segment, j);
}

template <class T>
void depthwise_row(const DepthwiseRow<T>& row, const AxisSegment* segments, std::int64_t count) {
  for (const AxisSegment* segment = segments; segment < segments + count; ++segment) {
    const bool neighbours = segment->cell_step == segment->tap_cells || segment->count == 1;
    if (neighbours && segment->taps == 3)
      depthwise_neighbours<T, 3>(row, *segment);
    else if (neighbours && segment->taps == 2)
      depthwise_neighbours<T, 2>(row, *segment);
    else
      depthwise_neighbours<T, 0>(row, *segment);
  }
}

/// Where `count` taps of a segment lie: elements from the first tap's cell, and in dw.
template <int count>
struct TapOffsets {
  std::int64_t x[count], dw[count];
};

/// Adds the sums over the rows' outputs in a segment, for these taps, to dw.
template <class T, int count, int n>
__attribute__((always_inline)) inline void depthwise_kernel_at(const DepthwiseKernelRows<T>& rows, const AxisSegment& segment, const TapOffsets<count>& taps, std::int64_t c) {
  using Value = typename ChannelsOf<T, n>::type;
  const T* x_row = rows.x + segment.cell * rows.channels + c;
  const T* dy_row = rows.dy + segment.first * rows.channels + c;
  const std::int64_t x_step = segment.cell_step * rows.channels, dy_step = segment.step * rows.channels;
  Value sum[count];
#pragma GCC unroll 9
  for (int t = 0; t < count; ++t) sum[t] = Value{};
  for (std::int64_t i = 0; i < rows.count; ++i, x_row += rows.x_step, dy_row += rows.dy_step) {
    const T *x = x_row, *dy = dy_row;
    for (std::int64_t j = 0; j < segment.count; ++j, x += x_step, dy += dy_step) {
      const Value gradient = load_channels<T, n>(dy);
#pragma GCC unroll 9
      for (int t = 0; t < count; ++t) sum[t] += gradient * load_channels<T, n>(x + taps.x[t]);
    }
  }
#pragma GCC unroll 9
  for (int t = 0; t < count; ++t) {
    T* const dw = rows.dw + taps.dw[t] + c;
    store_channels<T, n>(dw, load_channels<T, n>(dw) + sum[t]);
  }
}

template <class T, int count, int n = lanes<T>>
__attribute__((always_inline)) inline void depthwise_kernel_channels(const DepthwiseKernelRows<T>& rows, const AxisSegment& segment, const TapOffsets<count>& taps, std::int64_t c) {
  for (; c + n <= rows.end_channel; c += n) depthwise_kernel_at<T, count, n>(rows, segment, taps, c);
  if constexpr (n > 1) {
    if (c < rows.end_channel) depthwise_kernel_channels<T, count, fewer_channels(n)>(rows, segment, taps, c);
  }
}

/// As many groups of `count` taps as there are from number `first` on; returns the tap after the last.
template <class T, int count>
__attribute__((always_inline)) inline std::int64_t depthwise_kernel_taps(const DepthwiseKernelRows<T>& rows, const AxisSegment& segment, std::int64_t first) {
  for (; first + count <= rows.taps * segment.taps; first += count) {
    TapOffsets<count> taps;
    for (int t = 0; t < count; ++t) {
      const std::int64_t r = (first + t) / segment.taps, s = (first + t) % segment.taps;
      taps.x[t] = r * rows.x_row + s * segment.tap_cells * rows.channels;
      taps.dw[t] = r * rows.dw_row + (segment.tap + s * segment.tap_step) * rows.channels;
    }
    depthwise_kernel_channels<T, count>(rows, segment, taps, rows.first_channel);
  }
  return first;
}

/// Nine sums, the taps of a 3 x 3 kernel, fit the registers of every set; borders and other kernels are made up of 9, 3 and 1.
template <class T>
void depthwise_kernel_rows(const DepthwiseKernelRows<T>& rows, const AxisSegment* segments, std::int64_t count) {
  for (const AxisSegment* segment = segments; segment < segments + count; ++segment) {
    std::int64_t tap = depthwise_kernel_taps<T, 9>(rows, *segment, 0);
    tap = depthwise_kernel_taps<T, 3>(rows, *segment, tap);
    static_cast<void>(depthwise_kernel_taps<T, 1>(rows, *segment, tap));
  }
}

/// to[c] = from[c * each] + ... + from[c * each + each - 1]
template <class T>
void sum_of_each(std::int64_t channels, std::int64_t each, const T* from, T* to) {
  for (std::int64_t c = 0; c < channels; ++c, from += each) {
    T sum = from[0];
    for (std::int64_t m = 1; m < each; ++m) sum += from[m];
    to[c] = sum;
  }
}
