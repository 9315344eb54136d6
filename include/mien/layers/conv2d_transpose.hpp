#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <mien/kernels/conv/conv.hpp>
#include <mien/layers/biased_product.hpp>
#include <mien/layers/conv_geometry.hpp>
#include <mien/layers/layer.hpp>

namespace mien::inline v0 {

/// Transposed convolution: what the gradient by the input of a Conv2D with this kernel makes of x. Every input pixel
/// adds its multiple of the kernel to the output, the next pixel's `strides` further on:
///
///     y[n, i stride_h - top + r dilation_h, j stride_w - left + s dilation_w, k] += sum_c x[n, i, j, c]
///                                                                                         kernel[r, s, k, c]
///
/// then bias[k] is added and f applied. Input: (N, H, W, C). Output: (N, OH, OW, filters) with, for a kernel of R rows
/// that spans E = (R - 1) dilation_h + 1: Padding::same OH = H stride_h, Padding::valid OH = H stride_h + max(E -
/// stride_h, 0). Parameters: kernel (R, S, filters, C), bias (filters): Keras's, whose output_padding is None here.
/// Throws OptionError on sizes below 1, strides together with dilation.
///
///     Node y = Conv2DTranspose{.filters = 32, .kernel_size = 4, .strides = 2,
///                              .padding = Padding::same}(x);                        // (8, 8, 64) -> (16, 16, 32)
struct Conv2DTranspose {
  static constexpr const char* type = "Conv2DTranspose";

  std::int64_t filters = 0;                         ///< channels of the output; to be given
  Size2D kernel_size = 0;                           ///< the kernel's rows and columns; to be given
  Size2D strides = 1;                               ///< output cells from one input pixel to the next
  Padding padding = Padding::valid;                 ///< same: the odd row or column is cut bottom, right
  Size2D dilation_rate = 1;                         ///< from one tap of the kernel to the next
  ActivationFunction activation = linear;           ///< f; softmax is over the filters
  bool use_bias = true;                             ///< false: no bias
  Initializer kernel_initializer = glorot_uniform;  ///< of the kernel's first values
  Initializer bias_initializer = zeros;             ///< of the bias's first values
  Regularizer kernel_regularizer{};                 ///< penalty on the kernel; default: none
  Regularizer bias_regularizer{};                   ///< penalty on the bias; default: none
  std::string name{};                               ///< default: "conv2d_transpose", "conv2d_transpose_1", ...
  bool trainable = true;                            ///< false: the parameters stay as they are
  Arithmetic arithmetic = Arithmetic::fast;         ///< strict: as ModelOptions::arithmetic, for this layer alone

  [[nodiscard]] Shape output_shape(std::span<const Shape> inputs) const {
    const kernels::ConvGeometry g = geometry(inputs);
    return {g.h, g.w, g.c};
  }
  template <class T>
  [[nodiscard]] std::unique_ptr<Layer<T>> make(std::span<const Shape> inputs) const;
  void visit_options(OptionVisitor& visit) {
    visit("filters", filters);
    visit("kernel_size", kernel_size);
    visit("strides", strides);
    visit("padding", padding);
    visit("dilation_rate", dilation_rate);
    visit("activation", activation);
    visit("use_bias", use_bias);
    visit("kernel_initializer", kernel_initializer);
    visit("bias_initializer", bias_initializer);
    visit("kernel_regularizer", kernel_regularizer);
    visit("bias_regularizer", bias_regularizer);
    visit("arithmetic", arithmetic);
  }
  template <class = void>
  [[nodiscard]] Node operator()(const Node& x) const {
    return apply(*this, {x});
  }

 private:
  /// Of the convolution whose output has the input's shape, for one sample.
  [[nodiscard]] kernels::ConvGeometry geometry(std::span<const Shape> inputs) const {
    const Shape& x = detail::single_input(*this, inputs, 3, "(height, width, channels)");
    detail::check_conv_options(*this, x, filters, 1);
    detail::check_extents(*this, x,
                          {kernel_size.height, kernel_size.width, strides.height, strides.width, dilation_rate.height,
                           dilation_rate.width});
    const auto extent = [&](std::int64_t pixels, std::int64_t kernel, std::int64_t stride, std::int64_t dilation) {
      const std::int64_t beyond = std::max<std::int64_t>(0, (kernel - 1) * dilation + 1 - stride);
      return pixels * stride + (padding == Padding::valid ? beyond : 0);
    };
    const kernels::ConvGeometry g{.h = extent(x[0], kernel_size.height, strides.height, dilation_rate.height),
                                  .w = extent(x[1], kernel_size.width, strides.width, dilation_rate.width),
                                  .c = filters,
                                  .k = x[2],
                                  .r = kernel_size.height,
                                  .s = kernel_size.width,
                                  .stride_h = strides.height,
                                  .stride_w = strides.width,
                                  .dilation_h = dilation_rate.height,
                                  .dilation_w = dilation_rate.width,
                                  .arithmetic = arithmetic};
    return padding == Padding::same ? with_same_padding(g) : with_output(g);
  }
};

/// A convolution's passes with their roles changed: forward is its gradient by the input, the gradient by the input is
/// its forward.
template <class T>
class Conv2DTransposeLayer final : public Layer<T> {
 public:
  Conv2DTransposeLayer(std::vector<ParameterSpec> parameters, const ActivationFunction& activation,
                       const kernels::ConvGeometry& geometry)
      : parameters_(std::move(parameters)), activation_(activation), geometry_(geometry) {}

