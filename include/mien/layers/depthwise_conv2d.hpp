#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include <mien/layers/conv2d.hpp>

namespace mien::inline v0 {

/// Convolution of each channel by itself, depth_multiplier M times:
///
///     y[n, i, j, c M + m] = f(bias[c M + m] + sum_{r, s} x[n, i stride_h - top + r dilation_h,
///                                                         j stride_w - left + s dilation_w, c] kernel[r, s, c, m])
///
/// Input: (N, H, W, C). Output: (N, OH, OW, C M), OH and OW as Conv2D has them. Parameters: depthwise_kernel (R, S, C,
/// M), bias (C M). Throws OptionError on sizes below 1, strides together with dilation; ShapeError if the kernel does
/// not fit.
///
///     Node y = DepthwiseConv2D{.kernel_size = 3, .padding = Padding::same}(x);      // (48, 48, 32) -> (48, 48, 32)
struct DepthwiseConv2D {
  static constexpr const char* type = "DepthwiseConv2D";

  Size2D kernel_size = 0;                              ///< the kernel's rows and columns; to be given
  Size2D strides = 1;                                  ///< from one window to the next
  Padding padding = Padding::valid;                    ///< same: the odd row or column goes bottom, right
  std::int64_t depth_multiplier = 1;                   ///< M: results of each channel
  Size2D dilation_rate = 1;                            ///< from one tap of the kernel to the next
  ActivationFunction activation = linear;              ///< f; softmax is over the channels
  bool use_bias = true;                                ///< false: no bias
  Initializer depthwise_initializer = glorot_uniform;  ///< of the kernel's first values
  Initializer bias_initializer = zeros;                ///< of the bias's first values
  Regularizer depthwise_regularizer{};                 ///< penalty on the kernel; default: none
  Regularizer bias_regularizer{};                      ///< penalty on the bias; default: none
  std::string name{};                                  ///< default: "depthwise_conv2d", "depthwise_conv2d_1", ...
  bool trainable = true;                               ///< false: the parameters stay as they are

  [[nodiscard]] Shape output_shape(std::span<const Shape> inputs) const {
    const kernels::ConvGeometry g = detail::depthwise_geometry(*this, inputs);
    return {g.oh, g.ow, g.k};
  }
  template <class T>
  [[nodiscard]] std::unique_ptr<Layer<T>> make(std::span<const Shape> inputs) const;
  void visit_options(OptionVisitor& visit) {
    visit("kernel_size", kernel_size);
    visit("strides", strides);
    visit("padding", padding);
    visit("depth_multiplier", depth_multiplier);
    visit("dilation_rate", dilation_rate);
    visit("activation", activation);
    visit("use_bias", use_bias);
    visit("depthwise_initializer", depthwise_initializer);
    visit("bias_initializer", bias_initializer);
    visit("depthwise_regularizer", depthwise_regularizer);
    visit("bias_regularizer", bias_regularizer);
  }
  template <class = void>
  [[nodiscard]] Node operator()(const Node& x) const {
    return apply(*this, {x});
  }
};

template <class T>
std::unique_ptr<Layer<T>> DepthwiseConv2D::make(std::span<const Shape> inputs) const {
  const kernels::ConvGeometry g = detail::depthwise_geometry(*this, inputs);
  std::vector<ParameterSpec> parameters{{.name = "depthwise_kernel",
                                         .shape = {g.r, g.s, g.c, depth_multiplier},
                                         .initializer = depthwise_initializer,
                                         .regularizer = depthwise_regularizer}};
  if (use_bias) parameters.push_back(detail::bias_of(*this, g.k));
  return std::make_unique<Conv2DLayer<T>>(std::move(parameters), activation, g);
}

}  // namespace mien::inline v0
