#pragma once
// The gradient of the input of a layer that sees few channels, a network's first: the C/groups values of a pixel do not
// fill a vector, but those of all its taps do. Each pixel of dy has a row of products with the whole kernel,
//
//   p (R S C/groups) = dy (K/groups) w'
//
// and each pixel of dx is the sum of what its taps have in those rows: col2im, seen from the side that is written. The
// rows of products live in a ring, in the second cache for pictures of usual width; dx is written once.
//
// Kernel rows beside the picture are left out as far as they fill whole panels; other taps there are lanes of vectors
// that are multiplied anyway, and nobody uses them. Leaving each of them out, by a kernel of its own for every set of
// pixels that see the same taps, takes more time, not less (AVX2, Zen 3, one thread and two): v48.1_1 1.18, 1.17;
// rn.conv1 1.08, 1.10; v224.1_1 1.04, 1.05.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>

#include <mien/core/parallel.hpp>
#include <mien/kernels/conv/algorithm.hpp>
#include <mien/kernels/conv/axis.hpp>
#include <mien/kernels/elementwise/activate.hpp>
#include <mien/kernels/gemm/macro_kernel.hpp>
#include <mien/kernels/gemm/pack.hpp>
#include <mien/kernels/gemm/pointers.hpp>

namespace mien::inline v0::kernels::col2im_gemm {

inline const char* accepts(const ConvGeometry&) { return nullptr; }

/// Values of a pixel that are added up at once.
inline constexpr std::int64_t lanes = 4;

/// Pixels that meet one panel of the kernel, then the next. v48.1_1 and 28x28x1, AVX2, Zen 3, one thread, against 192:
/// 48: 1.03, 1.23; 6: 1.00, 1.28; 384: 1.01, 1.00. What comes next fetched by hand: 1.06 to 1.29.
inline constexpr std::int64_t block_pixels = 192;

/// A ring of products has no more bytes, unless one row of dx needs more: 224x224x3 under 7x7 with stride 2, 290 KB.
/// 96 KB: 1.1 for rn.conv1, 1.0 for others; 384 KB: 1.0.
inline constexpr std::int64_t ring_bytes = std::int64_t{192} << 10;

/// One thread's memory.
template <class T>
struct ThreadScratch {
  T* ring;         ///< [row of dy modulo ring_rows][column][value of the kernel]
  const T** taps;  ///< what is added up
};

template <class T>
struct Plan {
  const MicroKernels<T>* kernels;
  ConvAxis dy_rows, dx_rows, dx_columns;
  std::int64_t ld;          ///< of a row of products: whole panels
  std::int64_t chunk_rows;  ///< of dx, whose products are made at a time
  std::int64_t ring_rows;
  T* packed;  ///< w', group after group
  AxisSegment *row_segments, *column_segments;
  std::int64_t row_segment_count = 0, column_segment_count = 0;
  std::size_t shared_bytes, thread_bytes;

