#pragma once
// Pixels' patches copied side by side into the rows of a matrix.

#include <algorithm>
#include <cstdint>

#include <mien/kernels/conv/geometry.hpp>

namespace mien::inline v0::kernels {

/// Output pixels begin ... end-1 (of N * OH * OW), one row each: columns[(pixel - begin) * ld + t], t = ((r * S) + s) *
/// C/groups + c, holds what tap (r, s) of channel c of the group reads, 0 in the padding. Columns patch ... ld-1 are
/// not written.
template <class T>
void im2col(const ConvGeometry& g, const T* x, std::int64_t group, std::int64_t begin, std::int64_t end, T* columns,
            std::int64_t ld) {
  const std::int64_t channels = group_channels(g);
  const bool whole_runs = g.dilation_w == 1 && g.groups == 1;
  for (std::int64_t pixel = begin; pixel < end; ++pixel, columns += ld) {
    const std::int64_t n = pixel / (g.oh * g.ow), i = pixel / g.ow % g.oh, j = pixel % g.ow;
    const std::int64_t left = j * g.stride_w - g.pad_left;
    T* to = columns;
    for (std::int64_t r = 0; r < g.r; ++r) {
      const std::int64_t row = i * g.stride_h - g.pad_top + r * g.dilation_h;
      const bool on_picture = row >= 0 && row < g.h;
      const T* const from = x + (n * g.h + (on_picture ? row : 0)) * g.w * g.c + group * channels;
      if (on_picture && whole_runs && left >= 0 && left + g.s <= g.w) {
        to = std::copy_n(from + left * g.c, g.s * channels, to);
        continue;
      }
      for (std::int64_t s = 0; s < g.s; ++s) {
        const std::int64_t column = left + s * g.dilation_w;
        if (on_picture && column >= 0 && column < g.w)
          to = std::copy_n(from + column * g.c, channels, to);
        else
          to = std::fill_n(to, channels, T(0));
      }
    }
  }
}

}  // namespace mien::inline v0::kernels
