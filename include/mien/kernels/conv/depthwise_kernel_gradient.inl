// See depthwise_kernel_gradient.hpp. Names and the numbers of channels are depthwise.inl's.

/// The taps of a 3 x 3 kernel that fall on the picture, along one axis: all, all but the first, all but the last.
enum class TapRange { all, end, begin };
constexpr int first_tap(TapRange range) { return range == TapRange::end ? 1 : 0; }
constexpr int tap_count(TapRange range) { return range == TapRange::all ? 3 : 2; }

/// Elements from a tap row's first cell to the next one's, from a cell to the next column tap's, from an output to the next one's cell and gradient.
struct GradientSteps {
  std::int64_t x_row, tap, x, dy;
};

/// Adds the products of `count` outputs side by side to the sums of the nine taps; more than one of them share the cells that they read. Of the columns, the first
/// output may lack its first tap, or the last one its last. x: the first cell that is read. Column by column, so that one product of each sum follows the other:
/// a sum waits for its product before.
template <class T, TapRange rows, TapRange columns, int count, int n>
__attribute__((always_inline)) inline void add_products(typename ChannelsOf<T, n>::type (&sum)[9], const GradientSteps& step, const T* x, const T* dy) {
  using Value = typename ChannelsOf<T, n>::type;
  constexpr int row_taps = tap_count(rows), first = first_tap(rows) * 3, end = count + 2 - (columns == TapRange::begin ? 1 : 0);
  Value gradient[count];
#pragma GCC unroll 8
  for (int i = 0; i < end; ++i) {
    if (i < count) {
      gradient[i] = load_once<T, n>(dy);
      dy = step_on(dy, step.dy);
    }
    if (i < first_tap(columns)) continue;
#pragma GCC unroll 4
    for (int r = 0; r < row_taps; ++r) {
      const Value value = load_once<T, n>(x + r * step.x_row);
#pragma GCC unroll 4
      for (int s = 0; s < 3; ++s)
        if (i >= s && i - s < count) sum[first + r * 3 + s] += gradient[i - s] * value;
    }
    x = step_on(x, step.tap);
  }
}

/// The outputs of a segment. x: the cell of the first one's first tap.
template <class T, TapRange rows, TapRange columns, int n>
__attribute__((always_inline)) inline void add_segment(typename ChannelsOf<T, n>::type (&sum)[9], const GradientSteps& step, std::int64_t outputs, const T* x, const T* dy) {
  if constexpr (columns == TapRange::all) {
    if (step.x == step.tap)
      for (; outputs >= 4; outputs -= 4, x += 4 * step.x, dy += 4 * step.dy) add_products<T, rows, columns, 4, n>(sum, step, x, dy);
  }
  for (; outputs > 0; --outputs, x += step.x, dy += step.dy) add_products<T, rows, columns, 1, n>(sum, step, x, dy);
}

/// A row of five outputs or more, side by side, of which the first lacks a tap and the last one too: the two are computed along with their neighbours, and what is
/// left over of fours at one time. What begins and ends a row of 8 took as long as its products before.
template <class T, TapRange rows, int n>
__attribute__((always_inline)) inline void add_padded_row(typename ChannelsOf<T, n>::type (&sum)[9], const GradientSteps& step, std::int64_t outputs, const T* x, const T* dy) {
  add_products<T, rows, TapRange::end, 4, n>(sum, step, x, dy);
  x += 3 * step.tap, dy += 4 * step.dy, outputs -= 4;
  for (; outputs > 4; outputs -= 4, x += 4 * step.tap, dy += 4 * step.dy) add_products<T, rows, TapRange::all, 4, n>(sum, step, x, dy);
  switch (outputs) {
    case 1: return add_products<T, rows, TapRange::begin, 1, n>(sum, step, x, dy);
    case 2: return add_products<T, rows, TapRange::begin, 2, n>(sum, step, x, dy);
    case 3: return add_products<T, rows, TapRange::begin, 3, n>(sum, step, x, dy);
    default: return add_products<T, rows, TapRange::begin, 4, n>(sum, step, x, dy);
  }
}

