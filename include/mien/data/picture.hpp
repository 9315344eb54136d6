#pragma once
// The words in which pictures are asked for, with or without a decoder.

#include <cstdint>
#include <string>

#include <mien/core/error.hpp>

namespace mien::inline v0 {

/// Height and width of a picture in pixels; `{}` keeps the picture's own, one number is a square.
struct ImageSize {
  std::int64_t height = 0, width = 0;

  constexpr ImageSize() = default;
  constexpr ImageSize(std::int64_t both) : height(both), width(both) {}  // NOLINT: a number is a square
  constexpr ImageSize(std::int64_t rows, std::int64_t columns) : height(rows), width(columns) {}

  /// True if the picture keeps the size that it has.
  [[nodiscard]] constexpr bool keeps() const { return height == 0 && width == 0; }
  [[nodiscard]] std::string to_string() const { return text("(", height, ", ", width, ")"); }
  friend constexpr bool operator==(const ImageSize&, const ImageSize&) = default;
};

/// The channels that a picture is brought to: 3 or 1.
enum class ColorMode : int { rgb, grayscale };

[[nodiscard]] constexpr std::int64_t channels(ColorMode mode) { return mode == ColorMode::rgb ? 3 : 1; }

/// How a picture is resized; see `resize_image`.
enum class Interpolation : int { bilinear, nearest };

/// The brightness of a colour (ITU-R 601), rounded as PIL's convert("L") does.
[[nodiscard]] constexpr std::uint8_t luminance(std::uint32_t red, std::uint32_t green, std::uint32_t blue) {
  return static_cast<std::uint8_t>((19595U * red + 38470U * green + 7471U * blue + 0x8000U) >> 16U);
}

}  // namespace mien::inline v0
