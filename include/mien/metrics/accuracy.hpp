#pragma once

#include <algorithm>
#include <cstdint>

#include <mien/core/error.hpp>
#include <mien/metrics/metric.hpp>

namespace mien::inline v0 {

/// The fraction of samples whose class is predicted, as Keras's 'accuracy' decides by the shapes:
///
///     predictions (N, classes), targets (N, classes):  argmax p = argmax t      (the first of equal maxima)
///     predictions (N, classes), targets (N, 1):        argmax p = t
///     predictions (N, 1),       targets (N, 1):        [p > 0.5] = t
struct Accuracy {
  static constexpr const char* name = "accuracy";
  static constexpr bool higher_is_better = true;

  template <class T>
  [[nodiscard]] double sum_over(const MetricBatch<T>& batch) const {
    if (batch.target_width != 1 && batch.target_width != batch.width)
      throw ShapeError(
          text("metric ", name, " expected targets of 1 or ", batch.width, " numbers, got ", batch.target_width));
    return sum_over_samples(batch.samples, batch.width, batch.threads, [&](std::int64_t i) {
      const T* p = batch.prediction + i * batch.width;
      const T* t = batch.target + i * batch.target_width;
      if (batch.width == 1) return (*p > T{0.5} ? T{1} : T{0}) == *t ? 1.0 : 0.0;
      const T predicted = static_cast<T>(std::max_element(p, p + batch.width) - p);
      const T actual = batch.target_width == 1 ? *t : static_cast<T>(std::max_element(t, t + batch.target_width) - t);
      return predicted == actual ? 1.0 : 0.0;
    });
  }
};

}  // namespace mien::inline v0
