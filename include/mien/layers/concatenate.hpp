#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <mien/core/parallel.hpp>
#include <mien/layers/layer.hpp>

namespace mien::inline v0 {

template <class T>
class ConcatenateLayer final : public Layer<T> {
 public:
  /// `axis` counts within a sample, from 0. A sample is `lines_` lines, each of them the inputs' `widths_` one after
  /// the other.
  ConcatenateLayer(std::span<const Shape> inputs, int axis) {
    for (int i = 0; i < axis; ++i) lines_ *= inputs[0][i];
    for (const Shape& shape : inputs) {
      widths_.push_back(lines_ == 0 ? 0 : shape.size() / lines_);
      width_ += widths_.back();
    }
  }

  [[nodiscard]] BackwardNeeds needs(const ActivationFunction&) const override {
    return {.inputs = false, .output = false};
  }
  void forward(const ForwardPass<T>& pass) const override {
    for_each_sample(pass, [&](std::size_t k, std::int64_t in, std::int64_t out) {
      const T* const x = pass.inputs[k].data() + in;
      std::copy(x, x + widths_[k], pass.output.data() + out);
    });
  }
  void backward(const BackwardPass<T>& pass) const override {
    for_each_sample(pass, [&](std::size_t k, std::int64_t in, std::int64_t out) {
      const T* const dy = pass.d_output.data() + out;
      if (pass.d_inputs[k]) std::copy(dy, dy + widths_[k], pass.d_inputs[k].data() + in);
    });
  }

 private:
  /// Calls body(input, element of the input, element of the output) for every stretch that is copied.
  template <class Body>
  void for_each_sample(const Pass& pass, const Body& body) const {
    parallel_for(pass.threads, pass.batch, [&](std::int64_t n, int) {
      for (std::int64_t line = n * lines_; line < (n + 1) * lines_; ++line) {
        std::int64_t out = line * width_;
        for (std::size_t k = 0; k < widths_.size(); out += widths_[k], ++k) body(k, line * widths_[k], out);
      }
    });
  }

  std::int64_t lines_ = 1, width_ = 0;
  std::vector<std::int64_t> widths_;
};

/// Tensors one after the other along an axis.
/// Inputs: (N, ...), equal but for that axis. Output: their extents along it added up. No parameters.
/// Throws OptionError on an axis that is the batch or does not exist, ShapeError if the other extents differ.
///
///     Node y = concatenate({a, b});      // (6, 6, 32), (6, 6, 64) -> (6, 6, 96)
struct Concatenate {
  static constexpr const char* type = "Concatenate";

  std::int64_t axis = -1;  ///< 0 is the batch (not allowed), 1 the first axis of a sample, -1 the last
  std::string name{};      ///< default: "concatenate", "concatenate_1", ...
  bool trainable = true;   ///< without effect: there are no parameters

  [[nodiscard]] Shape output_shape(std::span<const Shape> inputs) const {
    if (inputs.size() < 2)
      throw ShapeError(text(detail::layer_title(*this), " expected two inputs or more, got ", inputs.size()));
    const int along = sample_axis(inputs[0]);
    std::vector<std::int64_t> extents(inputs[0].begin(), inputs[0].end());
    for (std::size_t k = 1; k < inputs.size(); ++k) {
      bool fits = inputs[k].rank() == inputs[0].rank();
      for (int i = 0; fits && i < inputs[0].rank(); ++i) fits = i == along || inputs[k][i] == inputs[0][i];
      if (!fits)
        throw ShapeError(text(detail::layer_title(*this), " expected inputs that differ along axis ", axis,
                              " only, got ", join(inputs)));
      extents[static_cast<std::size_t>(along)] += inputs[k][along];
    }
    return Shape(extents);
  }
  template <class T>
  [[nodiscard]] std::unique_ptr<Layer<T>> make(std::span<const Shape> inputs) const;
  void visit_options(OptionVisitor& visit) { visit("axis", axis); }
  template <class = void>
  [[nodiscard]] Node operator()(std::vector<Node> inputs) const {
    return apply(*this, std::move(inputs));
  }

 private:
  [[nodiscard]] int sample_axis(const Shape& sample) const {
    const std::int64_t along = axis < 0 ? axis + sample.rank() : axis - 1;
    if (along < 0 || along >= sample.rank())
      throw OptionError(text(detail::layer_title(*this), " expected an axis of the inputs ", sample,
                             " (1 is the first of a sample, -1 the last), got ", axis));
    return static_cast<int>(along);
  }
};

/// Concatenate{} applied to these nodes.
template <class = void>
[[nodiscard]] Node concatenate(std::vector<Node> inputs, std::int64_t axis = -1) {
  return Concatenate{.axis = axis}(std::move(inputs));
}

template <class T>
std::unique_ptr<Layer<T>> Concatenate::make(std::span<const Shape> inputs) const {
  return std::make_unique<ConcatenateLayer<T>>(inputs, sample_axis(inputs[0]));
}

}  // namespace mien::inline v0
