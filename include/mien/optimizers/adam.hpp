#pragma once

#include <cmath>
#include <cstdint>
#include <span>

#include <mien/kernels/optimizer/update.hpp>
#include <mien/optimizers/clipping.hpp>
#include <mien/optimizers/optimizer.hpp>

namespace mien::inline v0 {

/// Adam (Kingma and Ba, 2015), as Keras computes it, in step t = 1, 2, ... with learning rate a and gradient g:
///
///     m += (g - m)(1 - b1)        v += (g^2 - v)(1 - b2)
///     w -= a sqrt(1 - b2^t) / (1 - b1^t) * m / (sqrt(v) + epsilon)
///
/// epsilon is added to the root of the uncorrected v: the paper's "epsilon hat". (PyTorch adds it to the corrected
/// one.)
struct Adam {
  static constexpr const char* type = "Adam";
  static constexpr bool per_parameter = true;

  double learning_rate = 0.001;
  double beta_1 = 0.9;    ///< b1: decay of the mean of gradients
  double beta_2 = 0.999;  ///< b2: decay of the mean of their squares
  double epsilon = 1e-7;
  bool amsgrad = false;        ///< the largest v so far stands for v (Reddi, Kale, Kumar, 2018)
  double weight_decay = 0;     ///< d: w -= d a w before the step (decoupled; see AdamW)
  double clipnorm = 0;         ///< each parameter's gradient is scaled to at most this norm; 0: off
  double clipvalue = 0;        ///< each number of a gradient is cut to [-clipvalue, clipvalue]; 0: off
  double global_clipnorm = 0;  ///< all gradients together are scaled to at most this norm; 0: off

  /// m, v and, with amsgrad, the largest v.
  [[nodiscard]] int slots() const { return amsgrad ? 3 : 2; }

  template <class T>
  void update(const OptimizerStep& step, std::span<const ParameterSegment<T>> parameters, int threads) const {
    const auto t = static_cast<double>(step.iteration);
    const double rate = step.learning_rate * std::sqrt(1 - std::pow(beta_2, t)) / (1 - std::pow(beta_1, t));
    for_each_piece<T>(parameters, threads, [&](const auto& parameter, std::int64_t first, std::int64_t count) {
      const kernels::AdamTerms<T> terms{.gradient = detail::gradient_terms(step, parameter, clipvalue, weight_decay),
                                        .one_minus_beta_1 = static_cast<T>(1 - beta_1),
                                        .one_minus_beta_2 = static_cast<T>(1 - beta_2),
                                        .rate = static_cast<T>(rate),
                                        .epsilon = static_cast<T>(epsilon)};
      kernels::adam_update<T>(terms, count, parameter.value + first, parameter.gradient + first,
                              parameter.slots[0] + first, parameter.slots[1] + first,
                              amsgrad ? parameter.slots[2] + first : nullptr);
    });
  }

  void visit_options(OptionVisitor& visit) {
    visit("learning_rate", learning_rate);
    visit("beta_1", beta_1);
    visit("beta_2", beta_2);
    visit("epsilon", epsilon);
    visit("amsgrad", amsgrad);
    visit("weight_decay", weight_decay);
    visit("clipnorm", clipnorm);
    visit("clipvalue", clipvalue);
    visit("global_clipnorm", global_clipnorm);
  }
};

}  // namespace mien::inline v0
