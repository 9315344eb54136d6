#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include <mien/layers/layer.hpp>
#include <mien/layers/random_transform.hpp>

namespace mien::inline v0 {

namespace detail {
struct FlipTransform {
  bool horizontal, vertical;

  template <class T>
  void forward(const kernels::Picture& p, const Random& random, std::int64_t n, const T* x, T* y) const {
    const auto first = static_cast<std::uint64_t>(2 * n);
    kernels::flip_picture(p, horizontal && random.uniform_at(first) < 0.5,
                          vertical && random.uniform_at(first + 1) < 0.5, x, y);
  }
  template <class T>
  void backward(const kernels::Picture& p, const Random& random, std::int64_t n, const T* dy, T* dx) const {
    forward(p, random, n, dy, dx);
  }
};
}  // namespace detail

/// Mirrors each picture with probability 1/2 in each direction asked for; in training only.
/// Input and output: (N, H, W, C). No parameters. Throws OptionError on an unknown mode.
///
///     Node y = RandomFlip{.mode = "horizontal"}(x);
struct RandomFlip {
  static constexpr const char* type = "RandomFlip";

  std::string mode = "horizontal_and_vertical";  ///< "horizontal" (left-right), "vertical" (top-bottom), or both
  std::string name{};

  [[nodiscard]] Shape output_shape(std::span<const Shape> inputs) const {
    if (mode != "horizontal" && mode != "vertical" && mode != "horizontal_and_vertical")
      throw OptionError(text(detail::layer_title(*this),
                             " expected mode horizontal, vertical or horizontal_and_vertical, got '", mode, "'"));
    return detail::single_input(*this, inputs, 3, "(height, width, channels)");
  }
  template <class T>
  [[nodiscard]] std::unique_ptr<Layer<T>> make(std::span<const Shape> inputs) const;
  void visit_options(OptionVisitor& visit) { visit("mode", mode); }
  template <class = void>
  [[nodiscard]] Node operator()(const Node& x) const {
    return apply(*this, {x});
  }
};

template <class T>
std::unique_ptr<Layer<T>> RandomFlip::make(std::span<const Shape> inputs) const {
  return std::make_unique<RandomTransformLayer<T, detail::FlipTransform>>(
      inputs[0], detail::FlipTransform{.horizontal = mode != "vertical", .vertical = mode != "horizontal"});
}

}  // namespace mien::inline v0
