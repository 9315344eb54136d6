#pragma once
// What is done to a product's finished sums while they are still in registers or cache, so that a layer's bias and
// activation cost no pass over memory.

#include <cstdint>

#include <mien/activations/activation.hpp>

namespace mien::inline v0::kernels {

/// y = activation(sum + bias), one bias for each column (output channel); no bias if null. softmax, which is no
/// element-wise function, is not accepted.
template <class T>
struct Epilogue {
  const T* bias = nullptr;
  ActivationFunction activation = linear;
};

/// Whether the micro-kernels apply the function themselves, in registers. The others are applied to rows in cache.
[[nodiscard]] constexpr bool applied_in_registers(const ActivationFunction& f) {
  using Kind = ActivationFunction::Kind;
  return f.kind == Kind::linear || f.kind == Kind::relu || f.kind == Kind::leaky_relu;
}

}  // namespace mien::inline v0::kernels
