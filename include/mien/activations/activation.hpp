#pragma once

#include <string>

#include <mien/core/error.hpp>

namespace mien::inline v0 {

/// An element-wise function (softmax: a row-wise one) by name, with its parameter. A small value:
///
///     Dense{.units = 3, .activation = softmax}      Activation{.activation = leaky_relu(0.1)}
struct ActivationFunction {
  enum class Kind : int { linear, relu, leaky_relu, elu, gelu, silu, sigmoid, tanh, softmax };

  Kind kind = Kind::linear;
  double alpha = 0;  ///< leaky_relu: slope below zero; elu: value that it tends to, negated; unused elsewhere

  [[nodiscard]] constexpr ActivationFunction operator()(double parameter) const { return {kind, parameter}; }
  friend constexpr bool operator==(const ActivationFunction&, const ActivationFunction&) = default;
};

inline constexpr ActivationFunction linear{ActivationFunction::Kind::linear};               ///< x
inline constexpr ActivationFunction relu{ActivationFunction::Kind::relu};                   ///< max(x, 0)
inline constexpr ActivationFunction leaky_relu{ActivationFunction::Kind::leaky_relu, 0.2};  ///< x > 0 ? x : alpha x
inline constexpr ActivationFunction elu{ActivationFunction::Kind::elu, 1.0};     ///< x > 0 ? x : alpha (e^x - 1)
inline constexpr ActivationFunction gelu{ActivationFunction::Kind::gelu};        ///< x (1 + erf(x / sqrt 2)) / 2
inline constexpr ActivationFunction silu{ActivationFunction::Kind::silu};        ///< x / (1 + e^-x)
inline constexpr ActivationFunction sigmoid{ActivationFunction::Kind::sigmoid};  ///< 1 / (1 + e^-x)
inline constexpr ActivationFunction tanh{ActivationFunction::Kind::tanh};        ///< (e^x - e^-x) / (e^x + e^-x)
inline constexpr ActivationFunction softmax{
    ActivationFunction::Kind::softmax};  ///< e^x_i / sum_j e^x_j over the last axis

/// Keras's name of the function.
[[nodiscard]] constexpr const char* to_string(ActivationFunction::Kind kind) {
  constexpr const char* names[] = {"linear", "relu", "leaky_relu", "elu", "gelu", "silu", "sigmoid", "tanh", "softmax"};
  return names[static_cast<int>(kind)];
}

/// The function of that name with its default parameter. Throws OptionError on an unknown name.
[[nodiscard]] inline ActivationFunction activation_named(std::string_view name) {
  for (const ActivationFunction& f : {linear, relu, leaky_relu, elu, gelu, silu, sigmoid, tanh, softmax})
    if (name == to_string(f.kind)) return f;
  throw OptionError(text("unknown activation '", name,
                         "': expected linear, relu, leaky_relu, elu, gelu, silu, sigmoid, tanh or softmax"));
}

/// Whether the derivative can be written in terms of the function's value, so that the input need not be kept for
/// backward. For leaky_relu and elu that takes alpha >= 0, which keeps the sign.
[[nodiscard]] constexpr bool differentiable_from_output(const ActivationFunction& f) {
  using Kind = ActivationFunction::Kind;
  if (f.kind == Kind::leaky_relu || f.kind == Kind::elu) return f.alpha >= 0;
  return f.kind != Kind::gelu && f.kind != Kind::silu;
}

}  // namespace mien::inline v0
