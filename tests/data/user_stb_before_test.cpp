// A program's own stb_image, here included before the library; the other order is in the neighbouring file, and both
// are linked together.

#if defined(__GNUC__)
#  pragma GCC diagnostic ignored "-Wall"
#  pragma GCC diagnostic ignored "-Wextra"
#  pragma GCC diagnostic ignored "-Wpedantic"
#  pragma GCC diagnostic ignored "-Wconversion"
#  pragma GCC diagnostic ignored "-Wsign-conversion"
#  pragma GCC diagnostic ignored "-Wshadow"
#endif
#define STB_IMAGE_IMPLEMENTATION  // with external linkage, all formats and stdio
#define STBI_MAX_DIMENSIONS 77
#include <stb/stb_image.h>

#include <doctest/doctest.h>

#include <mien/images.hpp>

#include "picture_files.hpp"

#if defined(STBI_NO_STDIO) || defined(STBI_ONLY_PNG) || STBI_MAX_DIMENSIONS != 77 || !defined(STBI_INCLUDE_STB_IMAGE_H)
#  error "the library changed the user's stb_image settings"
#endif

TEST_CASE("a user's stb_image included before the library keeps its own limits") {
  const auto bytes = picture_files::png(picture_files::pattern(100, 3, 3), 100, 3, 3);
  int width = 0, height = 0, channels = 0;
  const auto* data = reinterpret_cast<const unsigned char*>(bytes.data());
  CHECK(stbi_load_from_memory(data, static_cast<int>(bytes.size()), &width, &height, &channels, 0) == nullptr);
  CHECK(mien::decode_image(bytes).shape() == mien::Shape{100, 3, 3});
}
