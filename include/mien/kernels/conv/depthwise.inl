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

/// Loads a value that several products use. Hidden from the compilers, since g++ would load it again for each of them.
template <class T, int n>
__attribute__((always_inline)) inline typename ChannelsOf<T, n>::type load_once(const T* p) {
  typename ChannelsOf<T, n>::type value = load_channels<T, n>(p);
#if defined(__x86_64__)
  __asm__("" : "+v"(value));
#endif
  return value;
}

template <class Pointer>
__attribute__((always_inline)) inline Pointer step_on(Pointer p, std::int64_t elements) {
  p += elements;
  __asm__("" : "+r"(p));
  return p;
}

/// Outputs of a segment side by side, each `step` elements behind the one before. By value, so that a compiler need not read it again behind each store.
template <class T>
struct DepthwiseOutputs {
  const T *x, *w;                    ///< the first output's first cell and weights
  std::int64_t x_row, w_row, rows;   ///< to the next tap row's
  std::int64_t tap, weights, taps;   ///< to the next column tap's cell, weights
  std::int64_t next;                 ///< to the next output's first cell
  const T* bias;
  T* y;
  std::int64_t step, channels;
};

/// Which outputs of a group lie at the edge of the picture: there the first one's first cell, the last one's last cell are padding, which nothing reads.
enum class Edge { none, first, last, both };
constexpr int missing_at_first(Edge edge) { return edge == Edge::first || edge == Edge::both ? 1 : 0; }
constexpr int missing_at_last(Edge edge) { return edge == Edge::last || edge == Edge::both ? 1 : 0; }

/// Adds a row of taps to the sums. Outputs whose neighbours read neighbouring taps' cells share them: `count` + `taps` - 1 loads for `count` * `taps`
/// products, and each sum is still made tap by tap. x: the first cell that is read.
/// The pointers are stepped on, out of the compilers' sight: with an index for each cell they run out of registers.
template <class T, int taps, int count, Edge edge, int n>
__attribute__((always_inline)) inline void depthwise_shared_taps(typename ChannelsOf<T, n>::type (&sum)[count], const T* x, const T* w, std::int64_t tap, std::int64_t weights) {
  typename ChannelsOf<T, n>::type weight[taps];
#pragma GCC unroll 4
  for (int s = 0; s < taps; ++s) {
    weight[s] = load_once<T, n>(w);
    w = step_on(w, weights);
  }
  constexpr int first = missing_at_first(edge), end = count + taps - 1 - missing_at_last(edge);
#pragma GCC unroll 16
  for (int cell = first; cell < end; ++cell) {
    const typename ChannelsOf<T, n>::type value = load_once<T, n>(x);
    x = step_on(x, tap);
#pragma GCC unroll 4
    for (int s = 0; s < taps; ++s)
      if (cell >= s && cell - s < count) sum[cell - s] += weight[s] * value;
  }
}

/// `count` outputs, each tap's weights loaded once for all of them. `taps`: the column taps, known when compiled, of outputs that share cells; 0: any.
template <class T, int taps, int count, Edge edge, int n>
__attribute__((always_inline)) inline void depthwise_at(const DepthwiseOutputs<T>& outputs, std::int64_t c) {
  using Value = typename ChannelsOf<T, n>::type;
  const Value bias = load_channels<T, n>(outputs.bias + c);
  const T *x = outputs.x + c, *w = outputs.w + c;
  Value sum[count];
#pragma GCC unroll 8
  for (int u = 0; u < count; ++u) sum[u] = bias;
  for (std::int64_t r = 0; r < outputs.rows; ++r, x += outputs.x_row, w += outputs.w_row) {
    if constexpr (taps > 0) {
      depthwise_shared_taps<T, taps, count, edge, n>(sum, x, w, outputs.tap, outputs.weights);
    } else {
      for (std::int64_t s = 0; s < outputs.taps; ++s) {
        const Value weight = load_channels<T, n>(w + s * outputs.weights);
#pragma GCC unroll 8
        for (int u = 0; u < count; ++u) sum[u] += weight * load_channels<T, n>(x + s * outputs.tap + u * outputs.next);
      }
    }
  }
  T* y = outputs.y + c;
#pragma GCC unroll 8
  for (int u = 0; u < count; ++u) {
    store_channels<T, n>(y, sum[u]);
    y = step_on(y, outputs.step);
  }
}

/// All channels, at least n. The last register may overlap the one before: the same sums, and faster than many small ones.
template <class T, int taps, int count, Edge edge, int n>
__attribute__((always_inline)) inline void depthwise_channels(const DepthwiseOutputs<T>& outputs) {
  std::int64_t c = 0;
  for (; c + n <= outputs.channels; c += n) depthwise_at<T, taps, count, edge, n>(outputs, c);
  if (c < outputs.channels) depthwise_at<T, taps, count, edge, n>(outputs, outputs.channels - n);
}

