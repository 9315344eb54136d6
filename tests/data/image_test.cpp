#include <cmath>
#include <cstdint>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include <mien/images.hpp>

#include "picture_files.hpp"

using namespace mien;
using namespace picture_files;

namespace {

std::vector<int> values(const Tensor<std::uint8_t>& x) { return {x.begin(), x.end()}; }

/// Decodes; a FileError is as good as a picture. Anything else fails the test.
bool decodes_or_refuses(const Bytes& bytes) {
  try {
    return decode_image(bytes).size() > 0;
  } catch (const FileError& error) {
    return !std::string(error.what()).empty();
  }
}

}  // namespace

TEST_CASE("decode_image gives the pixels of PNG and BMP exactly, and of JPEG nearly") {
  const auto pixels = pattern(6, 9, 3);
  const std::vector<int> expected(pixels.begin(), pixels.end());
  const auto from_png = decode_image(png(pixels, 6, 9, 3));
  CHECK(from_png.shape() == Shape{6, 9, 3});
  CHECK(values(from_png) == expected);
  CHECK(values(decode_image(bmp(pixels, 6, 9, 3))) == expected);
  const auto smooth = decode_image(jpeg(std::vector<std::uint8_t>(16 * 16 * 3, 77), 16, 16, 3));
  CHECK(smooth.shape() == Shape{16, 16, 3});
  for (const int value : values(smooth)) CHECK(std::abs(value - 77) <= 1);
}

TEST_CASE("decode_image converts channels as PIL does") {
  const std::vector<std::uint8_t> colours{255, 0, 0, 0, 255, 0, 0, 0, 255, 200, 100, 50};
  CHECK(values(decode_image(png(colours, 2, 2, 3), ColorMode::grayscale)) == std::vector<int>{76, 150, 29, 124});
  CHECK(values(decode_image(png({7, 9}, 1, 2, 1))) == std::vector<int>{7, 7, 7, 9, 9, 9});
  CHECK(values(decode_image(png({7, 9}, 1, 2, 1), ColorMode::grayscale)) == std::vector<int>{7, 9});
  CHECK(values(decode_image(png({1, 2, 3, 0, 4, 5, 6, 128}, 1, 2, 4))) == std::vector<int>{1, 2, 3, 4, 5, 6});
  CHECK(values(decode_image(png({8, 0, 9, 255}, 1, 2, 2), ColorMode::grayscale)) == std::vector<int>{8, 9});
}

TEST_CASE("decode_image refuses what is no picture") {
  const Bytes text(100, std::byte{'x'});
  CHECK_THROWS_WITH_AS(static_cast<void>(decode_image(text)), doctest::Contains("JPEG, PNG and BMP are"), FileError);
  CHECK_THROWS_AS(static_cast<void>(decode_image({})), FileError);
}

TEST_CASE("decode_image refuses every truncated file") {
  const auto pixels = pattern(20, 20, 3);
  for (const Bytes& whole : {png(pixels, 20, 20, 3), bmp(pixels, 20, 20, 3), jpeg(pixels, 20, 20, 3)}) {
    CHECK(decode_image(whole).shape() == Shape{20, 20, 3});
    for (std::size_t n = 0; n + 12 < whole.size(); n += 7)
      CHECK_THROWS_AS(static_cast<void>(decode_image(std::span(whole).first(n))), FileError);
  }
}

TEST_CASE("decode_image survives damaged files") {
  const auto pixels = pattern(20, 20, 3);
  for (const Bytes& whole : {png(pixels, 20, 20, 3), bmp(pixels, 20, 20, 3), jpeg(pixels, 20, 20, 3)})
    for (std::size_t i = 0; i < whole.size(); ++i) {
      Bytes damaged = whole;
      damaged[i] ^= std::byte{0xA5};
      CHECK(decodes_or_refuses(damaged));
    }
}

