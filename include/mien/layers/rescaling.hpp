#pragma once

#include <algorithm>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <mien/kernels/elementwise/scale_shift.hpp>
#include <mien/layers/layer.hpp>

namespace mien::inline v0 {

/// One number, or one for each channel: `.scale = 1.0 / 255`, `.offset = {-103.9, -116.8, -123.7}`.
struct ChannelValues {
  std::vector<double> values;

  ChannelValues(double same) : values{same} {}                          // NOLINT: a number is all channels
  ChannelValues(std::initializer_list<double> each) : values(each) {}   // NOLINT
  ChannelValues(std::vector<double> each) : values(std::move(each)) {}  // NOLINT
  [[nodiscard]] double operator[](std::int64_t channel) const {
    return values[values.size() == 1 ? 0 : static_cast<std::size_t>(channel)];
  }
};

template <class T>
class RescalingLayer final : public Layer<T> {
 public:
  /// The numbers stand repeated, so that few channels make no short loops.
  RescalingLayer(std::int64_t channels, const ChannelValues& scale, const ChannelValues& offset)
      : period_(channels * (channels < repeat ? repeat : 1)), zeros_(static_cast<std::size_t>(period_)) {
    for (std::int64_t i = 0; i < period_; ++i) {
      scale_.push_back(static_cast<T>(scale[i % channels]));
      offset_.push_back(static_cast<T>(offset[i % channels]));
    }
  }

  [[nodiscard]] BackwardNeeds needs(const ActivationFunction&) const override {
    return {.inputs = false, .output = false};
  }
  [[nodiscard]] bool in_place() const override { return true; }

  void forward(const ForwardPass<T>& pass) const override {
    kernels::scale_shift(pass.output.size(), period_, scale_.data(), offset_.data(), pass.inputs[0].data(),
                         pass.output.data(), pass.threads);
  }
  void backward(const BackwardPass<T>& pass) const override {
    if (pass.d_inputs[0])
      kernels::scale_shift<T>(pass.d_output.size(), period_, scale_.data(), zeros_.data(), pass.d_output.data(),
                              pass.d_inputs[0].data(), pass.threads);
  }

 private:
  static constexpr std::int64_t repeat = 64;

  std::int64_t period_;
  std::vector<T> scale_, offset_, zeros_;
};

/// y = scale x + offset, in training and in inference: pixels of 0 ... 255 to what a network expects.
/// Input: (N, ..., C). Output: the same shape. No parameters.
/// Throws ShapeError if a list's length is not C.
///
///     Node y = Rescaling{.scale = 1.0 / 255}(x);
///     Node z = Rescaling{.scale = 1, .offset = {-103.9, -116.8, -123.7}}(x);
struct Rescaling {
  static constexpr const char* type = "Rescaling";

  ChannelValues scale = 1.0;  ///< Keras has no default here
  ChannelValues offset = 0.0;
  std::string name{};     ///< default: "rescaling", "rescaling_1", ...
  bool trainable = true;  ///< without effect: there are no parameters

  [[nodiscard]] Shape output_shape(std::span<const Shape> inputs) const {
    const Shape& x = detail::single_input(*this, inputs);
    const std::int64_t channels = channels_of(x);
    for (const std::size_t count : {scale.values.size(), offset.values.size()})
      if (count != 1 && static_cast<std::int64_t>(count) != channels)
        throw ShapeError(text(detail::layer_title(*this), " expected one number or one for each of the ", channels,
                              " channels of its input of shape ", x, ", got ", count));
    return x;
  }
  template <class T>
  [[nodiscard]] std::unique_ptr<Layer<T>> make(std::span<const Shape> inputs) const;
  void visit_options(OptionVisitor& visit) {
    visit("scale", scale.values);
    visit("offset", offset.values);
  }
  template <class = void>
  [[nodiscard]] Node operator()(const Node& x) const {
    return apply(*this, {x});
  }

 private:
  static std::int64_t channels_of(const Shape& x) { return x.empty() ? 1 : std::max<std::int64_t>(1, x[-1]); }
};

template <class T>
std::unique_ptr<Layer<T>> Rescaling::make(std::span<const Shape> inputs) const {
  // One number for all channels asks for no memory by their count, which may be a file's word.
  const bool alike = scale.values.size() == 1 && offset.values.size() == 1;
  return std::make_unique<RescalingLayer<T>>(alike ? 1 : channels_of(inputs[0]), scale, offset);
}

}  // namespace mien::inline v0
