#pragma once
// Clipping by norm: works out the factors that the update multiplies gradients by.

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <limits>
#include <span>

#include <mien/core/parallel.hpp>
#include <mien/kernels/optimizer/update.hpp>
#include <mien/optimizers/optimizer.hpp>

namespace mien::inline v0 {

/// Sum of squares of a parameter's gradient, the regularizer's part included. The cut into sums is a function of n
/// alone.
template <class T>
[[nodiscard]] double squared_gradient_norm(const ParameterSegment<T>& parameter, int threads) {
  constexpr std::int64_t max_tasks = 64, smallest = 16384;
  const std::int64_t n = parameter.n, tasks = std::clamp<std::int64_t>(n / smallest, 1, max_tasks);
  std::array<double, max_tasks> partial{};
  parallel_for(threads, tasks, [&](std::int64_t task, int) {
    const std::int64_t begin = n * task / tasks, end = n * (task + 1) / tasks;
    partial[static_cast<std::size_t>(task)] =
        kernels::squared_gradient_norm(static_cast<T>(parameter.l1), static_cast<T>(2 * parameter.l2), end - begin,
                                       parameter.value + begin, parameter.gradient + begin);
  });
  double sum = 0;
  for (const double part : partial) sum += part;
  return sum;
}

/// Sets `gradient_scale` of the step (global_clipnorm) or of the parameters (clipnorm), to be called before
/// OptimizerSpec::update; clipvalue needs nothing here.
template <class T>
void apply_clipping(const Clipping& clipping, OptimizerStep& step, std::span<ParameterSegment<T>> parameters,
                    int threads) {
  const auto scale = [](double limit, double squared_norm) { return limit / std::max(std::sqrt(squared_norm), limit); };
  if (clipping.clipnorm > 0)
    for (auto& parameter : parameters)
      parameter.gradient_scale = scale(clipping.clipnorm, squared_gradient_norm(parameter, threads));
  if (clipping.global_clipnorm > 0) {
    double sum = 0;
    for (const auto& parameter : parameters) sum += squared_gradient_norm(parameter, threads);
    step.gradient_scale = scale(clipping.global_clipnorm, sum);
  }
}

namespace detail {
/// What the kernels want to know of a parameter's gradient in this step.
template <class T>
[[nodiscard]] kernels::GradientTerms<T> gradient_terms(const OptimizerStep& step, const ParameterSegment<T>& parameter,
                                                       double clipvalue, double weight_decay) {
  return {.l1 = static_cast<T>(parameter.l1),
          .two_l2 = static_cast<T>(2 * parameter.l2),
          .scale = static_cast<T>(step.gradient_scale * parameter.gradient_scale),
          .limit = clipvalue > 0 ? static_cast<T>(clipvalue) : std::numeric_limits<T>::infinity(),
          .decay = parameter.decays ? static_cast<T>(weight_decay * step.learning_rate) : T{0}};
}
}  // namespace detail

}  // namespace mien::inline v0
