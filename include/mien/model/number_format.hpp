#pragma once
// Numbers and times as Keras prints them, whatever the locale.

#include <array>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <string>

#include <mien/core/error.hpp>

namespace mien::inline v0::detail {

/// A number with that many digits after the point, as "%.4f", or "%.4e" if scientific.
[[nodiscard]] inline std::string with_digits(double value, int digits, bool scientific = false) {
  std::array<char, 512> buffer{};  // the largest double takes 309 digits before the point, and `digits` is below 100
  const auto format = scientific ? std::chars_format::scientific : std::chars_format::fixed;
  const auto end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value, format, digits).ptr;
  return {buffer.data(), end};
}

/// A loss or metric: 0.1234, and 1.2340e-04 where four digits would say little.
[[nodiscard]] inline std::string format_metric(double value) { return with_digits(value, 4, std::abs(value) <= 1e-3); }

/// A time to come: 1:02:03, 2:03 or 45s.
[[nodiscard]] inline std::string format_eta(double seconds) {
  const auto whole = static_cast<std::int64_t>(seconds);
  const auto two = [](std::int64_t n) { return text(n < 10 ? "0" : "", n); };
  if (whole > 3600) return text(whole / 3600, ':', two(whole / 60 % 60), ':', two(whole % 60));
  if (whole > 60) return text(whole / 60, ':', two(whole % 60));
  return text(whole, 's');
}

/// The time of a step: 2s/step, 12ms/step or 340us/step.
[[nodiscard]] inline std::string format_step_time(double seconds) {
  if (seconds >= 1 || seconds == 0) return with_digits(seconds, 0) + "s/step";
  if (seconds >= 1e-3) return with_digits(seconds * 1e3, 0) + "ms/step";
  return with_digits(seconds * 1e6, 0) + "us/step";
}

}  // namespace mien::inline v0::detail
