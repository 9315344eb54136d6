#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>

#include <mien/kernels/pool/pool.hpp>
#include <mien/layers/layer.hpp>
#include <mien/layers/pooling_geometry.hpp>

namespace mien::inline v0 {

template <class T>
class AveragePooling2DLayer final : public Layer<T> {
 public:
  explicit AveragePooling2DLayer(const kernels::ConvGeometry& windows) : windows_(windows) {}

  [[nodiscard]] BackwardNeeds needs(const ActivationFunction&) const override {
    return {.inputs = false, .output = false};
  }
  void forward(const ForwardPass<T>& pass) const override {
    kernels::average_pool_forward(detail::with_batch(windows_, pass.batch), pass.inputs[0].data(), pass.output.data(),
                                  pass.threads);
  }
  void backward(const BackwardPass<T>& pass) const override {
    if (pass.d_inputs[0])
      kernels::average_pool_backward(detail::with_batch(windows_, pass.batch), pass.d_output.data(),
                                     pass.d_inputs[0].data(), pass.threads);
  }

 private:
  kernels::ConvGeometry windows_;
};

/// Mean over windows of each channel. A window that hangs over the border (Padding::same) is divided by the number of
/// its cells that lie on the picture.
/// Input: (N, H, W, C). Output: (N, OH, OW, C), OH and OW as for MaxPooling2D. No parameters.
/// Throws OptionError on a size or stride below 1, ShapeError if no window fits.
///
///     Node y = AveragePooling2D{.pool_size = 2}(x);   // (48, 48, 64) -> (24, 24, 64)
struct AveragePooling2D {
  static constexpr const char* type = "AveragePooling2D";

  Size2D pool_size = 2;             ///< the window's rows and columns
  std::optional<Size2D> strides{};  ///< from one window to the next; without a value: pool_size
  Padding padding = Padding::valid;
  std::string name{};

  [[nodiscard]] Shape output_shape(std::span<const Shape> inputs) const {
    const kernels::ConvGeometry g = detail::pooling_geometry(*this, inputs);
    return {g.oh, g.ow, g.c};
  }
  template <class T>
  [[nodiscard]] std::unique_ptr<Layer<T>> make(std::span<const Shape> inputs) const;
  void visit_options(OptionVisitor& visit) {
    visit("pool_size", pool_size);
    visit("strides", strides);
    visit("padding", padding);
  }
  template <class = void>
  [[nodiscard]] Node operator()(const Node& x) const {
    return apply(*this, {x});
  }
};

template <class T>
std::unique_ptr<Layer<T>> AveragePooling2D::make(std::span<const Shape> inputs) const {
  return std::make_unique<AveragePooling2DLayer<T>>(detail::pooling_geometry(*this, inputs));
}

}  // namespace mien::inline v0
