#pragma once
// The arithmetic that the two categorical cross-entropies share. Rows are short (classes), so it is plain code in
// double: the loss of a batch costs microseconds.

#include <algorithm>
#include <cmath>
#include <cstdint>

namespace mien::inline v0::detail {

/// Keras's epsilon: probabilities are clipped to [epsilon, 1 - epsilon] before the logarithm.
inline constexpr double probability_epsilon = 1e-7;

[[nodiscard]] inline double clip_probability(double p) {
  return std::clamp(p, probability_epsilon, 1 - probability_epsilon);
}
/// Whether the gradient passes the clip.
[[nodiscard]] inline bool inside_clip(double p) { return p >= probability_epsilon && p <= 1 - probability_epsilon; }

template <class T>
[[nodiscard]] double sum_of_row(const T* row, std::int64_t width) {
  double sum = 0;
  for (std::int64_t k = 0; k < width; ++k) sum += static_cast<double>(row[k]);
  return sum;
}

/// log(sum_k e^z_k), without overflow.
template <class T>
[[nodiscard]] double log_sum_exp(const T* z, std::int64_t width) {
  const double highest = static_cast<double>(*std::max_element(z, z + width));
  double sum = 0;
  for (std::int64_t k = 0; k < width; ++k) sum += std::exp(static_cast<double>(z[k]) - highest);
  return highest + std::log(sum);
}

/// -sum_k t_k log softmax(z)_k, for targets given by t(k). The gradient, (sum_k t_k) softmax(z) - t times `scale`, goes
/// to dz unless that is null.
template <class T, class Target>
[[nodiscard]] double crossentropy_of_logits(const T* z, std::int64_t width, const Target& t, double scale, T* dz) {
  const double log_sum = log_sum_exp(z, width);
  double loss = 0, mass = 0;
  for (std::int64_t k = 0; k < width; ++k) {
    mass += t(k);
    if (t(k) != 0) loss -= t(k) * (static_cast<double>(z[k]) - log_sum);
  }
  for (std::int64_t k = 0; dz != nullptr && k < width; ++k)
    dz[k] = static_cast<T>(scale * (mass * std::exp(static_cast<double>(z[k]) - log_sum) - t(k)));
  return loss;
}

}  // namespace mien::inline v0::detail
