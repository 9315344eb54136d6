// A program's own stb_image, here included after the library; the other order is in the neighbouring file, and both are
// linked together.

#include <doctest/doctest.h>

#include <mien/images.hpp>

#include "picture_files.hpp"

#if defined(STBI_INCLUDE_STB_IMAGE_H) || defined(STB_IMAGE_IMPLEMENTATION) || defined(STBI_NO_STDIO) || defined(STBIDEF)
#  error "the library left its stb_image settings behind"
#endif
#if defined(__GNUC__)
#  pragma GCC diagnostic ignored "-Wall"
#  pragma GCC diagnostic ignored "-Wextra"
#  pragma GCC diagnostic ignored "-Wpedantic"
#  pragma GCC diagnostic ignored "-Wconversion"
#  pragma GCC diagnostic ignored "-Wsign-conversion"
#  pragma GCC diagnostic ignored "-Wshadow"
#  pragma GCC diagnostic ignored "-Wunused-function"
#endif
#define STB_IMAGE_STATIC
#define STB_IMAGE_IMPLEMENTATION
#include <stb/stb_image.h>

TEST_CASE("a user's stb_image included after the library is the user's") {
  const std::vector<std::uint8_t> pixels{1, 2, 3, 4, 5, 6};
  const auto bytes = picture_files::png(pixels, 1, 2, 3);
  int width = 0, height = 0, channels = 0;
  const auto* data = reinterpret_cast<const unsigned char*>(bytes.data());
  unsigned char* theirs = stbi_load_from_memory(data, static_cast<int>(bytes.size()), &width, &height, &channels, 0);
  REQUIRE(theirs != nullptr);
  const auto ours = mien::decode_image(bytes);
  CHECK(std::equal(ours.begin(), ours.end(), theirs, theirs + width * height * channels));
  stbi_image_free(theirs);
  CHECK(stbi_is_hdr("no such file") == 0);  // stdio, which the library's own copy does without
}
