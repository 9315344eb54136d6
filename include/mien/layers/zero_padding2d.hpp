#pragma once

#include <algorithm>
#include <memory>
#include <span>
#include <string>

#include <mien/core/parallel.hpp>
#include <mien/kernels/image/transform.hpp>
#include <mien/layers/layer.hpp>
#include <mien/layers/window_limits.hpp>

namespace mien::inline v0 {

template <class T>
class ZeroPadding2DLayer final : public Layer<T> {
 public:
  ZeroPadding2DLayer(const Shape& input, const Border2D& border)
      : input_{input[0], input[1], input[2]},
        output_{input[0] + border.top + border.bottom, input[1] + border.left + border.right, input[2]},
        border_(border) {}

  [[nodiscard]] BackwardNeeds needs(const ActivationFunction&) const override {
    return {.inputs = false, .output = false};
  }
  void forward(const ForwardPass<T>& pass) const override {
    const T* x = pass.inputs[0].data();
    T* y = pass.output.data();
    parallel_for(pass.threads, pass.batch, [&](std::int64_t n, int) {
      kernels::pad_picture(input_, output_, border_.top, border_.left, x + n * input_.size(), y + n * output_.size());
    });
  }
  void backward(const BackwardPass<T>& pass) const override {
    const T* dy = pass.d_output.data();
    T* dx = pass.d_inputs[0].data();
    if (dx == nullptr) return;
    parallel_for(pass.threads, pass.batch, [&](std::int64_t n, int) {
      kernels::crop_picture(input_, output_, border_.top, border_.left, dy + n * output_.size(),
                            dx + n * input_.size());
    });
  }

 private:
  kernels::Picture input_, output_;
  Border2D border_;
};

/// Rows and columns of zeros around a picture.
/// Input: (N, H, W, C). Output: (N, top + H + bottom, left + W + right, C). No parameters.
/// Throws OptionError on a negative number of rows or columns.
///
///     Node y = ZeroPadding2D{.padding = 3}(x);                // (48, 48, 3) -> (54, 54, 3)
///     Node z = ZeroPadding2D{.padding = {0, 1, 0, 1}}(x);     // one row below, one column at the right
struct ZeroPadding2D {
  static constexpr const char* type = "ZeroPadding2D";

  Border2D padding = 1;  ///< all four sides; {rows, columns}; or {top, bottom, left, right}
  std::string name{};

  [[nodiscard]] Shape output_shape(std::span<const Shape> inputs) const {
    const Shape& x = detail::single_input(*this, inputs, 3, "(height, width, channels)");
    if (std::min({padding.top, padding.bottom, padding.left, padding.right}) < 0)
      throw OptionError(text(detail::layer_title(*this), " expected padding of 0 or more, got top ", padding.top,
                             ", bottom ", padding.bottom, ", left ", padding.left, ", right ", padding.right));
    detail::check_extents(*this, x, {padding.top, padding.bottom, padding.left, padding.right});
    return {x[0] + padding.top + padding.bottom, x[1] + padding.left + padding.right, x[2]};
  }
  template <class T>
  [[nodiscard]] std::unique_ptr<Layer<T>> make(std::span<const Shape> inputs) const;
  void visit_options(OptionVisitor& visit) { visit("padding", padding); }
  template <class = void>
  [[nodiscard]] Node operator()(const Node& x) const {
    return apply(*this, {x});
  }
};

template <class T>
std::unique_ptr<Layer<T>> ZeroPadding2D::make(std::span<const Shape> inputs) const {
  return std::make_unique<ZeroPadding2DLayer<T>>(inputs[0], padding);
}

}  // namespace mien::inline v0
