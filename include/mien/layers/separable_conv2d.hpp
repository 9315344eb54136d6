#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <mien/core/memory.hpp>
#include <mien/kernels/conv/conv.hpp>
#include <mien/layers/biased_product.hpp>
#include <mien/layers/conv_geometry.hpp>
#include <mien/layers/layer.hpp>

namespace mien::inline v0 {

template <class T>
class SeparableConv2DLayer;

/// A convolution of each channel by itself, then a 1x1 convolution that mixes the channels, one bias at the end:
///
///     z[n, i, j, c M + m] = sum_{r, s} x[n, i stride_h - top + r dilation_h, j stride_w - left + s dilation_w, c]
///                                      depthwise_kernel[r, s, c, m]
///     y[n, i, j, k] = f(bias[k] + sum_c z[n, i, j, c] pointwise_kernel[0, 0, c, k])
///
/// Input: (N, H, W, C). Output: (N, OH, OW, filters), OH and OW as Conv2D has them. Parameters: depthwise_kernel (R, S,
/// C, M), pointwise_kernel (1, 1, C M, filters), bias (filters). Throws OptionError on sizes below 1, strides together
/// with dilation; ShapeError if the kernel does not fit. Chollet 2017 (Xception).
///
///     Node y = SeparableConv2D{.filters = 64, .kernel_size = 3, .padding = Padding::same}(x);
struct SeparableConv2D {
  static constexpr const char* type = "SeparableConv2D";

  std::int64_t filters = 0;                            ///< channels of the output; to be given
  Size2D kernel_size = 0;                              ///< the depthwise kernel's rows and columns; to be given
  Size2D strides = 1;                                  ///< from one window to the next
  Padding padding = Padding::valid;                    ///< same: the odd row or column goes bottom, right
  Size2D dilation_rate = 1;                            ///< from one tap of the kernel to the next
  std::int64_t depth_multiplier = 1;                   ///< M: results of each channel before they are mixed
  ActivationFunction activation = linear;              ///< f; softmax is over the filters
  bool use_bias = true;                                ///< false: no bias
  Initializer depthwise_initializer = glorot_uniform;  ///< of the depthwise kernel's first values
  Initializer pointwise_initializer = glorot_uniform;  ///< of the pointwise kernel's first values
  Initializer bias_initializer = zeros;                ///< of the bias's first values
  Regularizer depthwise_regularizer{};                 ///< penalty on the depthwise kernel; default: none
  Regularizer pointwise_regularizer{};                 ///< penalty on the pointwise kernel; default: none
  Regularizer bias_regularizer{};                      ///< penalty on the bias; default: none
  std::string name{};                                  ///< default: "separable_conv2d", "separable_conv2d_1", ...
  bool trainable = true;                               ///< false: the parameters stay as they are

  [[nodiscard]] Shape output_shape(std::span<const Shape> inputs) const {
    const kernels::ConvGeometry g = geometry(inputs);
    return {g.oh, g.ow, filters};
  }
  template <class T>
  [[nodiscard]] std::unique_ptr<Layer<T>> make(std::span<const Shape> inputs) const;
  void visit_options(OptionVisitor& visit) {
    visit("filters", filters);
    visit("kernel_size", kernel_size);
    visit("strides", strides);
    visit("padding", padding);
    visit("dilation_rate", dilation_rate);
    visit("depth_multiplier", depth_multiplier);
    visit("activation", activation);
    visit("use_bias", use_bias);
    visit("depthwise_initializer", depthwise_initializer);
    visit("pointwise_initializer", pointwise_initializer);
    visit("bias_initializer", bias_initializer);
    visit("depthwise_regularizer", depthwise_regularizer);
    visit("pointwise_regularizer", pointwise_regularizer);
    visit("bias_regularizer", bias_regularizer);
  }
  template <class = void>
  [[nodiscard]] Node operator()(const Node& x) const {
    return apply(*this, {x});
  }

 private:
  [[nodiscard]] kernels::ConvGeometry geometry(std::span<const Shape> inputs) const {
    if (filters < 1)
      throw OptionError(text(detail::layer_title(*this), " expected filters of 1 or more, got ", filters));
    return detail::depthwise_geometry(*this, inputs);
  }
};

/// What comes between the two convolutions is kept for backward, which overwrites it with its gradient.
template <class T>
class SeparableConv2DLayer final : public Layer<T> {
 public:
  /// `depthwise`: of one sample.
  SeparableConv2DLayer(SeparableConv2D options, const kernels::ConvGeometry& depthwise)
      : options_(std::move(options)), depthwise_(depthwise) {}

  void use(Arithmetic arithmetic, const kernels::ConvChoices* choices) override {
    depthwise_.arithmetic = arithmetic;
    depthwise_.choices = choices;
  }

