#pragma once
// Arithmetic that gives the same bits on every machine: floating point would not, where one compiler fuses a
// multiplication with an addition and another does not, or where the C library rounds a sine differently.

#include <cmath>
#include <compare>
#include <cstdint>

#include <mien/core/random.hpp>

namespace mien::inline v0::detail {

/// A number with 16 bits behind the point, for magnitudes up to 2^15 (so that products fit 63 bits).
class Fixed {
 public:
  constexpr Fixed() = default;
  /// To the nearest 2^-16; exact arithmetic, so the same everywhere.
  constexpr Fixed(double x) : raw_(static_cast<std::int64_t>(x * 65536.0 + (x < 0 ? -0.5 : 0.5))) {}  // NOLINT

  [[nodiscard]] static constexpr Fixed from_raw(std::int64_t raw) {
    Fixed x;
    x.raw_ = raw;
    return x;
  }
  [[nodiscard]] constexpr std::int64_t raw() const { return raw_; }
  /// In units of 1 / 256, rounded down.
  [[nodiscard]] constexpr std::int32_t in_256ths() const { return static_cast<std::int32_t>(raw_ >> 8); }

  friend constexpr Fixed operator+(Fixed a, Fixed b) { return from_raw(a.raw_ + b.raw_); }
  friend constexpr Fixed operator-(Fixed a, Fixed b) { return from_raw(a.raw_ - b.raw_); }
  friend constexpr Fixed operator-(Fixed a) { return from_raw(-a.raw_); }
  friend constexpr Fixed operator*(Fixed a, Fixed b) { return from_raw((a.raw_ * b.raw_) >> 16); }
  /// Division of doubles that hold both numbers exactly, truncated: IEEE arithmetic rounds it one way.
  friend constexpr Fixed operator/(Fixed a, Fixed b) {
    return from_raw(static_cast<std::int64_t>(static_cast<double>(a.raw_) * 65536.0 / static_cast<double>(b.raw_)));
  }
  friend constexpr auto operator<=>(Fixed, Fixed) = default;

 private:
  std::int64_t raw_ = 0;
};

[[nodiscard]] constexpr Fixed absolute(Fixed x) { return x < 0 ? -x : x; }
[[nodiscard]] constexpr Fixed lesser(Fixed a, Fixed b) { return a < b ? a : b; }
[[nodiscard]] constexpr Fixed greater(Fixed a, Fixed b) { return a < b ? b : a; }
[[nodiscard]] constexpr Fixed bounded(Fixed x, Fixed low, Fixed high) { return lesser(greater(x, low), high); }
[[nodiscard]] constexpr Fixed mix(Fixed a, Fixed b, Fixed share) { return a + (b - a) * share; }
/// std::sqrt is correctly rounded by IEEE 754, and the argument is an integer below 2^53 for x < 2^20.
[[nodiscard]] inline Fixed square_root(Fixed x) {
  return Fixed::from_raw(static_cast<std::int64_t>(std::sqrt(static_cast<double>(x.raw()) * 65536.0)));
}

/// Uniform in [low, high).
[[nodiscard]] constexpr Fixed draw(Random& random, Fixed low, Fixed high) {
  return low + Fixed::from_raw(((high - low).raw() * static_cast<std::int64_t>(random.bits() >> 1U)) >> 31);
}
/// Bell-shaped about 0 with the given deviation, at most 3.5 of them away (the sum of four uniform numbers).
[[nodiscard]] constexpr Fixed draw_bell(Random& random, Fixed deviation) {
  Fixed sum = -2.0;
  for (int i = 0; i < 4; ++i) sum = sum + draw(random, 0.0, 1.0);
  return sum * deviation * 1.7320508;
}
[[nodiscard]] constexpr bool draw_chance(Random& random, Fixed probability) {
  return draw(random, 0.0, 1.0) < probability;
}

}  // namespace mien::inline v0::detail
