#pragma once
// A convolution as Winograd's algorithm meets it, from the side that is written. The gradient of the input is the
// convolution of dy with the kernel turned round, its channels and filters exchanged, and 2 - padding.

#include <cstdint>

#include <mien/kernels/conv/geometry.hpp>
#include <mien/kernels/conv/winograd/tiles.hpp>

namespace mien::inline v0::kernels::winograd {

/// `columns` channels of out_h x out_w pixels, from `depth` channels of in_h x in_w pixels. Output (i, j) sees the 3x3
/// pixels from (i - pad_top, j - pad_left) on; beyond the border they are 0.
struct Problem {
  std::int64_t pictures, in_h, in_w, out_h, out_w, pad_top, pad_left, depth, columns;
  AxisTiles down, across;
  bool backward, kernel_prepared;

  Problem(const ConvGeometry& g, bool backward_input, bool may_be_wide)
      : pictures(g.n),
        in_h(backward_input ? g.oh : g.h),
        in_w(backward_input ? g.ow : g.w),
        out_h(backward_input ? g.h : g.oh),
        out_w(backward_input ? g.w : g.ow),
        pad_top(backward_input ? taps - 1 - g.pad_top : g.pad_top),
        pad_left(backward_input ? taps - 1 - g.pad_left : g.pad_left),
        depth(backward_input ? g.k : g.c),
        columns(backward_input ? g.c : g.k),
        down(out_h, in_h, pad_top, may_be_wide),
        across(out_w, in_w, pad_left, may_be_wide),
        backward(backward_input),
        kernel_prepared(!backward_input && g.kernel_prepared) {}

  /// Tiles of all pictures, picture by picture, row by row.
  [[nodiscard]] std::int64_t tiles() const { return pictures * down.count * across.count; }
  [[nodiscard]] bool is_wide() const { return down.size > wide || across.size > wide; }
  /// Points of the largest tile: as many matrices has the transformed kernel.
  [[nodiscard]] std::int64_t points() const { return std::int64_t{down.points()} * across.points(); }
};

}  // namespace mien::inline v0::kernels::winograd