  [[nodiscard]] std::vector<ParameterSpec> parameters() const override {
    const kernels::ConvGeometry& g = depthwise_;
    std::vector<ParameterSpec> specs{{.name = "depthwise_kernel",
                                      .shape = {g.r, g.s, g.c, options_.depth_multiplier},
                                      .initializer = options_.depthwise_initializer,
                                      .regularizer = options_.depthwise_regularizer},
                                     {.name = "pointwise_kernel",
                                      .shape = {1, 1, g.k, options_.filters},
                                      .initializer = options_.pointwise_initializer,
                                      .regularizer = options_.pointwise_regularizer}};
    if (options_.use_bias) specs.push_back(detail::bias_of(options_, options_.filters));
    return specs;
  }
  [[nodiscard]] BackwardNeeds needs(const ActivationFunction& f) const override {
    return detail::biased_product_needs(f);
  }
  [[nodiscard]] std::size_t saved_bytes(std::int64_t batch) const override {
    return sums_bytes(batch) + between_bytes(batch);
  }
  [[nodiscard]] std::size_t forward_workspace(std::int64_t batch, int threads) const override {
    return between_bytes(batch) + conv_workspace(batch, threads, {kernels::ConvPass::forward});
  }
  [[nodiscard]] std::size_t backward_workspace(std::int64_t batch, int threads) const override {
    return std::max(
        conv_workspace(batch, threads, {kernels::ConvPass::backward_input, kernels::ConvPass::backward_kernel}),
        kernels::column_sums_workspace<T>(kernels::output_pixels(depthwise(batch)), options_.filters));
  }
  [[nodiscard]] std::vector<kernels::ConvGeometry> convolutions(std::int64_t batch) const override {
    return {depthwise(batch), pointwise(batch)};
  }
  [[nodiscard]] double flop(std::int64_t batch) const override {
    const auto products = [](const kernels::ConvGeometry& g) {
      return kernels::output_pixels(g) * g.k * kernels::patch_size(g);
    };
    return 2.0 * static_cast<double>(products(depthwise(batch)) + products(pointwise(batch)));
  }
  [[nodiscard]] ActivationFunction activation() const override { return options_.activation; }
  [[nodiscard]] bool fuses_activation() const override { return true; }
  [[nodiscard]] bool reports_output(const ActivationFunction& f) const override {
    return detail::biased_product_reports(f);
  }
  [[nodiscard]] bool absorbs_affine() const override { return true; }
  [[nodiscard]] std::size_t affine_kernel() const override { return 1; }

  void forward(const ForwardPass<T>& pass) const override {
    T* const between = reinterpret_cast<T*>(pass.training ? pass.saved + sums_bytes(pass.batch) : pass.workspace);
    std::byte* const workspace = pass.workspace + between_bytes(pass.batch);
    kernels::conv_forward(depthwise(pass.batch), pass.inputs[0].data(),
                          static_cast<const T*>(pass.parameters[0].data()), between, {}, pass.threads, workspace);
    const auto mix = [&](T* y, const kernels::Epilogue<T>& epilogue) {
      kernels::conv_forward(pointwise(pass.batch), static_cast<const T*>(between),
                            static_cast<const T*>(pass.parameters[1].data()), y, epilogue, pass.threads, workspace);
    };
    detail::biased_product_forward(pass, options_.filters, mix, 2);
  }
  void backward(const BackwardPass<T>& pass) const override {
    detail::biased_product_backward(pass, options_.filters, pass.workspace, 2);
    const kernels::ConvGeometry first = depthwise(pass.batch), second = pointwise(pass.batch);
    const T* const dy = pass.d_output.data();
    T* const between = reinterpret_cast<T*>(pass.saved + sums_bytes(pass.batch));
    if (pass.d_parameters[1])
      kernels::conv_backward_kernel(second, static_cast<const T*>(between), dy, pass.d_parameters[1].data(),
                                    pass.threads, pass.workspace);
    if (!pass.d_parameters[0] && !pass.d_inputs[0]) return;
    kernels::conv_backward_input(second, dy, static_cast<const T*>(pass.parameters[1].data()), between, pass.threads,
                                 pass.workspace);
    if (pass.d_parameters[0])
      kernels::conv_backward_kernel(first, pass.inputs[0].data(), static_cast<const T*>(between),
                                    pass.d_parameters[0].data(), pass.threads, pass.workspace);
    if (pass.d_inputs[0])
      kernels::conv_backward_input(first, static_cast<const T*>(between),
                                   static_cast<const T*>(pass.parameters[0].data()), pass.d_inputs[0].data(),
                                   pass.threads, pass.workspace);
  }

 private:
  [[nodiscard]] kernels::ConvGeometry depthwise(std::int64_t batch) const {
    kernels::ConvGeometry g = depthwise_;
    g.n = batch;
    return g;
  }
  [[nodiscard]] kernels::ConvGeometry pointwise(std::int64_t batch) const {
    return kernels::with_output({.n = batch,
                                 .h = depthwise_.oh,
                                 .w = depthwise_.ow,
                                 .c = depthwise_.k,
                                 .k = options_.filters,
                                 .arithmetic = depthwise_.arithmetic,
                                 .choices = depthwise_.choices});
  }
  [[nodiscard]] std::size_t conv_workspace(std::int64_t batch, int threads,
                                           std::initializer_list<kernels::ConvPass> passes) const {
    std::size_t most = 0;
    for (const kernels::ConvPass pass : passes)
      for (const kernels::ConvGeometry& g : {depthwise(batch), pointwise(batch)})
        most = std::max(most, kernels::conv_workspace<T>(g, pass, threads));
    return most;
  }
  /// The sums before an activation whose gradient needs them, and what comes between the convolutions.
  [[nodiscard]] std::size_t sums_bytes(std::int64_t batch) const {
    const std::int64_t outputs = kernels::output_pixels(depthwise(batch)) * options_.filters;
    return round_to_cache_line(detail::biased_product_saved<T>(options_.activation, outputs));
  }
  [[nodiscard]] std::size_t between_bytes(std::int64_t batch) const {
    return round_to_cache_line(static_cast<std::size_t>(kernels::output_pixels(depthwise(batch)) * depthwise_.k) *
                               sizeof(T));
  }

  SeparableConv2D options_;
  kernels::ConvGeometry depthwise_;  ///< of one sample
};

template <class T>
std::unique_ptr<Layer<T>> SeparableConv2D::make(std::span<const Shape> inputs) const {
  return std::make_unique<SeparableConv2DLayer<T>>(*this, geometry(inputs));
}

}  // namespace mien::inline v0
