#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include <mien/layers/layer.hpp>
#include <mien/layers/random_transform.hpp>

namespace mien::inline v0 {

namespace detail {
struct TranslationMap {
  double height_factor, width_factor;

  [[nodiscard]] kernels::AffineMap operator()(const kernels::Picture& p, const Random& random, std::int64_t n) const {
    return {.row_0 = -static_cast<double>(p.h) * symmetric_number(random, n, 2, 0, height_factor),
            .column_0 = -static_cast<double>(p.w) * symmetric_number(random, n, 2, 1, width_factor)};
  }
};
}  // namespace detail

/// Shifts each picture by a random fraction of its height, in [-height_factor, height_factor), and of its width; in
/// training only.
/// Input and output: (N, H, W, C). No parameters. Throws OptionError on a negative factor or an unknown word.
///
///     Node y = RandomTranslation{.height_factor = 0.1, .width_factor = 0.1, .fill_mode = "nearest"}(x);
struct RandomTranslation {
  static constexpr const char* type = "RandomTranslation";

  double height_factor = 0;
  double width_factor = 0;
  std::string fill_mode = "reflect";       ///< what comes in: "reflect", "constant", "wrap" or "nearest"
  std::string interpolation = "bilinear";  ///< or "nearest"
  double fill_value = 0;                   ///< for fill_mode "constant"
  std::string name{};

  [[nodiscard]] Shape output_shape(std::span<const Shape> inputs) const {
    static_cast<void>(detail::sampling_of(*this));
    if (height_factor < 0 || width_factor < 0)
      throw OptionError(text(detail::layer_title(*this), " expected factors of 0 or more, got height_factor ",
                             height_factor, " and width_factor ", width_factor));
    return detail::single_input(*this, inputs, 3, "(height, width, channels)");
  }
  template <class T>
  [[nodiscard]] std::unique_ptr<Layer<T>> make(std::span<const Shape> inputs) const;
  void visit_options(OptionVisitor& visit) {
    visit("height_factor", height_factor);
    visit("width_factor", width_factor);
    visit("fill_mode", fill_mode);
    visit("interpolation", interpolation);
    visit("fill_value", fill_value);
  }
  template <class = void>
  [[nodiscard]] Node operator()(const Node& x) const {
    return apply(*this, {x});
  }
};

template <class T>
std::unique_ptr<Layer<T>> RandomTranslation::make(std::span<const Shape> inputs) const {
  using Transform = detail::AffineTransform<detail::TranslationMap>;
  return std::make_unique<RandomTransformLayer<T, Transform>>(
      inputs[0], Transform{.map = {height_factor, width_factor}, .sampling = detail::sampling_of(*this)});
}

}  // namespace mien::inline v0
