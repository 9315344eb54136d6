#pragma once

#include <memory>
#include <span>
#include <string>

#include <mien/layers/activation.hpp>

namespace mien::inline v0 {

/// y = x for x > 0, else negative_slope x, as a layer of its own. A model runs it within the layer before wherever that
/// one can. Input: (N, ...). Output: the same shape. No parameters. Throws OptionError on a negative slope. (Keras 2
/// calls the option alpha.)
///
///     Node y = LeakyReLU{.negative_slope = 0.1}(x);
struct LeakyReLU {
  static constexpr const char* type = "LeakyReLU";

  double negative_slope = 0.3;  ///< of the line below zero
  std::string name{};           ///< default: "leaky_re_lu", "leaky_re_lu_1", ...
  bool trainable = true;        ///< without effect: there are no parameters

  [[nodiscard]] Shape output_shape(std::span<const Shape> inputs) const {
    if (!(negative_slope >= 0))
      throw OptionError(
          text(detail::layer_title(*this), " expected a negative_slope of 0 or more, got ", negative_slope));
    return detail::single_input(*this, inputs);
  }
  template <class T>
  [[nodiscard]] std::unique_ptr<Layer<T>> make(std::span<const Shape> inputs) const;
  void visit_options(OptionVisitor& visit) { visit("negative_slope", negative_slope); }
  template <class = void>
  [[nodiscard]] Node operator()(const Node& x) const {
    return apply(*this, {x});
  }
};

template <class T>
std::unique_ptr<Layer<T>> LeakyReLU::make(std::span<const Shape>) const {
  return std::make_unique<ActivationLayer<T>>(leaky_relu(negative_slope));
}

}  // namespace mien::inline v0
