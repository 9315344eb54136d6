#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include <mien/kernels/elementwise/activate.hpp>
#include <mien/layers/layer.hpp>

namespace mien::inline v0 {

template <class T>
class ActivationLayer final : public Layer<T> {
 public:
  explicit ActivationLayer(const ActivationFunction& activation) : activation_(activation) {}

  [[nodiscard]] BackwardNeeds needs(const ActivationFunction& f) const override {
    const bool from_output = differentiable_from_output(f);
    return {.inputs = !from_output, .output = from_output && f != linear};
  }
  [[nodiscard]] bool in_place() const override { return differentiable_from_output(activation_); }
  [[nodiscard]] bool backward_in_place() const override { return true; }
  [[nodiscard]] bool identity_in_inference() const override { return activation_ == linear; }
  [[nodiscard]] ActivationFunction activation() const override { return activation_; }
  [[nodiscard]] bool only_activates() const override { return true; }

  void forward(const ForwardPass<T>& pass) const override {
    const std::int64_t columns = columns_of(pass.output.shape());
    kernels::activate(pass.activation, pass.output.size() / columns, columns, pass.inputs[0].data(), pass.output.data(),
                      pass.threads);
  }
  void backward(const BackwardPass<T>& pass) const override {
    if (!pass.d_inputs[0]) return;
    const std::int64_t columns = columns_of(pass.d_output.shape());
    kernels::activate_backward<T>(pass.activation, pass.d_output.size() / columns, columns, pass.inputs[0].data(),
                                  pass.output.data(), pass.d_output.data(), pass.d_inputs[0].data(), pass.threads);
  }

 private:
  static std::int64_t columns_of(const Shape& shape) { return shape[-1] > 0 ? shape[-1] : 1; }

  ActivationFunction activation_;
};

/// An activation as a layer of its own: y = f(x), element by element; softmax over the last axis. A model runs it
/// within the layer before wherever that one can. Input: (N, ...). Output: the same shape. No parameters.
///
///     Node y = Activation{.activation = relu}(x);
///     Node z = Activation{leaky_relu(0.1)}(x);
struct Activation {
  static constexpr const char* type = "Activation";

  ActivationFunction activation = linear;  ///< linear, relu, leaky_relu(a), elu(a), gelu, silu, sigmoid, tanh, softmax
  std::string name{};                      ///< default: "activation", "activation_1", ...
  bool trainable = true;                   ///< without effect: there are no parameters

  [[nodiscard]] Shape output_shape(std::span<const Shape> inputs) const { return detail::single_input(*this, inputs); }
  template <class T>
  [[nodiscard]] std::unique_ptr<Layer<T>> make(std::span<const Shape> inputs) const;
  void visit_options(OptionVisitor& visit) { visit("activation", activation); }
  template <class = void>
  [[nodiscard]] Node operator()(const Node& x) const {
    return apply(*this, {x});
  }
};

template <class T>
std::unique_ptr<Layer<T>> Activation::make(std::span<const Shape>) const {
  return std::make_unique<ActivationLayer<T>>(activation);
}

}  // namespace mien::inline v0
