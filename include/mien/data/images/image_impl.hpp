#pragma once
// What image.hpp declares.

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include <mien/core/error.hpp>
#include <mien/data/images/decode.hpp>
#include <mien/data/images/image.hpp>
#include <mien/data/images/resize.hpp>

namespace mien::inline v0 {

namespace detail {

/// The whole file. Throws FileError with the reason, without the path.
[[nodiscard]] inline std::vector<std::byte> read_image_bytes(const std::string& path) {
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(path.c_str(), "rb"), std::fclose);
  if (!file) throw FileError("cannot be opened; check the path and the permissions");
  std::vector<std::byte> bytes;
  constexpr std::size_t block = 64 * 1024;
  for (std::size_t got = block; got == block;) {
    bytes.resize(bytes.size() + block);
    got = std::fread(bytes.data() + bytes.size() - block, 1, block, file.get());
    bytes.resize(bytes.size() - block + got);
  }
  if (std::ferror(file.get()) != 0) throw FileError("cannot be read; is it a folder?");
  return bytes;
}

/// load_image, with errors that give the reason alone.
[[nodiscard]] inline Tensor<float> load_picture(const std::string& path, const LoadImageOptions& options) {
  const Tensor<std::uint8_t> picture = decode_image(read_image_bytes(path), options.color_mode);
  return resize_image(picture.view(), options.size, options.interpolation);
}

}  // namespace detail

MIEN_INLINE Tensor<float> load_image(const std::string& path, const LoadImageOptions& options) {
  try {
    return detail::load_picture(path, options);
  } catch (const FileError& error) {
    throw FileError(text("load_image: ", path, ": ", error.what()));
  }
}

}  // namespace mien::inline v0
