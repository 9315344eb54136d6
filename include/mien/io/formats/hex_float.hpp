#pragma once

#include <array>
#include <charconv>
#include <cmath>
#include <string>
#include <string_view>
#include <system_error>

#include <mien/core/error.hpp>

namespace mien::inline v0 {

/// A double as text that reads back to the same bits, in any locale: "0x1.8p+1" is 3, "-0x0p+0", "inf", "-inf", "nan".
/// (A NaN's sign and payload are lost.) Python reads it with float.fromhex.
[[nodiscard]] inline std::string hex_float(double x) {
  if (std::isnan(x)) return "nan";
  std::array<char, 32> digits{};
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), std::abs(x), std::chars_format::hex).ptr;
  return text(std::signbit(x) ? "-" : "", std::isinf(x) ? "" : "0x", std::string_view(digits.data(), end));
}

/// The number that hex_float wrote. Throws FileError on any other text.
[[nodiscard]] inline double parse_hex_float(std::string_view number) {
  std::string_view rest = number;
  const bool negative = rest.starts_with('-');
  if (negative) rest.remove_prefix(1);
  const bool finite = rest.starts_with("0x");
  if (finite) rest.remove_prefix(2);
  double x = 0;
  const auto [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), x, std::chars_format::hex);
  const bool sensible = finite ? !rest.starts_with('-') && std::isfinite(x) : rest == "inf" || rest == "nan";
  if (error != std::errc() || end != rest.data() + rest.size() || !sensible)
    throw FileError(text("expected a number such as 0x1.8p+1, inf or nan, got '", number, "'"));
  return negative ? -x : x;
}

}  // namespace mien::inline v0