  Plan(const ConvGeometry& g, std::byte* workspace)
      : kernels(&active_micro_kernels<T>()),
        dy_rows(forward_axis(g.oh, g.h, g.r, g.stride_h, g.dilation_h, g.pad_top)),
        dx_rows(backward_axis(g.oh, g.h, g.r, g.stride_h, g.dilation_h, g.pad_top)),
        dx_columns(backward_axis(g.ow, g.w, g.s, g.stride_w, g.dilation_w, g.pad_left)) {
    ld = ceil_div(patch_size(g), kernels->columns) * kernels->columns;
    const std::int64_t fitting = ring_bytes / static_cast<std::int64_t>(sizeof(T)) / (ld * g.ow);
    chunk_rows = std::clamp<std::int64_t>(fitting * g.stride_h - reach(), 1, g.h);
    ring_rows = std::min(g.oh, ceil_div(chunk_rows + reach(), g.stride_h));
    Scratch shared(workspace), own;
    packed = shared.array<T>(g.groups * ld * group_filters(g));
    row_segments = shared.array<AxisSegment>(max_segments(dy_rows));
    column_segments = shared.array<AxisSegment>(max_segments(dx_columns));
    static_cast<void>(thread_scratch(g, own));
    shared_bytes = shared.bytes(), thread_bytes = own.bytes();
  }
  [[nodiscard]] ThreadScratch<T> thread_scratch(const ConvGeometry& g, Scratch& scratch) const {
    T* const ring = scratch.array<T>(ring_rows * g.ow * ld + lanes);  // the last value is read with some behind it
    return {ring, scratch.array<const T*>(g.r * g.s)};
  }
  void prepare(const ConvCall<T>& call) {
    const ConvGeometry& g = call.geometry;
    row_segment_count = find_segments(dy_rows, row_segments);
    column_segment_count = find_segments(dx_columns, column_segments);
    const std::int64_t depth = group_filters(g), width = kernels->columns;
    for (std::int64_t group = 0; group < g.groups; ++group)
      pack_panels(call.right + group * depth, g.k, true, depth, patch_size(g), T(1), packed + group * ld * depth,
                  depth * width, width);
  }
  /// From the first row of dx that a row of dy touches to the last.
  [[nodiscard]] std::int64_t reach() const { return (dy_rows.taps - 1) * dy_rows.dilation; }
  /// The first row of dy that touches row y of dx or a later one, and the first that touches none before row y.
  [[nodiscard]] std::int64_t first_row(std::int64_t y) const { return end_row(y - reach()); }
  [[nodiscard]] std::int64_t end_row(std::int64_t y) const {
    return std::clamp<std::int64_t>(ceil_div(y + dy_rows.offset, dy_rows.up), 0, dy_rows.outputs);
  }
};

/// What one task is at: a group of one picture.
template <class T>
struct Place {
  const ConvCall<T>& call;
  const Plan<T>& plan;
  const ThreadScratch<T>& own;
  std::int64_t n, group;

