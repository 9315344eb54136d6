#pragma once

#include <cstdint>

#include <mien/losses/loss.hpp>

namespace mien::inline v0 {

/// mean_k (p_k - t_k)^2 per sample. Predictions and targets: (N, width).
struct MeanSquaredError {
  static constexpr const char* type = "MeanSquaredError";
  static constexpr const char* name = "mean_squared_error";

  template <class T>
  [[nodiscard]] double compute(const LossBatch<T>& batch) const {
    detail::require_target_width(type, batch, batch.width);
    return sum_over_samples(batch.samples, batch.width, batch.threads, [&](std::int64_t i) {
      const std::int64_t first = i * batch.width;
      const auto width = static_cast<double>(batch.width);
      const double weight = detail::weight_of(batch, i),
                   scale = 2 * weight / (width * static_cast<double>(batch.samples));
      double sum = 0;
      for (std::int64_t k = first; k < first + batch.width; ++k) {
        const double difference = static_cast<double>(batch.prediction[k]) - static_cast<double>(batch.target[k]);
        sum += difference * difference;
        if (batch.d_prediction != nullptr) batch.d_prediction[k] = static_cast<T>(scale * difference);
      }
      return weight * sum / width;
    });
  }

  void visit_options(OptionVisitor&) {}
};

}  // namespace mien::inline v0