  void use(Arithmetic arithmetic, const kernels::ConvChoices* choices) override {
    if (arithmetic == Arithmetic::strict) geometry_.arithmetic = arithmetic;
    geometry_.choices = choices;
  }

  [[nodiscard]] std::vector<ParameterSpec> parameters() const override { return parameters_; }
  [[nodiscard]] BackwardNeeds needs(const ActivationFunction& f) const override {
    return detail::biased_product_needs(f);
  }
  [[nodiscard]] std::size_t saved_bytes(std::int64_t batch) const override {
    return detail::biased_product_saved<T>(activation_, pixels(batch) * geometry_.c);
  }
  [[nodiscard]] std::size_t forward_workspace(std::int64_t batch, int threads) const override {
    return kernels::conv_workspace<T>(over(batch), kernels::ConvPass::backward_input, threads);
  }
  [[nodiscard]] std::size_t backward_workspace(std::int64_t batch, int threads) const override {
    return std::max({kernels::conv_workspace<T>(over(batch), kernels::ConvPass::forward, threads),
                     kernels::conv_workspace<T>(over(batch), kernels::ConvPass::backward_kernel, threads),
                     kernels::column_sums_workspace<T>(pixels(batch), geometry_.c)});
  }
  [[nodiscard]] std::vector<kernels::ConvGeometry> convolutions(std::int64_t batch) const override {
    return {over(batch)};
  }
  [[nodiscard]] kernels::ConvPass forward_pass() const override { return kernels::ConvPass::backward_input; }
  [[nodiscard]] double flop(std::int64_t batch) const override {
    return 2.0 *
           static_cast<double>(kernels::output_pixels(over(batch)) * geometry_.k * kernels::patch_size(geometry_));
  }
  [[nodiscard]] ActivationFunction activation() const override { return activation_; }
  [[nodiscard]] bool fuses_activation() const override { return true; }

  void forward(const ForwardPass<T>& pass) const override {
    const T* const x = pass.inputs[0].data();
    const T* const kernel = pass.parameters[0].data();
    detail::biased_product_forward(pass, geometry_.c, [&](T* y, const kernels::Epilogue<T>& epilogue) {
      kernels::conv_backward_input(over(pass.batch), x, kernel, y, pass.threads, pass.workspace, {}, epilogue);
    });
  }
  void backward(const BackwardPass<T>& pass) const override {
    detail::biased_product_backward(pass, geometry_.c, pass.workspace);
    const kernels::ConvGeometry g = over(pass.batch);
    const T* const dy = pass.d_output.data();
    const T* const kernel = pass.parameters[0].data();
    if (pass.d_parameters[0])
      kernels::conv_backward_kernel(g, dy, pass.inputs[0].data(), pass.d_parameters[0].data(), pass.threads,
                                    pass.workspace);
    if (pass.d_inputs[0])
      kernels::conv_forward(g, dy, kernel, pass.d_inputs[0].data(), {}, pass.threads, pass.workspace);
  }

 private:
  [[nodiscard]] kernels::ConvGeometry over(std::int64_t batch) const {
    kernels::ConvGeometry g = geometry_;
    g.n = batch;
    return g;
  }
  /// Of the output.
  [[nodiscard]] std::int64_t pixels(std::int64_t batch) const { return batch * geometry_.h * geometry_.w; }

  std::vector<ParameterSpec> parameters_;
  ActivationFunction activation_;
  kernels::ConvGeometry geometry_;  ///< of the convolution that it transposes, of one sample
};

template <class T>
std::unique_ptr<Layer<T>> Conv2DTranspose::make(std::span<const Shape> inputs) const {
  const kernels::ConvGeometry g = geometry(inputs);
  std::vector<ParameterSpec> specs = detail::kernel_and_bias(*this, {g.r, g.s, g.c, g.k});
  if (use_bias) specs.back().shape = {filters};  // not the kernel's last extent, as elsewhere
  return std::make_unique<Conv2DTransposeLayer<T>>(std::move(specs), activation, g);
}

}  // namespace mien::inline v0
