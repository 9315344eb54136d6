#pragma once
// Which taps of a window fall on the picture, for each output of one axis. Outputs for which they are the same ones
// form a segment; a rectangle of two segments is a set of pixels whose sums have the same shape, without any padding.

#include <algorithm>
#include <cstdint>
#include <numeric>

#include <mien/kernels/conv/geometry.hpp>
#include <mien/kernels/gemm/scratch.hpp>

namespace mien::inline v0::kernels {

/// One axis of a convolution seen from the side that is written. Output o reads, through tap t, cell
/// (o * up - offset + t * dilation) / down of the other side, if that is a whole number and on the picture.
/// Forward: down = 1. Gradient of the input: up = 1, and tap t is kernel cell taps - 1 - t.
struct ConvAxis {
  std::int64_t outputs, cells, taps, up, down, offset, dilation;
};

[[nodiscard]] constexpr ConvAxis forward_axis(std::int64_t outputs, std::int64_t cells, std::int64_t taps,
                                              std::int64_t stride, std::int64_t dilation, std::int64_t pad) {
  return {outputs, cells, taps, stride, 1, pad, dilation};
}
[[nodiscard]] constexpr ConvAxis backward_axis(std::int64_t outputs, std::int64_t cells, std::int64_t taps,
                                               std::int64_t stride, std::int64_t dilation, std::int64_t pad) {
  return {cells, outputs, taps, 1, stride, (taps - 1) * dilation - pad, dilation};
}

/// Outputs first, first + step, ... (`count` of them), each with taps tap, tap + tap_step, ... (`taps` of them, perhaps
/// none). Tap 0 of output 0 of the segment reads `cell`; the next output cell + cell_step, the next tap cell +
/// tap_cells.
struct AxisSegment {
  std::int64_t first, step, count;
  std::int64_t tap, tap_step, taps;
  std::int64_t cell, cell_step, tap_cells;
};

/// No axis has more: a class of outputs modulo `down` sees every tap_step-th tap, and its set of taps changes at most
/// twice for each of them.
[[nodiscard]] constexpr std::int64_t max_segments(const ConvAxis& axis) {
  const std::int64_t tap_step = axis.down / std::gcd(axis.down, axis.dilation);
  return std::min(axis.outputs, axis.down * (2 * ((axis.taps + tap_step - 1) / tap_step) + 1));
}

/// The segment of one output alone.
[[nodiscard]] constexpr AxisSegment segment_of(const ConvAxis& axis, std::int64_t output) {
  const std::int64_t tap_step = axis.down / std::gcd(axis.down, axis.dilation);
  AxisSegment segment{output, axis.down, 1, 0, tap_step, 0, 0, axis.up, tap_step * axis.dilation / axis.down};
  for (std::int64_t t = 0; t < axis.taps; ++t) {
    const std::int64_t position = output * axis.up - axis.offset + t * axis.dilation;
    if (position < 0 || position % axis.down != 0 || position / axis.down >= axis.cells) continue;
    if (segment.taps++ == 0) segment.tap = t, segment.cell = position / axis.down;
  }
  return segment;
}

/// All segments; returns how many were written. Together they hold each output once.
constexpr std::int64_t find_segments(const ConvAxis& axis, AxisSegment* segments) {
  std::int64_t count = 0;
  for (std::int64_t residue = 0; residue < std::min(axis.down, axis.outputs); ++residue) {
    segments[count++] = segment_of(axis, residue);
    for (std::int64_t output = residue + axis.down; output < axis.outputs; output += axis.down) {
      const AxisSegment next = segment_of(axis, output);
      AxisSegment& current = segments[count - 1];
      if (next.tap == current.tap && next.taps == current.taps)
        ++current.count;
      else
        segments[count++] = next;
    }
  }
  return count;
}

}  // namespace mien::inline v0::kernels
