#pragma once
// What the pooling layers share: from their options and the input's shape to the kernels' geometry.

#include <optional>
#include <span>

#include <mien/core/error.hpp>
#include <mien/graph/node.hpp>
#include <mien/graph/options.hpp>
#include <mien/kernels/conv/geometry.hpp>
#include <mien/layers/window_limits.hpp>

namespace mien::inline v0::detail {

/// The windows of a layer with pool_size, strides and padding over one input of shape (H, W, C), for one sample.
template <class Options>
[[nodiscard]] kernels::ConvGeometry pooling_geometry(const Options& options, std::span<const Shape> inputs) {
  const Shape& input = single_input(options, inputs, 3, "(height, width, channels)");
  const Size2D pool = options.pool_size, strides = options.strides.value_or(pool);
  if (pool.height < 1 || pool.width < 1 || strides.height < 1 || strides.width < 1)
    throw OptionError(
        text(layer_title(options), " expected positive pool_size and strides, got ", pool, " and ", strides));
  check_extents(options, input, {pool.height, pool.width, strides.height, strides.width});
  const kernels::ConvGeometry windows{.h = input[0],
                                      .w = input[1],
                                      .c = input[2],
                                      .k = input[2],
                                      .r = pool.height,
                                      .s = pool.width,
                                      .stride_h = strides.height,
                                      .stride_w = strides.width};
  const kernels::ConvGeometry g = options.padding == Padding::same ? with_same_padding(windows) : with_output(windows);
  if (g.oh < 1 || g.ow < 1)
    throw ShapeError(text(layer_title(options), " has windows of ", pool, " that do not fit its input of shape ", input,
                          "; choose a smaller pool_size, or Padding::same"));
  return g;
}

/// The same windows over a batch.
[[nodiscard]] inline kernels::ConvGeometry with_batch(kernels::ConvGeometry g, std::int64_t n) {
  g.n = n;
  return g;
}

}  // namespace mien::inline v0::detail