  [[nodiscard]] T* products(std::int64_t row, std::int64_t column) const {
    return own.ring + (row % plan.ring_rows * call.geometry.ow + column) * plan.ld;
  }
};

/// Panels panel_begin ... panel_end-1 of the products of `count` neighbouring pixels.
template <class T>
void multiply_pixels(const Place<T>& at, const T* dy, std::int64_t count, std::int64_t panel_begin,
                     std::int64_t panel_end, T* products) {
  const ConvGeometry& g = at.call.geometry;
  const std::int64_t width = at.plan.kernels->columns, depth = group_filters(g);
  const T* const packed = at.plan.packed + at.group * at.plan.ld * depth;
  const T* sources[block_pixels];
  T* results[block_pixels];
  for (std::int64_t i = 0; i < count; i += block_pixels) {
    const std::int64_t pixels = std::min(block_pixels, count - i);
    point_at_rows(dy + i * g.k, g.k, pixels, sources);
    point_at_rows(products + i * at.plan.ld, at.plan.ld, pixels, results);
    TileOutput<T> out{};
    out.c = results;
    out.fetch = false;
    for (std::int64_t panel = panel_begin; panel < panel_end; ++panel) {
      out.c_offset = panel * width;
      multiply_full_width(*at.plan.kernels,
                          RowOperand<T>{sources, pixels, &packed, panel * depth * width, width, 1, depth}, out, pixels);
    }
  }
}

/// The products of rows begin ... end-1 of dy, no more than the ring has.
template <class T>
void multiply_rows(const Place<T>& at, std::int64_t begin, std::int64_t end) {
  const ConvGeometry& g = at.call.geometry;
  const std::int64_t row_values = g.s * group_channels(g), width = at.plan.kernels->columns;
  for (const AxisSegment& rows : std::span(at.plan.row_segments, static_cast<std::size_t>(at.plan.row_segment_count))) {
    const std::int64_t segment_end = std::min(end, rows.first + rows.count);
    for (std::int64_t row = std::max(begin, rows.first), count = 0; row < segment_end; row += count) {
      count = std::min(segment_end - row, at.plan.ring_rows - row % at.plan.ring_rows);
      multiply_pixels(at, at.call.left + (at.n * g.oh + row) * g.ow * g.k + at.group * group_filters(g), count * g.ow,
                      rows.tap * row_values / width, ceil_div((rows.tap + rows.taps) * row_values, width),
                      at.products(row, 0));
    }
  }
}

/// to[i * to_step + c] = sum over t of from[t][i * from_step + c] + bias[c], c < channels <= lanes. Reads `lanes`
/// values.
template <class T>
void add_up(std::span<const T* const> from, std::int64_t from_step, std::int64_t count, std::int64_t channels,
            const T* bias, T* to, std::int64_t to_step) {
  for (std::int64_t i = 0; i < count; ++i, to += to_step) {
    T sum[lanes] = {};
    for (const T* const first : from) {
      const T* const values = first + i * from_step;
      for (std::int64_t c = 0; c < lanes; ++c) sum[c] += values[c];
    }
    for (std::int64_t c = 0; c < channels; ++c) to[c] = bias == nullptr ? sum[c] : sum[c] + bias[c];
  }
}

/// One group of one row of dx.
template <class T>
void write_row(const Place<T>& at, std::int64_t y) {
  const ConvGeometry& g = at.call.geometry;
  const std::int64_t channels = group_channels(g);
  const T* const bias = at.call.epilogue.bias == nullptr ? nullptr : at.call.epilogue.bias + at.group * channels;
  const AxisSegment rows = segment_of(at.plan.dx_rows, y);
  for (const AxisSegment& columns :
       std::span(at.plan.column_segments, static_cast<std::size_t>(at.plan.column_segment_count))) {
    std::size_t taps = 0;
    for (std::int64_t i = 0; i < rows.taps; ++i)
      for (std::int64_t j = 0; j < columns.taps; ++j) {
        const std::int64_t r = g.r - 1 - (rows.tap + i * rows.tap_step);
        const std::int64_t s = g.s - 1 - (columns.tap + j * columns.tap_step);
        at.own.taps[taps++] = at.products(rows.cell + i * rows.tap_cells, columns.cell + j * columns.tap_cells) +
                              (r * g.s + s) * channels;
      }
    T* const to = at.call.result + ((at.n * g.h + y) * g.w + columns.first) * g.c + at.group * channels;
    for (std::int64_t c = 0; c < channels; c += lanes) {
      add_up<T>({at.own.taps, taps}, columns.cell_step * at.plan.ld, columns.count, std::min(lanes, channels - c),
                bias == nullptr ? nullptr : bias + c, to + c, columns.step * g.c);
      for (std::size_t t = 0; t < taps; ++t) at.own.taps[t] += lanes;
    }
  }
}

/// One task: rows begin ... end-1 of picture n of dx.
template <class T>
void write_band(const ConvCall<T>& call, const Plan<T>& plan, std::int64_t n, std::int64_t begin, std::int64_t end,
                const ThreadScratch<T>& own) {
  const ConvGeometry& g = call.geometry;
  for (std::int64_t group = 0; group < g.groups; ++group) {
    const Place<T> at{call, plan, own, n, group};
    std::int64_t multiplied = 0;
    for (std::int64_t y = begin; y < end;) {
      const std::int64_t chunk_end = std::min(end, y + plan.chunk_rows);
      multiply_rows(at, std::max(multiplied, plan.first_row(y)), plan.end_row(chunk_end));
      multiplied = plan.end_row(chunk_end);
      for (; y < chunk_end; ++y) write_row(at, y);
    }
  }
  T* const written = call.result + (n * g.h + begin) * g.w * g.c;
  if (call.epilogue.activation != linear)
    activate(call.epilogue.activation, (end - begin) * g.w * g.c, written, written);
}

template <class T>
std::size_t workspace(const ConvGeometry& g, int threads) {
  const Plan<T> plan(g, nullptr);
  return plan.shared_bytes + static_cast<std::size_t>(threads) * plan.thread_bytes;
}

template <class T>
void backward_input(const ConvCall<T>& call) {
  const ConvGeometry& g = call.geometry;
  Plan<T> plan(g, call.workspace);
  plan.prepare(call);
  // Neighbouring bands both multiply the rows of dy that touch both. No cut changes a bit of dx, so the threads decide.
  const std::int64_t bands = call.threads == 1 ? 1 : std::min(g.h, ceil_div(2 * call.threads, g.n));
  parallel_for(call.threads, g.n * bands, [&](std::int64_t task, int thread) {
    Scratch own(call.workspace + plan.shared_bytes + static_cast<std::size_t>(thread) * plan.thread_bytes);
    const std::int64_t n = task / bands, band = task % bands;
    write_band(call, plan, n, part_begin(g.h, bands, band), part_begin(g.h, bands, band + 1),
               plan.thread_scratch(g, own));
  });
}

}  // namespace mien::inline v0::kernels::col2im_gemm
