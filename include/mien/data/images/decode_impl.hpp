#pragma once
// What decode.hpp declares.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include <mien/core/error.hpp>
#include <mien/data/images/decode.hpp>
#include <mien/data/images/jpeg_tables.hpp>
#include <mien/stb/pictures.hpp>

namespace mien::inline v0 {

namespace detail {

/// The file as stb_image reads it. A decoder that asks for more than there is would make the rest up; we want to know.
struct ImageBytes {
  std::span<const std::byte> bytes;
  std::size_t at = 0;
  bool truncated = false;

  static int read(void* user, char* to, int size) {
    auto& self = *static_cast<ImageBytes*>(user);
    const std::size_t n = std::min(static_cast<std::size_t>(size), self.bytes.size() - self.at);
    if (n == 0 && size > 0) self.truncated = true;
    if (n > 0) memcpy(to, self.bytes.data() + self.at, n);
    self.at += n;
    return static_cast<int>(n);
  }
  /// Never called with less than what `read` has given: a negative n goes back within it.
  static void skip(void* user, int n) {
    auto& self = *static_cast<ImageBytes*>(user);
    const auto to = static_cast<std::int64_t>(self.at) + n;
    self.at = static_cast<std::size_t>(std::clamp<std::int64_t>(to, 0, static_cast<std::int64_t>(self.bytes.size())));
  }
  static int at_end(void* user) {
    const auto& self = *static_cast<const ImageBytes*>(user);
    return self.at == self.bytes.size() ? 1 : 0;
  }
};

inline constexpr stb::stbi_io_callbacks image_bytes_callbacks{ImageBytes::read, ImageBytes::skip, ImageBytes::at_end};

/// Throws FileError unless the bytes begin as a picture does whose pixels they can hold. The densest encodings (a PNG
/// or a progressive JPEG of one colour) hold about 1000 pixels a byte; more is a claim made to have memory allocated.
inline void check_image_header(std::span<const std::byte> bytes) {
  constexpr std::int64_t pixels_per_byte = 2048;
  check_jpeg_tables(bytes);
  ImageBytes source{.bytes = bytes};
  int width = 0, height = 0, channels_in_file = 0;
  if (stb::stbi_info_from_callbacks(&image_bytes_callbacks, &source, &width, &height, &channels_in_file) == 0)
    throw FileError(text("not a picture that can be read (", stb::stbi_failure_reason(),
                         "); JPEG, PNG and BMP are, up to 16384 pixels a side"));
  if (std::int64_t{width} * height > pixels_per_byte * static_cast<std::int64_t>(bytes.size()))
    throw FileError(text("claims ", height, " x ", width, " pixels, which its ", bytes.size(), " bytes cannot hold"));
}

/// One row or more of decoded pixels in the channels asked for; alpha is dropped.
inline void convert_channels(const std::uint8_t* from, int from_channels, std::int64_t pixels, ColorMode mode,
                             std::uint8_t* to) {
  const bool is_grey = from_channels <= 2;
  for (std::int64_t p = 0; p < pixels; ++p, from += from_channels) {
    const std::uint8_t red = from[0], green = from[is_grey ? 0 : 1], blue = from[is_grey ? 0 : 2];
    if (mode == ColorMode::grayscale) {
      *to++ = is_grey ? red : luminance(red, green, blue);
    } else {
      *to++ = red;
      *to++ = green;
      *to++ = blue;
    }
  }
}

}  // namespace detail

MIEN_INLINE Tensor<std::uint8_t> decode_image(std::span<const std::byte> bytes, ColorMode mode) {
  using namespace detail;
  check_image_header(bytes);
  ImageBytes source{.bytes = bytes};
  int width = 0, height = 0, file_channels = 0;
  const std::unique_ptr<std::uint8_t, void (*)(void*)> pixels(
      stb::stbi_load_from_callbacks(&image_bytes_callbacks, &source, &width, &height, &file_channels, 0),
      stb::stbi_image_free);
  if (source.truncated) throw FileError(text("ends early, after ", bytes.size(), " bytes: truncated"));
  if (!pixels) throw FileError(text("damaged (", stb::stbi_failure_reason(), ")"));
  Tensor<std::uint8_t> picture({height, width, channels(mode)});
  convert_channels(pixels.get(), file_channels, std::int64_t{height} * width, mode, picture.data());
  return picture;
}

}  // namespace mien::inline v0
