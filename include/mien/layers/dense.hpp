#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <mien/kernels/gemm/gemm.hpp>
#include <mien/layers/biased_product.hpp>
#include <mien/layers/layer.hpp>

namespace mien::inline v0 {

/// Fully connected: y = f(x * kernel + bias) over the last axis.
/// Input: (N, ..., C). Output: (N, ..., units). Parameters: kernel (C, units), bias (units).
/// Throws OptionError if units < 1, ShapeError on an input without an axis.
///
///     Node y = Dense{.units = 128, .activation = relu}(x);      // (256,) -> (128,)
struct Dense {
  static constexpr const char* type = "Dense";

  std::int64_t units = 0;                           ///< length of the output's last axis; to be given
  ActivationFunction activation = linear;           ///< f; softmax is over the units
  bool use_bias = true;                             ///< false: y = f(x * kernel)
  Initializer kernel_initializer = glorot_uniform;  ///< of the kernel's first values
  Initializer bias_initializer = zeros;             ///< of the bias's first values
  Regularizer kernel_regularizer{};                 ///< penalty on the kernel; default: none
  Regularizer bias_regularizer{};                   ///< penalty on the bias; default: none
  std::string name{};                               ///< default: "dense", "dense_1", ...
  bool trainable = true;                            ///< false: the parameters stay as they are

  [[nodiscard]] Shape output_shape(std::span<const Shape> inputs) const {
    if (units < 1) throw OptionError(text(detail::layer_title(*this), " expected units of 1 or more, got ", units));
    const Shape& x = detail::single_input(*this, inputs);
    if (x.empty() || x[-1] < 1)
      throw ShapeError(text(detail::layer_title(*this), " expected an input of shape (..., channels), got ", x));
    std::vector<std::int64_t> extents(x.begin(), x.end());
    extents.back() = units;
    return Shape(extents);
  }
  template <class T>
  [[nodiscard]] std::unique_ptr<Layer<T>> make(std::span<const Shape> inputs) const;
  void visit_options(OptionVisitor& visit) {
    visit("units", units);
    visit("activation", activation);
    visit("use_bias", use_bias);
    visit("kernel_initializer", kernel_initializer);
    visit("bias_initializer", bias_initializer);
    visit("kernel_regularizer", kernel_regularizer);
    visit("bias_regularizer", bias_regularizer);
  }
  template <class = void>
  [[nodiscard]] Node operator()(const Node& x) const {
    return apply(*this, {x});
  }
};

template <class T>
class DenseLayer final : public Layer<T> {
 public:
  DenseLayer(Dense options, const Shape& input)
      : options_(std::move(options)), channels_(input[-1]), rows_(input.size() / input[-1]) {}

  [[nodiscard]] std::vector<ParameterSpec> parameters() const override {
    return detail::kernel_and_bias(options_, {channels_, options_.units});
  }
  [[nodiscard]] BackwardNeeds needs(const ActivationFunction& f) const override {
    return detail::biased_product_needs(f);
  }
  [[nodiscard]] std::size_t saved_bytes(std::int64_t batch) const override {
    return detail::biased_product_saved<T>(options_.activation, batch * rows_ * options_.units);
  }
  [[nodiscard]] std::size_t forward_workspace(std::int64_t batch, int threads) const override {
    return kernels::gemm_workspace(forward_product(batch), threads);
  }
  [[nodiscard]] std::size_t backward_workspace(std::int64_t batch, int threads) const override {
    return std::max({kernels::gemm_workspace(kernel_product(batch), threads),
                     kernels::gemm_workspace(input_product(batch), threads),
                     kernels::column_sums_workspace<T>(batch * rows_, options_.units)});
  }
  [[nodiscard]] double flop(std::int64_t batch) const override {
    return 2.0 * static_cast<double>(batch * rows_ * channels_ * options_.units);
  }
  [[nodiscard]] ActivationFunction activation() const override { return options_.activation; }
  [[nodiscard]] bool fuses_activation() const override { return true; }
  [[nodiscard]] bool reports_output(const ActivationFunction& f) const override {
    return detail::biased_product_reports(f);
  }
  [[nodiscard]] bool absorbs_affine() const override { return true; }

  void forward(const ForwardPass<T>& pass) const override {
    detail::biased_product_forward(pass, options_.units, [&](T* y, const kernels::Epilogue<T>& epilogue) {
      kernels::Gemm<T> g = forward_product(pass.batch);
      g.a = pass.inputs[0].data(), g.b = pass.parameters[0].data(), g.c = y;
      g.epilogue = epilogue;
      kernels::gemm(g, pass.threads, pass.workspace);
    });
  }
  void backward(const BackwardPass<T>& pass) const override {
    detail::biased_product_backward(pass, options_.units, pass.workspace);
    if (pass.d_parameters[0]) {
      kernels::Gemm<T> g = kernel_product(pass.batch);
      g.a = pass.inputs[0].data(), g.b = pass.d_output.data(), g.c = pass.d_parameters[0].data();
      kernels::gemm(g, pass.threads, pass.workspace);
    }
    if (pass.d_inputs[0]) {
      kernels::Gemm<T> g = input_product(pass.batch);
      g.a = pass.d_output.data(), g.b = pass.parameters[0].data(), g.c = pass.d_inputs[0].data();
      kernels::gemm(g, pass.threads, pass.workspace);
    }
  }

 private:
  using Product = kernels::Gemm<T>;
  static constexpr auto transposed = kernels::Transpose::yes;

  /// y = x kernel, dkernel = x' dy, dx = dy kernel': sizes only.
  [[nodiscard]] Product forward_product(std::int64_t batch) const {
    const std::int64_t k = options_.units;
    return {.m = batch * rows_, .n = k, .k = channels_, .lda = channels_, .ldb = k, .ldc = k};
  }
  [[nodiscard]] Product kernel_product(std::int64_t batch) const {
    const std::int64_t k = options_.units;
    return {
        .transpose_a = transposed, .m = channels_, .n = k, .k = batch * rows_, .lda = channels_, .ldb = k, .ldc = k};
  }
  [[nodiscard]] Product input_product(std::int64_t batch) const {
    const std::int64_t k = options_.units, c = channels_;
    return {.transpose_b = transposed, .m = batch * rows_, .n = c, .k = k, .lda = k, .ldb = k, .ldc = c};
  }

  Dense options_;
  std::int64_t channels_, rows_;  ///< of one sample
};

template <class T>
std::unique_ptr<Layer<T>> Dense::make(std::span<const Shape> inputs) const {
  return std::make_unique<DenseLayer<T>>(*this, inputs[0]);
}

}  // namespace mien::inline v0
