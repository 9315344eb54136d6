#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include <mien/kernels/elementwise/dropout.hpp>
#include <mien/layers/layer.hpp>

namespace mien::inline v0 {

template <class T>
class DropoutLayer final : public Layer<T> {
 public:
  DropoutLayer(double rate, std::optional<std::int64_t> seed) : rate_(rate), seed_(seed) {}

  [[nodiscard]] BackwardNeeds needs(const ActivationFunction&) const override {
    return {.inputs = false, .output = false};
  }
  [[nodiscard]] bool in_place() const override { return true; }
  [[nodiscard]] bool identity_in_inference() const override { return true; }

  void forward(const ForwardPass<T>& pass) const override {
    drop(pass, pass.output.size(), pass.inputs[0].data(), pass.output.data());
  }
  /// The mask is not stored: it is a function of the step's random numbers.
  void backward(const BackwardPass<T>& pass) const override {
    if (pass.d_inputs[0]) drop(pass, pass.d_output.size(), pass.d_output.data(), pass.d_inputs[0].data());
  }

 private:
  void drop(const Pass& pass, std::int64_t n, const T* from, T* to) const {
    RandomKey key = pass.random;
    if (seed_) key.seed = static_cast<std::uint64_t>(*seed_);
    if (pass.training && rate_ > 0)
      kernels::dropout(Random(key), rate_, n, from, to, pass.threads);
    else if (from != to)
      std::copy(from, from + n, to);
  }

  double rate_;
  std::optional<std::int64_t> seed_;
};

/// In training each element is 0 with probability `rate`, else x / (1 - rate); in inference y = x. A rate of 0 does
/// nothing, a rate of 1 makes all elements 0.
/// Input: (N, ...). Output: the same shape. No parameters.
/// Throws OptionError on a rate outside of [0, 1].
///
///     Node y = Dropout{.rate = 0.25}(x);
///     Node z = Dropout{0.25}(x);
struct Dropout {
  static constexpr const char* type = "Dropout";

  double rate = -1;                    ///< the part that is dropped, 0 ... 1; to be given
  std::optional<std::int64_t> seed{};  ///< of the mask; default: the model's
  std::string name{};                  ///< default: "dropout", "dropout_1", ...
  bool trainable = true;               ///< without effect: there are no parameters

  [[nodiscard]] Shape output_shape(std::span<const Shape> inputs) const {
    if (!(rate >= 0 && rate <= 1))
      throw OptionError(text(detail::layer_title(*this), " expected a rate in 0 ... 1, got ", rate));
    return detail::single_input(*this, inputs);
  }
  template <class T>
  [[nodiscard]] std::unique_ptr<Layer<T>> make(std::span<const Shape> inputs) const;
  /// Files have -1 for no seed.
  void visit_options(OptionVisitor& visit) {
    std::int64_t number = seed.value_or(-1);
    visit("rate", rate);
    visit("seed", number);
    seed = number < 0 ? std::nullopt : std::optional(number);
  }
  template <class = void>
  [[nodiscard]] Node operator()(const Node& x) const {
    return apply(*this, {x});
  }
};

template <class T>
std::unique_ptr<Layer<T>> Dropout::make(std::span<const Shape>) const {
  return std::make_unique<DropoutLayer<T>>(rate, seed);
}

}  // namespace mien::inline v0
