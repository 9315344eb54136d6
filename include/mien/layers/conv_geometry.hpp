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
void check_conv_options(const Options& options, const Shape& x) {
  const auto require = [&](bool good, const auto&... what) {
    if (!good) throw OptionError(text(layer_title(options), " expected ", what...));
  };
  const auto positive = [](const Size2D& size) { return size.height > 0 && size.width > 0; };
  const Size2D strides = options.strides, dilation = options.dilation_rate;
  const std::int64_t filters = options.filters, groups = options.groups;
  require(filters > 0, "filters of 1 or more, got ", filters);
  require(positive(options.kernel_size), "a positive kernel_size, got ", options.kernel_size);
  require(positive(strides), "positive strides, got ", strides);
  require(positive(dilation), "a positive dilation_rate, got ", dilation);
  require(strides == Size2D(1) || dilation == Size2D(1), "strides or a dilation_rate above 1, not both, got ", strides,
          " and ", dilation);
  require(groups > 0 && x[2] % groups == 0 && filters % groups == 0, "groups that divide the ", x[2],
          " channels of its input of shape ", x, " and the ", filters, " filters, got ", groups);
}

/// The geometry of a layer with filters, kernel_size, strides, padding, dilation_rate and groups over one input of
/// shape (H, W, C), for one sample.
template <class Options>
[[nodiscard]] kernels::ConvGeometry conv_geometry(const Options& options, std::span<const Shape> inputs) {
  const Shape& x = single_input(options, inputs, 3, "(height, width, channels)");
  check_conv_options(options, x);
  const Size2D &kernel = options.kernel_size, &strides = options.strides, &dilation = options.dilation_rate;
  check_extents(options, x,
                {kernel.height, kernel.width, strides.height, strides.width, dilation.height, dilation.width});
  const kernels::ConvGeometry windows{.h = x[0],
                                      .w = x[1],
                                      .c = x[2],
                                      .k = options.filters,
                                      .r = options.kernel_size.height,
                                      .s = options.kernel_size.width,
                                      .stride_h = options.strides.height,
                                      .stride_w = options.strides.width,
                                      .dilation_h = options.dilation_rate.height,
                                      .dilation_w = options.dilation_rate.width,
                                      .groups = options.groups};
  const kernels::ConvGeometry g = options.padding == Padding::same ? with_same_padding(windows) : with_output(windows);
  if (g.oh < 1 || g.ow < 1)
    throw ShapeError(text(layer_title(options), " has a kernel of ", options.kernel_size, " with dilation ",
                          options.dilation_rate, " that does not fit its input of shape ", x,
                          "; choose a smaller kernel_size, or Padding::same"));
  return g;
}

}  // namespace mien::inline v0::detail
