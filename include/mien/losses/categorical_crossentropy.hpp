#pragma once

#include <cmath>
#include <cstdint>

#include <mien/losses/crossentropy.hpp>
#include <mien/losses/loss.hpp>

namespace mien::inline v0 {

/// Cross-entropy of one-hot (or soft) targets t and class probabilities p, per sample
///
///     q = p / sum p        c = clip(q, 1e-7, 1 - 1e-7)        loss = -sum_k t_k log c_k
///
/// or, from logits z, -sum_k t_k log softmax(z)_k. Where the model ends in a softmax, that is left out and the second
/// form is used: nothing is clipped, and the gradient at the logits is p - t. Keras on TensorFlow does the same.
/// Predictions and targets: (N, classes).
struct CategoricalCrossentropy {
  static constexpr const char* type = "CategoricalCrossentropy";
  static constexpr const char* name = "categorical_crossentropy";

  bool from_logits = false;    ///< the predictions are logits, not probabilities
  double label_smoothing = 0;  ///< a in [0, 1]: targets become t (1 - a) + a / classes

  [[nodiscard]] bool fuses_softmax() const { return !from_logits; }

  template <class T>
  [[nodiscard]] double compute(const LossBatch<T>& batch) const {
    detail::require_target_width(type, batch, batch.width);
    const double smooth = label_smoothing / static_cast<double>(batch.width);
    return sum_over_samples(batch.samples, batch.width, batch.threads, [&](std::int64_t i) {
      const T* p = batch.prediction + i * batch.width;
      const T* target = batch.target + i * batch.width;
      T* dp = batch.d_prediction == nullptr ? nullptr : batch.d_prediction + i * batch.width;
      const double weight = detail::weight_of(batch, i), scale = weight / static_cast<double>(batch.samples);
      const auto t = [&](std::int64_t k) { return static_cast<double>(target[k]) * (1 - label_smoothing) + smooth; };
      return weight * (from_logits || batch.logits ? detail::crossentropy_of_logits(p, batch.width, t, scale, dp)
                                                   : of_probabilities(p, batch.width, t, scale, dp));
    });
  }

  void visit_options(OptionVisitor& visit) {
    visit("from_logits", from_logits);
    visit("label_smoothing", label_smoothing);
  }

 private:
  /// With g_k = d loss / d q_k = -t_k / q_k inside the clip, else 0:  d loss / d p_k = (g_k - sum_j g_j q_j) / sum p.
  template <class T, class Target>
  static double of_probabilities(const T* p, std::int64_t width, const Target& t, double scale, T* dp) {
    const double sum = detail::sum_of_row(p, width);
    const auto g = [&](std::int64_t k, double q) { return detail::inside_clip(q) ? -t(k) / q : 0.0; };
    double loss = 0, mean = 0;
    for (std::int64_t k = 0; k < width; ++k) {
      const double q = static_cast<double>(p[k]) / sum;
      loss -= t(k) * std::log(detail::clip_probability(q));
      mean += g(k, q) * q;
    }
    for (std::int64_t k = 0; dp != nullptr && k < width; ++k)
      dp[k] = static_cast<T>(scale * (g(k, static_cast<double>(p[k]) / sum) - mean) / sum);
    return loss;
  }
};

}  // namespace mien::inline v0
