#pragma once

#include <memory>
#include <span>
#include <string>

#include <mien/kernels/image/upsample.hpp>
#include <mien/layers/layer.hpp>
#include <mien/layers/window_limits.hpp>

namespace mien::inline v0 {

template <class T>
class UpSampling2DLayer final : public Layer<T> {
 public:
  explicit UpSampling2DLayer(const kernels::Upsampling& geometry) : geometry_(geometry) {}

  [[nodiscard]] BackwardNeeds needs(const ActivationFunction&) const override {
    return {.inputs = false, .output = false};
  }
  void forward(const ForwardPass<T>& pass) const override {
    kernels::upsample_forward(geometry_, pass.batch, pass.inputs[0].data(), pass.output.data(), pass.threads);
  }
  void backward(const BackwardPass<T>& pass) const override {
    if (pass.d_inputs[0])
      kernels::upsample_backward(geometry_, pass.batch, static_cast<const T*>(pass.d_output.data()),
                                 pass.d_inputs[0].data(), pass.threads);
  }

 private:
  kernels::Upsampling geometry_;
};

/// Larger pictures: each pixel size.height rows high and size.width columns wide.
///
///     nearest:   y[n, i, j, c] = x[n, floor(i / size_h), floor(j / size_w), c]
///     bilinear:  the straight line between the two nearest pixels along each axis, seen from the pixels' middles:
///                output i lies at (i + 1/2) / size_h - 1/2; beyond the border the border's pixel counts
///
/// Input: (N, H, W, C). Output: (N, H size_h, W size_w, C). No parameters. Throws OptionError on a size below 1 or
/// another interpolation.
///
///     Node y = UpSampling2D{.size = 2, .interpolation = "bilinear"}(x);      // (12, 12, 64) -> (24, 24, 64)
struct UpSampling2D {
  static constexpr const char* type = "UpSampling2D";

  Size2D size = 2;                        ///< how many rows and columns one becomes
  std::string interpolation = "nearest";  ///< or "bilinear"
  std::string name{};                     ///< default: "up_sampling2d", "up_sampling2d_1", ...

  [[nodiscard]] Shape output_shape(std::span<const Shape> inputs) const {
    const Shape& x = detail::single_input(*this, inputs, 3, "(height, width, channels)");
    if (size.height < 1 || size.width < 1)
      throw OptionError(text(detail::layer_title(*this), " expected a positive size, got ", size));
    if (interpolation != "nearest" && interpolation != "bilinear")
      throw OptionError(text(detail::layer_title(*this), " expected the interpolation 'nearest' or 'bilinear', got '",
                             interpolation, "'"));
    detail::check_extents(*this, x, {size.height, size.width});
    return {x[0] * size.height, x[1] * size.width, x[2]};
  }
  template <class T>
  [[nodiscard]] std::unique_ptr<Layer<T>> make(std::span<const Shape> inputs) const;
  void visit_options(OptionVisitor& visit) {
    visit("size", size);
    visit("interpolation", interpolation);
  }
  template <class = void>
  [[nodiscard]] Node operator()(const Node& x) const {
    return apply(*this, {x});
  }
};

template <class T>
std::unique_ptr<Layer<T>> UpSampling2D::make(std::span<const Shape> inputs) const {
  const Shape& x = inputs[0];
  return std::make_unique<UpSampling2DLayer<T>>(
      kernels::Upsampling{x[0], x[1], x[2], size.height, size.width, interpolation == "bilinear"});
}

}  // namespace mien::inline v0
