#pragma once
// From a convolution layer's options and its input's shape to the kernels' geometry.

#include <span>

#include <mien/core/error.hpp>
#include <mien/graph/node.hpp>
#include <mien/graph/options.hpp>
#include <mien/kernels/conv/geometry.hpp>
#include <mien/layers/window_limits.hpp>

namespace mien::inline v0::detail {

/// Throws OptionError unless the sizes are positive and go together, for an input of shape (H, W, C).
template <class Options>
void check_conv_options(const Options& options, const Shape& x, std::int64_t filters, std::int64_t groups) {
  const auto require = [&](bool good, const auto&... what) {
    if (!good) throw OptionError(text(layer_title(options), " expected ", what...));
  };
  const auto positive = [](const Size2D& size) { return size.height > 0 && size.width > 0; };
  const Size2D strides = options.strides, dilation = options.dilation_rate;
  require(filters > 0, "filters of 1 or more, got ", filters);
  require(positive(options.kernel_size), "a positive kernel_size, got ", options.kernel_size);
  require(positive(strides), "positive strides, got ", strides);
  require(positive(dilation), "a positive dilation_rate, got ", dilation);
  require(strides == Size2D(1) || dilation == Size2D(1), "strides or a dilation_rate above 1, not both, got ", strides,
          " and ", dilation);
  require(groups > 0 && x[2] % groups == 0 && filters % groups == 0, "groups that divide the ", x[2],
          " channels of its input of shape ", x, " and the ", filters, " filters, got ", groups);
}

/// The geometry of a layer with kernel_size, strides, padding and dilation_rate over one input of shape (H, W, C), for
/// one sample.
template <class Options>
[[nodiscard]] kernels::ConvGeometry conv_geometry(const Options& options, std::span<const Shape> inputs,
                                                  std::int64_t filters, std::int64_t groups) {
  const Shape& x = single_input(options, inputs, 3, "(height, width, channels)");
  check_conv_options(options, x, filters, groups);
  const Size2D &kernel = options.kernel_size, &strides = options.strides, &dilation = options.dilation_rate;
  check_extents(options, x,
                {kernel.height, kernel.width, strides.height, strides.width, dilation.height, dilation.width});
  const kernels::ConvGeometry windows{.h = x[0],
                                      .w = x[1],
                                      .c = x[2],
                                      .k = filters,
                                      .r = options.kernel_size.height,
                                      .s = options.kernel_size.width,
                                      .stride_h = options.strides.height,
                                      .stride_w = options.strides.width,
                                      .dilation_h = options.dilation_rate.height,
                                      .dilation_w = options.dilation_rate.width,
                                      .groups = groups};
  const kernels::ConvGeometry g = options.padding == Padding::same ? with_same_padding(windows) : with_output(windows);
  if (g.oh < 1 || g.ow < 1)
    throw ShapeError(text(layer_title(options), " has a kernel of ", options.kernel_size, " with dilation ",
                          options.dilation_rate, " that does not fit its input of shape ", x,
                          "; choose a smaller kernel_size, or Padding::same"));
  return g;
}

/// The geometry of a layer that convolves each channel by itself, with `depth_multiplier` results of each.
template <class Options>
[[nodiscard]] kernels::ConvGeometry depthwise_geometry(const Options& options, std::span<const Shape> inputs) {
  const Shape& x = single_input(options, inputs, 3, "(height, width, channels)");
  if (options.depth_multiplier < 1 || x[2] < 1)
    throw OptionError(text(layer_title(options), " expected channels and a depth_multiplier of 1 or more, got ",
                           options.depth_multiplier, " for an input of shape ", x));
  check_extents(options, x, {options.depth_multiplier, x[2]});
  return conv_geometry(options, inputs, x[2] * options.depth_multiplier, x[2]);
}

}  // namespace mien::inline v0::detail
