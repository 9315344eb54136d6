#pragma once

#include <algorithm>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <mien/layers/layer.hpp>

namespace mien::inline v0 {

/// The layer of a model's input. It has a shape and a name and never runs: Input() makes its node.
struct InputLayer {
  static constexpr const char* type = "InputLayer";

  Shape shape;
  std::string name{};

  [[nodiscard]] Shape output_shape(std::span<const Shape>) const {
    if (shape.empty() || shape.rank() >= Shape::max_rank ||
        std::any_of(shape.begin(), shape.end(), [](auto n) { return n < 1; }))
      throw ShapeError(text(detail::layer_title(*this), " expected 1 to ", Shape::max_rank - 1,
                            " positive extents (the batch is not among them), got ", shape));
    return shape;
  }
  template <class T>
  [[nodiscard]] std::unique_ptr<Layer<T>> make(std::span<const Shape> inputs) const;
};

/// The input of a model: samples of this shape, without the batch.
///
///     Node x = Input({48, 48, 3});      // height, width, channels
///
/// `name`: default "input_1". Throws ShapeError on an extent below 1, none, or more than 5 of them.
template <class = void>
[[nodiscard]] Node Input(const Shape& shape, std::string name = {}) {
  return apply(InputLayer{.shape = shape, .name = std::move(name)}, {});
}

template <class T>
std::unique_ptr<Layer<T>> InputLayer::make(std::span<const Shape>) const {
  throw OptionError(text(detail::layer_title(*this), " is data and does not run: a model starts behind it"));
}

}  // namespace mien::inline v0
