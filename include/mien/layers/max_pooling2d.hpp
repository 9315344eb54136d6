#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>

#include <mien/kernels/elementwise/activate.hpp>
#include <mien/kernels/pool/pool.hpp>
#include <mien/layers/layer.hpp>
#include <mien/layers/pooling_geometry.hpp>

namespace mien::inline v0 {

template <class T>
class MaxPooling2DLayer final : public Layer<T> {
 public:
  explicit MaxPooling2DLayer(const kernels::ConvGeometry& windows) : windows_(windows) {}

  [[nodiscard]] BackwardNeeds needs(const ActivationFunction&) const override {
    return {.inputs = false, .output = false};
  }
  /// Where each maximum was, within its window.
  [[nodiscard]] std::size_t saved_bytes(std::int64_t batch) const override {
    return static_cast<std::size_t>(batch * windows_.oh * windows_.ow * windows_.c) *
           kernels::pool_index_size(windows_);
  }
  void forward(const ForwardPass<T>& pass) const override {
    kernels::max_pool_forward(detail::with_batch(windows_, pass.batch), pass.inputs[0].data(), pass.output.data(),
                              pass.saved, pass.threads);
  }
  [[nodiscard]] const kernels::ConvGeometry* max_pooling() const override { return &windows_; }
  [[nodiscard]] bool differentiates_input_activation() const override { return true; }
  /// A maximum is f(z), and its gradient goes to that z alone.
  void backward(const BackwardPass<T>& pass) const override {
    if (!pass.d_inputs[0]) return;
    T* const dy = pass.d_output.data();
    if (pass.input_activation != linear)
      kernels::activate_backward<T>(pass.input_activation, pass.d_output.size(), 1, nullptr, pass.output.data(), dy, dy,
                                    pass.threads);
    kernels::max_pool_backward<T>(detail::with_batch(windows_, pass.batch), dy, pass.saved, pass.d_inputs[0].data(),
                                  pass.threads);
  }

 private:
  kernels::ConvGeometry windows_;
};

/// Maximum over windows of each channel:
///
///     y[n, i, j, c] = max_{r, s} x[n, i stride_h - top + r, j stride_w - left + s, c]
///
/// Padding never wins. The gradient goes to the first maximum of a window.
/// Input: (N, H, W, C). Output: (N, OH, OW, C), with Padding::valid OH = floor((H - pool_h) / stride_h) + 1, with
/// Padding::same OH = ceil(H / stride_h). No parameters.
/// Throws OptionError on a size or stride below 1, ShapeError if no window fits.
///
///     Node y = MaxPooling2D{.pool_size = 3, .strides = 2, .padding = Padding::same}(x);   // (48, 48, 64) -> (24, 24,
///     64)
struct MaxPooling2D {
  static constexpr const char* type = "MaxPooling2D";

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
std::unique_ptr<Layer<T>> MaxPooling2D::make(std::span<const Shape> inputs) const {
  return std::make_unique<MaxPooling2DLayer<T>>(detail::pooling_geometry(*this, inputs));
}

}  // namespace mien::inline v0