TEST_CASE("decode_image refuses Huffman tables that overflow the decoder's") {
  Bytes bytes = jpeg(pattern(8, 8, 3), 8, 8, 3);
  std::size_t at = 0;
  while (bytes[at] != std::byte{0xFF} || bytes[at + 1] != std::byte{0xC4}) ++at;
  bytes[at + 20] = std::byte{250};  // the sixteenth of the first table's counts
  CHECK_THROWS_WITH_AS(static_cast<void>(decode_image(bytes)), doctest::Contains("Huffman table of 262 codes"),
                       FileError);
}

TEST_CASE("decode_image refuses sizes that the file cannot hold, before it allocates them") {
  Bytes huge = bmp(pattern(4, 4, 3), 4, 4, 3);
  huge[19] = huge[23] = std::byte{0x30};  // width and height 12288 more
  CHECK_THROWS_WITH_AS(static_cast<void>(decode_image(huge)), doctest::Contains("cannot hold"), FileError);
  huge[19] = std::byte{0x50};
  CHECK_THROWS_AS(static_cast<void>(decode_image(huge)), FileError);
}

TEST_CASE("resize_image matches tf.image.resize") {
  // By hand: rows at (i + 0.5) * 2 / 4 - 0.5 = -0.25, 0.25, 0.75, 1.25, clamped; columns at 0.25, 1.75.
  const Tensor<float> x({2, 3, 1}, {0, 4, 8, 16, 20, 24});
  const Tensor<float> y = resize_image(x.view(), {4, 2});
  CHECK(y.shape() == Shape{4, 2, 1});
  CHECK(std::vector<float>(y.begin(), y.end()) == std::vector<float>{1, 7, 5, 11, 13, 19, 17, 23});
  const Tensor<float> nearest = resize_image(x.view(), {1, 2}, Interpolation::nearest);
  CHECK(std::vector<float>(nearest.begin(), nearest.end()) == std::vector<float>{16, 24});
}

TEST_CASE("resize_image to the same size changes nothing") {
  const auto pixels = pattern(5, 7, 3);
  const Tensor<std::uint8_t> x({5, 7, 3}, pixels);
  for (const auto how : {Interpolation::bilinear, Interpolation::nearest})
    for (const ImageSize size : {ImageSize{}, ImageSize{5, 7}}) {
      const Tensor<float> y = resize_image(x.view(), size, how);
      CHECK(std::vector<float>(y.begin(), y.end()) == std::vector<float>(pixels.begin(), pixels.end()));
    }
  CHECK_THROWS_AS(static_cast<void>(resize_image(x.view(), {0, 7})), OptionError);
  CHECK_THROWS_AS(static_cast<void>(resize_image(TensorView<const float>(nullptr, {5, 0, 3}), {4, 4})), ShapeError);
}

TEST_CASE("nearest takes the pixel at floor((i + 0.5) n / m) also where that is a whole number") {
  std::vector<float> line(48);
  for (std::size_t i = 0; i < line.size(); ++i) line[i] = static_cast<float>(i);
  const Tensor<float> y = resize_image(Tensor<float>({1, 48, 1}, line).view(), {1, 37}, Interpolation::nearest);
  CHECK(y[18] == 24);  // 18.5 * 48 / 37
}

TEST_CASE("load_image resizes, converts, and names the file that it cannot read") {
  const Folder folder("image_test");
  folder.write("a.png", png(pattern(6, 9, 3), 6, 9, 3));
  folder.write("b.jpg", Bytes(40, std::byte{1}));
  CHECK(load_image(folder.path("a.png")).shape() == Shape{6, 9, 3});
  const Tensor<float> x = load_image(folder.path("a.png"), {.size = {4, 5}, .color_mode = ColorMode::grayscale});
  CHECK(x.shape() == Shape{4, 5, 1});
  CHECK_THROWS_WITH_AS(static_cast<void>(load_image(folder.path("b.jpg"))), doctest::Contains("b.jpg: not a picture"),
                       FileError);
  CHECK_THROWS_WITH_AS(static_cast<void>(load_image(folder.path("none.jpg"))),
                       doctest::Contains("none.jpg: cannot be opened"), FileError);
  CHECK_THROWS_AS(static_cast<void>(load_image(folder.path())), FileError);
}
