#pragma once

#include <cstdint>

#include <mien/core/arithmetic.hpp>

namespace mien::inline v0::kernels {

/// The outputs of a window of `kernel` taps, `dilation` apart, moved by `stride` over `input` cells with
/// `before` + `after` cells of padding: floor((input + padding - extent) / stride) + 1 with extent = (kernel - 1) *
/// dilation + 1. At most 0 if the window does not fit: an error for a layer, never a huge number.
[[nodiscard]] constexpr std::int64_t conv_output_extent(std::int64_t input, std::int64_t kernel, std::int64_t stride,
                                                        std::int64_t dilation = 1, std::int64_t before = 0,
                                                        std::int64_t after = 0) {
  const std::int64_t room = input + before + after - ((kernel - 1) * dilation + 1);
  return room < 0 ? 0 : room / stride + 1;
}

/// The cells added at the two ends of an axis.
struct Padding1D {
  std::int64_t before = 0;
  std::int64_t after = 0;
  friend constexpr bool operator==(const Padding1D&, const Padding1D&) = default;
};

/// Keras's 'same': as many cells as make the output ceil(input / stride) long; the odd one goes after the end.
[[nodiscard]] constexpr Padding1D same_padding(std::int64_t input, std::int64_t kernel, std::int64_t stride,
                                               std::int64_t dilation = 1) {
  const std::int64_t output = (input + stride - 1) / stride;
  const std::int64_t total = (output - 1) * stride + (kernel - 1) * dilation + 1 - input;
  return total <= 0 ? Padding1D{} : Padding1D{total / 2, total - total / 2};
}

static_assert(same_padding(48, 3, 1) == Padding1D{1, 1} && conv_output_extent(48, 3, 1, 1, 1, 1) == 48);
static_assert(same_padding(48, 3, 2) == Padding1D{0, 1} && conv_output_extent(48, 3, 2, 1, 0, 1) == 24);
static_assert(same_padding(47, 3, 2) == Padding1D{1, 1} && conv_output_extent(47, 3, 2, 1, 1, 1) == 24);
static_assert(same_padding(60, 1, 2) == Padding1D{0, 0} && conv_output_extent(60, 1, 2) == 30);
static_assert(same_padding(224, 7, 2) == Padding1D{2, 3} && conv_output_extent(224, 7, 2, 1, 2, 3) == 112);
static_assert(same_padding(5, 2, 2) == Padding1D{0, 1} && conv_output_extent(5, 2, 2, 1, 0, 1) == 3);
static_assert(same_padding(4, 3, 3) == Padding1D{1, 1} && conv_output_extent(4, 3, 3, 1, 1, 1) == 2);
static_assert(conv_output_extent(48, 3, 1) == 46 && conv_output_extent(2, 3, 1) <= 0);
static_assert(conv_output_extent(2, 3, 2) <= 0 && conv_output_extent(7, 3, 1, 2) == 3);

class ConvChoices;

/// All that a convolution or a pooling over NHWC needs to know. For pooling k = c and groups is not used.
struct ConvGeometry {
  std::int64_t n = 1, h = 1, w = 1, c = 1;      ///< input: pictures, rows, columns, channels
  std::int64_t k = 1, r = 1, s = 1;             ///< filters, kernel rows, kernel columns
  std::int64_t stride_h = 1, stride_w = 1;      ///< input cells from one output to the next
  std::int64_t dilation_h = 1, dilation_w = 1;  ///< input cells from one tap to the next
  std::int64_t pad_top = 0, pad_left = 0;       ///< cells of zeros around the input
  std::int64_t pad_bottom = 0, pad_right = 0;   ///< they count only through oh, ow
  std::int64_t groups = 1;                      ///< filters k/groups see channels c/groups
  std::int64_t oh = 1, ow = 1;                  ///< output: rows, columns
  Arithmetic arithmetic = Arithmetic::fast;     ///< which algorithms may be chosen
  bool kernel_prepared = false;                 ///< forward: the kernel's own form was made before, once for many calls
  const ConvChoices* choices = nullptr;         ///< algorithms that were measured; null: the cost model chooses

  friend constexpr bool operator==(const ConvGeometry&, const ConvGeometry&) = default;
};

/// The geometry with the output's extents filled in from the other members.
[[nodiscard]] constexpr ConvGeometry with_output(ConvGeometry g) {
  g.oh = conv_output_extent(g.h, g.r, g.stride_h, g.dilation_h, g.pad_top, g.pad_bottom);
  g.ow = conv_output_extent(g.w, g.s, g.stride_w, g.dilation_w, g.pad_left, g.pad_right);
  return g;
}

/// The same with Keras's 'same' padding.
[[nodiscard]] constexpr ConvGeometry with_same_padding(ConvGeometry g) {
  const Padding1D rows = same_padding(g.h, g.r, g.stride_h, g.dilation_h);
  const Padding1D columns = same_padding(g.w, g.s, g.stride_w, g.dilation_w);
  g.pad_top = rows.before, g.pad_bottom = rows.after;
  g.pad_left = columns.before, g.pad_right = columns.after;
  return with_output(g);
}

static_assert(with_same_padding({.h = 15, .w = 60, .r = 3, .s = 3, .stride_h = 2, .stride_w = 2}).oh == 8);
static_assert(with_same_padding({.h = 15, .w = 60, .r = 3, .s = 3, .stride_h = 2, .stride_w = 2}).pad_bottom == 1);

/// The channels that one filter sees, and the filters of one group.
[[nodiscard]] constexpr std::int64_t group_channels(const ConvGeometry& g) { return g.c / g.groups; }
[[nodiscard]] constexpr std::int64_t group_filters(const ConvGeometry& g) { return g.k / g.groups; }

/// The output's pixels, N * OH * OW, and a kernel's values for one filter, R * S * C / groups.
[[nodiscard]] constexpr std::int64_t output_pixels(const ConvGeometry& g) { return g.n * g.oh * g.ow; }
[[nodiscard]] constexpr std::int64_t patch_size(const ConvGeometry& g) { return g.r * g.s * group_channels(g); }

}  // namespace mien::inline v0::kernels