template <class T, TapRange rows, int n>
__attribute__((always_inline)) inline void add_row(typename ChannelsOf<T, n>::type (&sum)[9], const DepthwiseGradient<T>& call, GradientSteps step, const T* x, const T* dy) {
  if (call.padded_by_one) return add_padded_row<T, rows, n>(sum, step, call.segments[1].count + 2, x + call.segments->cell * call.channels, dy);
  for (const AxisSegment* segment = call.segments; segment < call.segments + call.segment_count; ++segment) {
    const T* const cell = x + segment->cell * call.channels;
    const T* const gradient = dy + segment->first * call.channels;
    step.x = segment->cell_step * call.channels;
    if (segment->taps == 3)
      add_segment<T, rows, TapRange::all, n>(sum, step, segment->count, cell, gradient);
    else if (segment->tap == 1)
      add_segment<T, rows, TapRange::end, n>(sum, step, segment->count, cell, gradient);
    else
      add_segment<T, rows, TapRange::begin, n>(sum, step, segment->count, cell, gradient);
  }
}

/// The sums of n channels over all rows, which stay in registers, are added to dw, but for those of the first `known` channels.
template <class T, int n>
__attribute__((always_inline)) inline void gradient_3x3_at(const DepthwiseGradient<T>& call, std::int64_t c, std::int64_t known) {
  using Value = typename ChannelsOf<T, n>::type;
  const GradientSteps step{call.x_row, call.segments->tap_cells * call.channels, 0, call.channels};
  Value sum[9];
#pragma GCC unroll 9
  for (int t = 0; t < 9; ++t) sum[t] = Value{};
  for (const DepthwiseGradientRow<T>* row = call.rows; row < call.rows + call.row_count; ++row) {
    if (row->taps == 3)
      add_row<T, TapRange::all, n>(sum, call, step, row->x + c, row->dy + c);
    else if (row->tap == 1)
      add_row<T, TapRange::end, n>(sum, call, step, row->x + c, row->dy + c);
    else
      add_row<T, TapRange::begin, n>(sum, call, step, row->x + c, row->dy + c);
  }
  T* dw = call.dw + c;
#pragma GCC unroll 9
  for (int t = 0; t < 9; ++t, dw += call.channels) {
    Value total = load_channels<T, n>(dw) + sum[t];
    for (std::int64_t i = 0; i < known; ++i) total[i] = dw[i];
    store_channels<T, n>(dw, total);
  }
}

template <class T, int n>
void gradient_3x3_by(const DepthwiseGradient<T>& call) {
  std::int64_t c = call.first_channel;
  for (; c + n <= call.end_channel; c += n) gradient_3x3_at<T, n>(call, c, 0);
  if (c < call.end_channel) gradient_3x3_at<T, n>(call, call.end_channel - n, c - (call.end_channel - n));
}

/// How many rows at a time. Where a register is narrower than a cache line and than a pixel, two: the next channels find the other half of their lines in the first
/// cache, in which pixels of 64 channels lie in every fourth set. Zen 3, part of the time of all rows at once, 2 and 3 rows: 32x8x8x128 0.83, 0.85; 32x15x15x64
/// 0.89, 0.95; but 32x8x8x16 1.12, 1.09. Lost: fetching the next rows meanwhile (0.85 to 0.95 of the speed).
constexpr std::int64_t gradient_rows(std::int64_t bytes_of_pixel) { return MIEN_VECTOR_BYTES < 64 && bytes_of_pixel > 64 ? 2 : 1024; }

/// Rows and columns see all taps, all but the first or all but the last, of a kernel of 3 x 3; there are 8 channels or more.
template <class T>
void depthwise_gradient_3x3(const DepthwiseGradient<T>& call) {
  DepthwiseGradient<T> part = call;
  const std::int64_t most = gradient_rows(call.channels * std::int64_t{sizeof(T)});
  for (std::int64_t rows = call.row_count; rows > 0; rows -= most, part.rows += most) {
    part.row_count = rows < most ? rows : most;
    if (lanes<T> <= 8 || call.channels >= lanes<T>)
      gradient_3x3_by<T, lanes<T>>(part);
    else
      gradient_3x3_by<T, (lanes<T> < 8 ? lanes<T> : 8)>(part);
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
