#pragma once
// What the layers y = f(x * kernel + bias) share: where the bias and the activation are applied, and their gradients.

#include <cstddef>
#include <cstdint>
#include <vector>

#include <mien/kernels/elementwise/activate.hpp>
#include <mien/kernels/elementwise/column_sums.hpp>
#include <mien/kernels/epilogue.hpp>
#include <mien/layers/layer.hpp>

namespace mien::inline v0::detail {

/// The bias of a layer's options.
template <class Options>
[[nodiscard]] ParameterSpec bias_of(const Options& options, std::int64_t channels) {
  return {.name = "bias",
          .shape = {channels},
          .initializer = options.bias_initializer,
          .regularizer = options.bias_regularizer};
}

/// The kernel, and the bias unless the options have none.
template <class Options>
[[nodiscard]] std::vector<ParameterSpec> kernel_and_bias(const Options& options, const Shape& kernel) {
  std::vector<ParameterSpec> specs{{.name = "kernel",
                                    .shape = kernel,
                                    .initializer = options.kernel_initializer,
                                    .regularizer = options.kernel_regularizer}};
  if (options.use_bias) specs.push_back(bias_of(options, kernel[-1]));
  return specs;
}

/// What backward reads: the input for the kernel's gradient; for the activation its value, or what was saved.
[[nodiscard]] inline BackwardNeeds biased_product_needs(const ActivationFunction& f) {
  return {.inputs = true, .output = f != linear && differentiable_from_output(f)};
}

/// Bytes of the sums before an activation whose gradient needs them.
template <class T>
[[nodiscard]] std::size_t biased_product_saved(const ActivationFunction& f, std::int64_t outputs) {
  return differentiable_from_output(f) ? 0 : static_cast<std::size_t>(outputs) * sizeof(T);
}

/// Whether the product itself writes the output, with nothing left to be done.
[[nodiscard]] inline bool biased_product_reports(const ActivationFunction& f) {
  return differentiable_from_output(f) && f != softmax;
}

/// Calls product(y, epilogue) and applies what the epilogue cannot: softmax, and functions whose argument is saved. The
/// parameter number `place` is the bias; a predictor may add one that the options do not have.
template <class T, class Product>
void biased_product_forward(const ForwardPass<T>& pass, std::int64_t columns, const Product& product,
                            std::size_t place = 1) {
  const ActivationFunction f = pass.activation;
  const T* const bias = pass.parameters.size() > place ? pass.parameters[place].data() : nullptr;
  T* const y = pass.output.data();
  const bool save = pass.training && !differentiable_from_output(f);
  if (!save && f != softmax)
    return product(y, kernels::Epilogue<T>{.bias = bias, .activation = f, .reader = pass.output_reader});
  T* const sums = save ? reinterpret_cast<T*>(pass.saved) : y;
  product(sums, kernels::Epilogue<T>{.bias = bias});
  kernels::activate(f, pass.output.size() / columns, columns, sums, y, pass.threads);
}

/// Turns d_output into the gradient by the sums before the activation, and writes the bias's gradient. `workspace`:
/// kernels::column_sums_workspace() bytes.
template <class T>
void biased_product_backward(const BackwardPass<T>& pass, std::int64_t columns, std::byte* workspace,
                             std::size_t place = 1) {
  const std::int64_t rows = pass.d_output.size() / columns;
  T* const dy = pass.d_output.data();
  const T* const x = reinterpret_cast<const T*>(pass.saved);
  const T* const y = pass.output.data();
  const ActivationFunction f = pass.activation;
  if (pass.d_parameters.size() <= place || !pass.d_parameters[place])
    return kernels::activate_backward<T>(f, rows, columns, x, y, dy, dy, pass.threads);
  const auto at = [](const T* p, std::int64_t i) { return p == nullptr ? nullptr : p + i; };
  // Each block of rows is differentiated just before it is summed, while it is in cache.
  const auto differentiate = [&](std::int64_t first, std::int64_t count) {
    const std::int64_t i = first * columns;
    kernels::activate_backward<T>(f, count, columns, at(x, i), at(y, i), dy + i, dy + i, 1);
  };
  kernels::column_sums<T>(rows, columns, dy, pass.d_parameters[place].data(), pass.threads, workspace, differentiate);
}

}  // namespace mien::inline v0::detail