/// The next `left` outputs, `count` at a time, then half as many, and so on: none is computed twice.
template <class T, int taps, int count, int n>
__attribute__((always_inline)) inline void depthwise_outputs(DepthwiseOutputs<T> outputs, std::int64_t left) {
  for (; left >= count; left -= count) {
    depthwise_channels<T, taps, count, Edge::none, n>(outputs);
    outputs.x += count * outputs.next, outputs.y += count * outputs.step;
  }
  if constexpr (count > 1) depthwise_outputs<T, taps, count / 2, n>(outputs, left);
}

/// The same for a row of three taps that share cells, whose first (if `first`) and last outputs (if `last`) lie at the picture's edges.
template <class T, int count, int n>
__attribute__((always_inline)) inline void depthwise_edge_to_edge(DepthwiseOutputs<T> outputs, std::int64_t left, bool first, bool last) {
  for (; left >= count; left -= count, first = false) {
    const bool ends = last && left == count;
    if (count > 2 && first && ends)
      depthwise_channels<T, 3, count, (count > 2 ? Edge::both : Edge::none), n>(outputs);
    else if (count > 1 && first)
      depthwise_channels<T, 3, count, (count > 1 ? Edge::first : Edge::none), n>(outputs);
    else if (ends)
      depthwise_channels<T, 3, count, Edge::last, n>(outputs);
    else
      depthwise_channels<T, 3, count, Edge::none, n>(outputs);
    outputs.x += (first ? count - 1 : count) * outputs.next, outputs.y += count * outputs.step;
  }
  if constexpr (count > 1) depthwise_edge_to_edge<T, count / 2, n>(outputs, left, first, last);
}

template <class T>
__attribute__((always_inline)) inline DepthwiseOutputs<T> outputs_of(const DepthwiseRow<T>& row, const AxisSegment& segment) {
  return {row.source + segment.cell * row.channels,
          row.kernel + segment.tap * row.kernel_column,
          row.source_row,
          row.kernel_row,
          row.rows,
          segment.tap_cells * row.channels,
          segment.tap_step * row.kernel_column,
          segment.taps,
          segment.cell_step * row.channels,
          row.bias,
          row.result + segment.first * row.channels,
          segment.step * row.channels,
          row.channels};
}

/// A segment of three taps whose outputs share cells.
constexpr bool shares_cells(const AxisSegment& segment) { return segment.taps == 3 && segment.cell_step == segment.tap_cells; }
/// Whether the segment before or after `middle` is a single output that lacks tap 0 (`tap` = 1) or the last one (`tap` = 0): the padding of `same`.
constexpr bool is_edge(const AxisSegment& edge, const AxisSegment& middle, std::int64_t tap) {
  return shares_cells(middle) && edge.count == 1 && edge.taps == 2 && edge.step == middle.step && edge.tap == middle.tap + tap * middle.tap_step;
}
constexpr bool begins_at_edge(const AxisSegment* segment, const AxisSegment* end) { return segment + 1 < end && is_edge(segment[0], segment[1], 1); }
constexpr bool ends_at_edge(const AxisSegment* middle, const AxisSegment* end) { return middle + 1 < end && is_edge(middle[1], middle[0], 0); }

/// A run of outputs from edge to edge begins at `segment`; returns its last segment, or null if there is none.
template <class T, int n>
__attribute__((always_inline)) inline const AxisSegment* depthwise_run(const DepthwiseRow<T>& row, const AxisSegment* segment, const AxisSegment* end) {
  const bool first = begins_at_edge(segment, end);
  const AxisSegment* const middle = segment + first;
  if (!shares_cells(*middle)) return nullptr;
  const bool last = ends_at_edge(middle, end);
  DepthwiseOutputs<T> outputs = outputs_of(row, *middle);
  if (first) outputs.y -= outputs.step;
  depthwise_edge_to_edge<T, 8, n>(outputs, middle->count + first + last, first, last);
  return middle + last;
}

/// Registers of n channels, or of fewer where the row has fewer. Below 8 channels nothing is known when compiled: that text is short.
template <class T, int n>
void depthwise_row_by(const DepthwiseRow<T>& row, const AxisSegment* segment, const AxisSegment* end) {
  if constexpr (n > 1) {
    if (row.channels < n) return depthwise_row_by<T, fewer_channels(n)>(row, segment, end);
  }
  for (; segment < end; ++segment) {
    if constexpr (n == lanes<T> || n >= 8) {
      if (const AxisSegment* const last = depthwise_run<T, n>(row, segment, end)) {
        segment = last;
        continue;
      }
    }
    depthwise_outputs<T, 0, 4, n>(outputs_of(row, *segment), segment->count);
  }
}

template <class T>
void depthwise_row(const DepthwiseRow<T>& row, const AxisSegment* segments, std::int64_t count) {
  depthwise_row_by<T, lanes<T>>(row, segments, segments + count);
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
