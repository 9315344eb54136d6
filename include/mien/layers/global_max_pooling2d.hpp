#pragma once

#include <memory>
#include <span>
#include <string>

#include <mien/layers/layer.hpp>
#include <mien/layers/max_pooling2d.hpp>

namespace mien::inline v0 {

/// Maximum over the picture of each channel: y[n, c] = max_{h, w} x[n, h, w, c]. The gradient goes to the first one.
/// Input: (N, H, W, C). Output: (N, C), or (N, 1, 1, C) with keepdims. No parameters. Runs as a MaxPooling2D whose
/// window is the picture.
///
///     Node y = GlobalMaxPooling2D{}(x);   // (3, 3, 512) -> (512)
struct GlobalMaxPooling2D {
  static constexpr const char* type = "GlobalMaxPooling2D";

  bool keepdims = false;  ///< keep height and width, as 1
  std::string name{};     ///< default: "global_max_pooling2d", ...

  [[nodiscard]] Shape output_shape(std::span<const Shape> inputs) const {
    const Shape& x = detail::single_input(*this, inputs, 3, "(height, width, channels)");
    detail::check_extents(*this, x, {});
    if (x[0] < 1 || x[1] < 1)
      throw ShapeError(text(detail::layer_title(*this), " expected at least one pixel, got an input of shape ", x));
    return keepdims ? Shape{1, 1, x[2]} : Shape{x[2]};
  }
  template <class T>
  [[nodiscard]] std::unique_ptr<Layer<T>> make(std::span<const Shape> inputs) const;
  void visit_options(OptionVisitor& visit) { visit("keepdims", keepdims); }
  template <class = void>
  [[nodiscard]] Node operator()(const Node& x) const {
    return apply(*this, {x});
  }
};

template <class T>
std::unique_ptr<Layer<T>> GlobalMaxPooling2D::make(std::span<const Shape> inputs) const {
  const Shape& x = inputs[0];
  return std::make_unique<MaxPooling2DLayer<T>>(kernels::with_output(
      {.h = x[0], .w = x[1], .c = x[2], .k = x[2], .r = x[0], .s = x[1], .stride_h = x[0], .stride_w = x[1]}));
}

}  // namespace mien::inline v0
