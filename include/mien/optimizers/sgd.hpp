#pragma once

#include <cstdint>
#include <span>

#include <mien/kernels/optimizer/update.hpp>
#include <mien/optimizers/clipping.hpp>
#include <mien/optimizers/optimizer.hpp>

namespace mien::inline v0 {

/// Gradient descent with learning rate a, gradient g and, if momentum u > 0, a velocity v:
///
///     w -= a g        or        v = u v - a g;  w += v        or, Nesterov,        v = u v - a g;  w += u v - a g
///
/// As in Keras the learning rate is inside the velocity (PyTorch multiplies by it later).
struct SGD {
  static constexpr const char* type = "SGD";
  static constexpr bool per_parameter = true;

  double learning_rate = 0.01;
  double momentum = 0;         ///< u in [0, 1)
  bool nesterov = false;       ///< look ahead along the velocity; without effect if momentum is 0
  double weight_decay = 0;     ///< d: w -= d a w before the step
  double clipnorm = 0;         ///< each parameter's gradient is scaled to at most this norm; 0: off
  double clipvalue = 0;        ///< each number of a gradient is cut to [-clipvalue, clipvalue]; 0: off
  double global_clipnorm = 0;  ///< all gradients together are scaled to at most this norm; 0: off

  [[nodiscard]] int slots() const { return momentum > 0 ? 1 : 0; }

  template <class T>
  void update(const OptimizerStep& step, std::span<const ParameterSegment<T>> parameters, int threads) const {
    for_each_piece<T>(parameters, threads, [&](const auto& parameter, std::int64_t first, std::int64_t count) {
      const kernels::SgdTerms<T> terms{.gradient = detail::gradient_terms(step, parameter, clipvalue, weight_decay),
                                       .rate = static_cast<T>(step.learning_rate),
                                       .momentum = static_cast<T>(momentum),
                                       .nesterov = nesterov};
      kernels::sgd_update<T>(terms, count, parameter.value + first, parameter.gradient + first,
                             momentum > 0 ? parameter.slots[0] + first : nullptr);
    });
  }

  void visit_options(OptionVisitor& visit) {
    visit("learning_rate", learning_rate);
    visit("momentum", momentum);
    visit("nesterov", nesterov);
    visit("weight_decay", weight_decay);
    visit("clipnorm", clipnorm);
    visit("clipvalue", clipvalue);
    visit("global_clipnorm", global_clipnorm);
  }
};

}  // namespace mien::inline v0
