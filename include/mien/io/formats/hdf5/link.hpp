#pragma once
// Links: the names in a group, and what they lead to. New groups keep them as messages of their object header.

#include <cstdint>
#include <string>
#include <string_view>

#include <mien/io/formats/hdf5/cursor.hpp>

namespace mien::inline v0::hdf5 {

/// A name in a group.
struct Link {
  std::string name;
  std::uint64_t address = undefined_address;  ///< of the object's header
  std::string problem{};                      ///< why it cannot be followed: a soft or an external link
};

inline constexpr const char* soft_link = "is a soft or external link; only hard links are followed";

/// A link's name, checked: paths are taken apart at the slashes.
[[nodiscard]] inline std::string link_name(const Cursor& cursor, std::string_view name) {
  if (name.empty() || name.find('/') != std::string_view::npos || name.find('\0') != std::string_view::npos)
    cursor.fail("holds a link without a name, or with '/' or a zero byte in it; the file is damaged");
  return std::string(name);
}

/// Reads a link message.
[[nodiscard]] inline Link read_link_message(Cursor cursor) {
  cursor.expect_version(1);
  const std::uint8_t flags = cursor.u8();
  const std::uint8_t kind = (flags & 8U) != 0 ? cursor.u8() : std::uint8_t{0};
  if ((flags & 4U) != 0) cursor.skip(8);   // the number of the link in order of creation
  if ((flags & 16U) != 0) cursor.skip(1);  // ASCII or UTF-8
  const std::uint64_t length = cursor.unsigned_of(std::size_t{1} << (flags & 3U));
  Link link{link_name(cursor, cursor.characters(length))};
  if (kind == 0) {
    link.address = cursor.u64();
  } else {
    link.problem = soft_link;
  }
  return link;
}

}  // namespace mien::inline v0::hdf5
