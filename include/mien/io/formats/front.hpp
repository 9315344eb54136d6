#pragma once
// What a file is, by its first bytes.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include <mien/io/formats/input_file.hpp>

namespace mien::inline v0::detail {

inline constexpr std::string_view zip_magic{"PK\3\4"};
inline constexpr std::string_view hdf5_magic{"\x89HDF\r\n\x1a\n", 8};

/// The bytes of a file up to that many, as text.
[[nodiscard]] inline std::string front_of(const InputFile& file, std::size_t at_most) {
  std::string front(static_cast<std::size_t>(std::min<std::uint64_t>(at_most, file.size())), '\0');
  file.read_at(0, std::as_writable_bytes(std::span(front)));
  return front;
}

/// A safetensors file has no magic number, but its header is JSON, and shorter than 2^32 bytes.
[[nodiscard]] inline bool looks_like_safetensors(std::string_view front) {
  return front.size() > 8 && std::string_view("{ \t\r\n").find(front[8]) != std::string_view::npos &&
         front.substr(4, 4) == std::string_view("\0\0\0\0", 4);
}

}  // namespace mien::inline v0::detail
