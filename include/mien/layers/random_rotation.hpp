#pragma once

#include <cmath>
#include <cstdint>
#include <memory>
#include <numbers>
#include <span>
#include <string>

#include <mien/layers/layer.hpp>
#include <mien/layers/random_transform.hpp>

namespace mien::inline v0 {

namespace detail {
struct RotationMap {
  double factor;

  /// Counter-clockwise about the middle of the picture by an angle a: rows go down, so output (row, column) comes from
  /// row cos a + column sin a, column cos a - row sin a, seen from the middle.
  [[nodiscard]] kernels::AffineMap operator()(const kernels::Picture& p, const Random& random, std::int64_t n) const {
    const double angle = 2 * std::numbers::pi * symmetric_number(random, n, 1, 0, factor);
    const double cosine = std::cos(angle), sine = std::sin(angle);
    const double row = static_cast<double>(p.h - 1) / 2, column = static_cast<double>(p.w - 1) / 2;
    return {.row_0 = row - cosine * row - sine * column,
            .row_h = cosine,
            .row_w = sine,
            .column_0 = column - cosine * column + sine * row,
            .column_h = -sine,
            .column_w = cosine};
  }
};
}  // namespace detail

/// Turns each picture about its middle by a random angle in [-factor, factor) full turns, counter-clockwise if
/// positive; in training only. Input and output: (N, H, W, C). No parameters. Throws OptionError on a negative factor
/// or an unknown word.
///
///     Node y = RandomRotation{.factor = 0.05}(x);   // up to 18 degrees either way
struct RandomRotation {
  static constexpr const char* type = "RandomRotation";

  double factor = 0;                       ///< in turns of 2 pi
  std::string fill_mode = "reflect";       ///< what comes in: "reflect", "constant", "wrap" or "nearest"
  std::string interpolation = "bilinear";  ///< or "nearest"
  double fill_value = 0;                   ///< for fill_mode "constant"
  std::string name{};

  [[nodiscard]] Shape output_shape(std::span<const Shape> inputs) const {
    static_cast<void>(detail::sampling_of(*this));
    if (factor < 0)
      throw OptionError(text(detail::layer_title(*this), " expected a factor of 0 or more, got ", factor));
    return detail::single_input(*this, inputs, 3, "(height, width, channels)");
  }
  template <class T>
  [[nodiscard]] std::unique_ptr<Layer<T>> make(std::span<const Shape> inputs) const;
  void visit_options(OptionVisitor& visit) {
    visit("factor", factor);
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
std::unique_ptr<Layer<T>> RandomRotation::make(std::span<const Shape> inputs) const {
  using Transform = detail::AffineTransform<detail::RotationMap>;
  return std::make_unique<RandomTransformLayer<T, Transform>>(
      inputs[0], Transform{.map = {factor}, .sampling = detail::sampling_of(*this)});
}

}  // namespace mien::inline v0
