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
#include <mien/layers/prepared_kernel.hpp>

namespace mien::inline v0 {

template <class T>
class Conv2DLayer;

/// Convolution (cross-correlation, as everywhere in deep learning) of pictures with filters:
///
///     y[n, i, j, k] = f(bias[k] + sum_{r, s, c} x[n, i stride_h - top + r dilation_h, j stride_w - left + s
///     dilation_w, c]
///                                               kernel[r, s, c, k])
///
/// Beyond the border x is 0. Input: (N, H, W, C). Output: (N, OH, OW, filters) with, for a kernel of R rows that spans
/// E = (R - 1) dilation_h + 1: Padding::valid OH = floor((H - E) / stride_h) + 1, Padding::same OH = ceil(H /
/// stride_h). Parameters: kernel (R, S, C / groups, filters), bias (filters). Throws OptionError on sizes below 1,
/// channels or filters that groups does not divide, strides together with dilation; ShapeError if the kernel does not
/// fit.
///
///     Node y = Conv2D{.filters = 64, .kernel_size = 3, .activation = relu}(x);      // (48, 48, 3) -> (46, 46, 64)
struct Conv2D {
  static constexpr const char* type = "Conv2D";

  std::int64_t filters = 0;                         ///< channels of the output; to be given
  Size2D kernel_size = 0;                           ///< the kernel's rows and columns; to be given
  Size2D strides = 1;                               ///< from one window to the next
  Padding padding = Padding::valid;                 ///< same: the odd row or column goes bottom, right
  Size2D dilation_rate = 1;                         ///< from one tap of the kernel to the next
  std::int64_t groups = 1;                          ///< filters k / groups see channels c / groups only
  ActivationFunction activation = linear;           ///< f; softmax is over the filters
  bool use_bias = true;                             ///< false: no bias
  Initializer kernel_initializer = glorot_uniform;  ///< of the kernel's first values
  Initializer bias_initializer = zeros;             ///< of the bias's first values
  Regularizer kernel_regularizer{};                 ///< penalty on the kernel; default: none
  Regularizer bias_regularizer{};                   ///< penalty on the bias; default: none
  std::string name{};                               ///< default: "conv2d", "conv2d_1", ...
  bool trainable = true;                            ///< false: the parameters stay as they are
  Arithmetic arithmetic = Arithmetic::fast;         ///< strict: as ModelOptions::arithmetic, for this layer alone

  [[nodiscard]] Shape output_shape(std::span<const Shape> inputs) const {
    const kernels::ConvGeometry g = detail::conv_geometry(*this, inputs, filters, groups);
    return {g.oh, g.ow, g.k};
  }
  template <class T>
  [[nodiscard]] std::unique_ptr<Layer<T>> make(std::span<const Shape> inputs) const;
  void visit_options(OptionVisitor& visit) {
    visit("filters", filters);
    visit("kernel_size", kernel_size);
    visit("strides", strides);
    visit("padding", padding);
    visit("dilation_rate", dilation_rate);
    visit("groups", groups);
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
};

/// Any convolution with one kernel: it knows its geometry, its parameters (kernel, perhaps bias) and its activation.
template <class T>
class Conv2DLayer final : public Layer<T> {
 public:
  Conv2DLayer(std::vector<ParameterSpec> parameters, const ActivationFunction& activation,
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
    return detail::biased_product_saved<T>(activation_, outputs(batch));
  }
  [[nodiscard]] std::size_t forward_workspace(std::int64_t batch, int threads) const override {
    return std::max(kernels::conv_workspace<T>(over(batch), kernels::ConvPass::forward, threads),
                    kernels::conv_workspace<T>(prepared(batch), kernels::ConvPass::forward, threads));
  }
  [[nodiscard]] std::unique_ptr<const PreparedParameters> prepare(std::span<const TensorView<T>> parameters,
                                                                  std::int64_t max_batch, int threads) const override {
    return detail::PreparedKernel<T>::make({prepared(1), prepared(max_batch)}, parameters[0].data(), threads);
  }
  [[nodiscard]] std::size_t backward_workspace(std::int64_t batch, int threads) const override {
    return std::max({kernels::conv_workspace<T>(over(batch), kernels::ConvPass::backward_input, threads),
                     kernels::conv_workspace<T>(over(batch), kernels::ConvPass::backward_kernel, threads),
                     kernels::column_sums_workspace<T>(kernels::output_pixels(over(batch)), geometry_.k)});
  }
  [[nodiscard]] std::vector<kernels::ConvGeometry> convolutions(std::int64_t batch) const override {
    return {over(batch)};
  }
  [[nodiscard]] double flop(std::int64_t batch) const override {
    return 2.0 * static_cast<double>(outputs(batch) * kernels::patch_size(geometry_));
  }
  [[nodiscard]] ActivationFunction activation() const override { return activation_; }
  [[nodiscard]] bool fuses_activation() const override { return true; }
  [[nodiscard]] bool reports_output(const ActivationFunction& f) const override {
    return detail::biased_product_reports(f);
  }
  [[nodiscard]] bool absorbs_affine() const override { return true; }

  void forward(const ForwardPass<T>& pass) const override {
    const auto* const kernel = static_cast<const detail::PreparedKernel<T>*>(pass.prepared);
    detail::biased_product_forward(pass, geometry_.k, [&](T* y, const kernels::Epilogue<T>& epilogue) {
      if (kernel != nullptr && kernel->forward({prepared(pass.batch), pass.inputs[0].data(), nullptr, y, epilogue,
                                                pass.threads, pass.workspace}))
        return;
      kernels::conv_forward(over(pass.batch), pass.inputs[0].data(), static_cast<const T*>(pass.parameters[0].data()),
                            y, epilogue, pass.threads, pass.workspace);
    });
  }
  void backward(const BackwardPass<T>& pass) const override {
    detail::biased_product_backward(pass, geometry_.k, pass.workspace);
    const kernels::ConvGeometry g = over(pass.batch);
    const T* const dy = pass.d_output.data();
    const T* const kernel = pass.parameters[0].data();
    if (pass.d_parameters[0])
      kernels::conv_backward_kernel(g, pass.inputs[0].data(), dy, pass.d_parameters[0].data(), pass.threads,
                                    pass.workspace);
    if (pass.d_inputs[0])
      kernels::conv_backward_input(g, dy, kernel, pass.d_inputs[0].data(), pass.threads, pass.workspace);
  }

 private:
  [[nodiscard]] kernels::ConvGeometry over(std::int64_t batch) const {
    kernels::ConvGeometry g = geometry_;
    g.n = batch;
    return g;
  }
  [[nodiscard]] kernels::ConvGeometry prepared(std::int64_t batch) const {
    kernels::ConvGeometry g = over(batch);
    g.kernel_prepared = true;
    return g;
  }
  [[nodiscard]] std::int64_t outputs(std::int64_t batch) const {
    return kernels::output_pixels(over(batch)) * geometry_.k;
  }

  std::vector<ParameterSpec> parameters_;
  ActivationFunction activation_;
  kernels::ConvGeometry geometry_;  ///< of one sample
};

template <class T>
std::unique_ptr<Layer<T>> Conv2D::make(std::span<const Shape> inputs) const {
  kernels::ConvGeometry g = detail::conv_geometry(*this, inputs, filters, groups);
  g.arithmetic = arithmetic;
  return std::make_unique<Conv2DLayer<T>>(detail::kernel_and_bias(*this, {g.r, g.s, kernels::group_channels(g), g.k}),
                                          activation, g);
}

}  // namespace mien::inline v0
