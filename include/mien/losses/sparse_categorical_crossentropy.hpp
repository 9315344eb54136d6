#pragma once

#include <cmath>
#include <cstdint>

#include <mien/losses/crossentropy.hpp>
#include <mien/losses/loss.hpp>

namespace mien::inline v0 {

/// Cross-entropy of class numbers y and class probabilities p, per sample
///
///     c = clip(p, 1e-7, 1 - 1e-7)        loss = -log(c_y / sum_k c_k)
///
/// or, from logits z, -log softmax(z)_y. (Keras clips here before it normalises, CategoricalCrossentropy after.) Where
/// the model ends in a softmax, that is left out and the second form is used.
/// Predictions: (N, classes); targets: (N, 1), whole numbers 0 ... classes-1. Throws OptionError on any other target.
struct SparseCategoricalCrossentropy {
  static constexpr const char* type = "SparseCategoricalCrossentropy";
  static constexpr const char* name = "sparse_categorical_crossentropy";

  bool from_logits = false;  ///< the predictions are logits, not probabilities

  [[nodiscard]] bool fuses_softmax() const { return !from_logits; }
  [[nodiscard]] std::int64_t target_width(std::int64_t) const { return 1; }

  template <class T>
  [[nodiscard]] double compute(const LossBatch<T>& batch) const {
    detail::require_target_width(type, batch, 1);
    require_classes(batch);
    return sum_over_samples(batch.samples, batch.width, batch.threads, [&](std::int64_t i) {
      const T* p = batch.prediction + i * batch.width;
      T* dp = batch.d_prediction == nullptr ? nullptr : batch.d_prediction + i * batch.width;
      const auto y = static_cast<std::int64_t>(batch.target[i]);
      const double weight = detail::weight_of(batch, i), scale = weight / static_cast<double>(batch.samples);
      const auto t = [&](std::int64_t k) { return k == y ? 1.0 : 0.0; };
      return weight * (from_logits || batch.logits ? detail::crossentropy_of_logits(p, batch.width, t, scale, dp)
                                                   : of_probabilities(p, batch.width, y, scale, dp));
    });
  }

  void visit_options(OptionVisitor& visit) { visit("from_logits", from_logits); }

 private:
  template <class T>
  static void require_classes(const LossBatch<T>& batch) {
    for (std::int64_t i = 0; i < batch.samples; ++i) {
      const auto y = static_cast<double>(batch.target[i]);
      if (!(y >= 0 && y < static_cast<double>(batch.width)) || y != std::floor(y))
        throw OptionError(text("loss ", type, " expected targets that are class numbers from 0 to ", batch.width - 1,
                               ", got ", y, " for sample ", i, " of the batch"));
    }
  }

  /// d loss / d p_k = 1 / sum c - [k = y] / c_y inside the clip, else 0.
  template <class T>
  static double of_probabilities(const T* p, std::int64_t width, std::int64_t y, double scale, T* dp) {
    double sum = 0;
    for (std::int64_t k = 0; k < width; ++k) sum += detail::clip_probability(static_cast<double>(p[k]));
    const double c = detail::clip_probability(static_cast<double>(p[y]));
    for (std::int64_t k = 0; dp != nullptr && k < width; ++k)
      dp[k] = detail::inside_clip(static_cast<double>(p[k]))
                  ? static_cast<T>(scale * (1 / sum - (k == y ? 1 / c : 0.0)))
                  : T{0};
    return std::log(sum) - std::log(c);
  }
};

}  // namespace mien::inline v0
