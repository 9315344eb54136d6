#pragma once

#include <algorithm>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>

#include <mien/optimizers/adam.hpp>

namespace mien::inline v0 {

/// Adam with decoupled weight decay (Loshchilov and Hutter, 2019): before each step, w -= weight_decay a w with the
/// current learning rate a. As in Keras, biases and the gamma and beta of batch normalisation decay too, unless
/// excluded.
struct AdamW {
  static constexpr const char* type = "AdamW";
  static constexpr bool per_parameter = true;

  double learning_rate = 0.001;
  double weight_decay = 0.004;
  double beta_1 = 0.9;
  double beta_2 = 0.999;
  double epsilon = 1e-7;
  bool amsgrad = false;
  double clipnorm = 0;                      ///< each parameter's gradient is scaled to at most this norm; 0: off
  double clipvalue = 0;                     ///< each number of a gradient is cut to [-clipvalue, clipvalue]; 0: off
  double global_clipnorm = 0;               ///< all gradients together are scaled to at most this norm; 0: off
  std::string exclude_from_weight_decay{};  ///< parts of names, "bias,gamma,beta": such parameters do not decay

  [[nodiscard]] int slots() const { return amsgrad ? 3 : 2; }

  [[nodiscard]] bool decays(std::string_view parameter) const {
    std::string_view rest = exclude_from_weight_decay;
    while (!rest.empty()) {
      const std::size_t comma = std::min(rest.find(','), rest.size());
      const std::string_view part = rest.substr(0, comma);
      if (!part.empty() && parameter.find(part) != std::string_view::npos) return false;
      rest.remove_prefix(std::min(comma + 1, rest.size()));
    }
    return true;
  }

  template <class T>
  void update(const OptimizerStep& step, std::span<const ParameterSegment<T>> parameters, int threads) const {
    Adam{.learning_rate = learning_rate,
         .beta_1 = beta_1,
         .beta_2 = beta_2,
         .epsilon = epsilon,
         .amsgrad = amsgrad,
         .weight_decay = weight_decay,
         .clipvalue = clipvalue}
        .update(step, parameters, threads);
  }

  void visit_options(OptionVisitor& visit) {
    visit("learning_rate", learning_rate);
    visit("weight_decay", weight_decay);
    visit("beta_1", beta_1);
    visit("beta_2", beta_2);
    visit("epsilon", epsilon);
    visit("amsgrad", amsgrad);
    visit("clipnorm", clipnorm);
    visit("clipvalue", clipvalue);
    visit("global_clipnorm", global_clipnorm);
    visit("exclude_from_weight_decay", exclude_from_weight_decay);
  }
};

}  // namespace mien::inline v0
