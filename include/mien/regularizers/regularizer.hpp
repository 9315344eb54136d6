#pragma once

namespace mien::inline v0 {

/// A penalty on a parameter's values, added to the loss that is reported and minimised:
///
///     l1 * sum |w|  +  l2 * sum w^2            (no 1/2 and no division by the batch, as in Keras; gradient 2 * l2 * w)
struct Regularizer {
  double l1 = 0;
  double l2 = 0;

  [[nodiscard]] constexpr explicit operator bool() const { return l1 != 0 || l2 != 0; }
  friend constexpr bool operator==(const Regularizer&, const Regularizer&) = default;
};

/// l * sum w^2; Keras's default l is 0.01.
[[nodiscard]] constexpr Regularizer l2(double l = 0.01) { return {.l1 = 0, .l2 = l}; }
/// l * sum |w|.
[[nodiscard]] constexpr Regularizer l1(double l = 0.01) { return {.l1 = l, .l2 = 0}; }

}  // namespace mien::inline v0
