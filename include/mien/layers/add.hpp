#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <mien/kernels/elementwise/activate.hpp>
#include <mien/kernels/elementwise/add.hpp>
#include <mien/layers/layer.hpp>

namespace mien::inline v0 {

template <class T>
class AddLayer final : public Layer<T> {
 public:
  [[nodiscard]] BackwardNeeds needs(const ActivationFunction& f) const override {
    return {.inputs = false, .output = f != linear};
  }
  [[nodiscard]] bool fuses_activation() const override { return true; }

  void forward(const ForwardPass<T>& pass) const override {
    for_each_piece(pass, pass.output, [&](std::int64_t i, std::int64_t n) {
      T* const y = pass.output.data() + i;
      kernels::add(n, pass.inputs[0].data() + i, pass.inputs[1].data() + i, y, 1);
      for (std::size_t k = 2; k < pass.inputs.size(); ++k) kernels::accumulate(n, pass.inputs[k].data() + i, y, 1);
      kernels::activate(pass.activation, n, y, y);
    });
  }
  void backward(const BackwardPass<T>& pass) const override {
    for_each_piece(pass, pass.d_output, [&](std::int64_t i, std::int64_t n) {
      T* const dy = pass.d_output.data() + i;
      if (pass.activation != linear)
        kernels::activate_backward<T>(pass.activation, n, nullptr, pass.output.data() + i, dy, dy);
      for (const TensorView<T>& dx : pass.d_inputs)
        if (dx) std::copy(dy, dy + n, dx.data() + i);
    });
  }

 private:
  template <class Body>
  static void for_each_piece(const Pass& pass, const TensorView<T>& tensor, const Body& body) {
    const std::int64_t columns = std::max<std::int64_t>(1, tensor.shape()[-1]);
    kernels::for_each_activated_piece(pass.activation, tensor.size() / columns, columns, pass.threads, body);
  }
};

/// The sum of two or more tensors of one shape: the end of a residual block.
/// Inputs: (N, ...), all the same. Output: the same shape. No parameters.
/// Throws ShapeError if the shapes differ or there is only one.
///
///     Node y = add({shortcut, x});
///     Node z = Add{.name = "conv2_block1_add"}({shortcut, x});
struct Add {
  static constexpr const char* type = "Add";

  std::string name{};     ///< default: "add", "add_1", ...
  bool trainable = true;  ///< without effect: there are no parameters

  [[nodiscard]] Shape output_shape(std::span<const Shape> inputs) const {
    if (inputs.size() < 2)
      throw ShapeError(text(detail::layer_title(*this), " expected two inputs or more, got ", inputs.size()));
    for (const Shape& shape : inputs)
      if (shape != inputs[0])
        throw ShapeError(text(detail::layer_title(*this), " expected inputs of one shape, got ", join(inputs)));
    return inputs[0];
  }
  template <class T>
  [[nodiscard]] std::unique_ptr<Layer<T>> make(std::span<const Shape> inputs) const;
  void visit_options(OptionVisitor&) {}
  template <class = void>
  [[nodiscard]] Node operator()(std::vector<Node> inputs) const {
    return apply(*this, std::move(inputs));
  }
};

/// Add{} applied to these nodes.
template <class = void>
[[nodiscard]] Node add(std::vector<Node> inputs) {
  return Add{}(std::move(inputs));
}

template <class T>
std::unique_ptr<Layer<T>> Add::make(std::span<const Shape>) const {
  return std::make_unique<AddLayer<T>>();
}

}  // namespace mien::inline v0
