#pragma once
// Pictures to decode: encoded in memory, written to a folder of their own.

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <string>
#include <vector>

#if defined(__GNUC__)
#  pragma GCC diagnostic push
#  pragma GCC diagnostic ignored "-Wall"
#  pragma GCC diagnostic ignored "-Wextra"
#  pragma GCC diagnostic ignored "-Wpedantic"
#  pragma GCC diagnostic ignored "-Wconversion"
#  pragma GCC diagnostic ignored "-Wsign-conversion"
#  pragma GCC diagnostic ignored "-Wshadow"
#  pragma GCC diagnostic ignored "-Wunused-function"
#  pragma GCC diagnostic ignored "-Wmissing-field-initializers"
#endif
#define STB_IMAGE_WRITE_IMPLEMENTATION
#define STB_IMAGE_WRITE_STATIC
#define STBI_WRITE_NO_STDIO
#include <stb/stb_image_write.h>
#if defined(__GNUC__)
#  pragma GCC diagnostic pop
#endif

namespace picture_files {

using Bytes = std::vector<std::byte>;

inline void append(void* to, void* data, int size) {
  const auto* from = static_cast<const std::byte*>(data);
  static_cast<Bytes*>(to)->insert(static_cast<Bytes*>(to)->end(), from, from + size);
}

/// A picture of `channels` channels with a different value at every pixel.
inline std::vector<std::uint8_t> pattern(int height, int width, int channels) {
  std::vector<std::uint8_t> pixels;
  for (int y = 0; y < height; ++y)
    for (int x = 0; x < width; ++x)
      for (int c = 0; c < channels; ++c) pixels.push_back(static_cast<std::uint8_t>(8 * y + 5 * x + 60 * c));
  return pixels;
}

inline Bytes png(const std::vector<std::uint8_t>& pixels, int height, int width, int channels) {
  Bytes bytes;
  stbi_write_png_to_func(append, &bytes, width, height, channels, pixels.data(), width * channels);
  return bytes;
}
inline Bytes bmp(const std::vector<std::uint8_t>& pixels, int height, int width, int channels) {
  Bytes bytes;
  stbi_write_bmp_to_func(append, &bytes, width, height, channels, pixels.data());
  return bytes;
}
inline Bytes jpeg(const std::vector<std::uint8_t>& pixels, int height, int width, int channels) {
  Bytes bytes;
  stbi_write_jpg_to_func(append, &bytes, width, height, channels, pixels.data(), 95);
  return bytes;
}

/// A folder that is gone afterwards.
class Folder {
 public:
  explicit Folder(const std::string& name) : path_(std::filesystem::temp_directory_path() / ("mien_" + name)) {
    std::filesystem::remove_all(path_);
    std::filesystem::create_directories(path_);
  }
  ~Folder() { std::filesystem::remove_all(path_); }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;

  [[nodiscard]] std::string path(const std::string& name = {}) const { return (path_ / name).string(); }
  void write(const std::string& name, const Bytes& bytes) const {
    std::filesystem::create_directories((path_ / name).parent_path());
    std::FILE* file = std::fopen(path(name).c_str(), "wb");
    if (!bytes.empty()) std::fwrite(bytes.data(), 1, bytes.size(), file);
    std::fclose(file);
  }

 private:
  std::filesystem::path path_;
};

}  // namespace picture_files
