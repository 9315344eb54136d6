#pragma once

#include <memory>
#include <span>
#include <string>

#include <mien/layers/layer.hpp>

namespace mien::inline v0 {

/// A view: the model hands the input's memory on, and the two passes are never called.
template <class T>
class FlattenLayer final : public Layer<T> {
 public:
  [[nodiscard]] bool is_view() const override { return true; }
  void forward(const ForwardPass<T>&) const override {}
  void backward(const BackwardPass<T>&) const override {}
};

/// Each sample as one row of numbers, in the order of memory (rows, columns, channels). Costs nothing.
/// Input: (N, ...). Output: (N, product of the rest). No parameters.
///
///     Node y = Flatten{}(x);      // (3, 3, 512) -> (4608,)
struct Flatten {
  static constexpr const char* type = "Flatten";

  std::string name{};     ///< default: "flatten", "flatten_1", ...
  bool trainable = true;  ///< without effect: there are no parameters

  [[nodiscard]] Shape output_shape(std::span<const Shape> inputs) const {
    return {detail::single_input(*this, inputs).size()};
  }
  template <class T>
  [[nodiscard]] std::unique_ptr<Layer<T>> make(std::span<const Shape> inputs) const;
  void visit_options(OptionVisitor&) {}
  template <class = void>
  [[nodiscard]] Node operator()(const Node& x) const {
    return apply(*this, {x});
  }
};

template <class T>
std::unique_ptr<Layer<T>> Flatten::make(std::span<const Shape>) const {
  return std::make_unique<FlattenLayer<T>>();
}

}  // namespace mien::inline v0
