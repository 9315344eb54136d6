#pragma once
// The first bytes of an HDF5 file: how wide its addresses are, and where its root group is.

#include <algorithm>
#include <cstdint>
#include <string_view>

#include <mien/io/formats/front.hpp>
#include <mien/io/formats/hdf5/region.hpp>

namespace mien::inline v0::hdf5 {

inline constexpr std::string_view signature = mien::detail::hdf5_magic;

struct Superblock {
  std::uint64_t root = 0;  ///< address of the root group's object header
};

/// Reads a superblock of version 0 to 3 at the beginning of the region. Throws FileError on anything else, and on a
/// file that is shorter than it says.
[[nodiscard]] inline Superblock read_superblock(Metadata& metadata) {
  constexpr std::uint64_t longest = 100;  // version 1
  const auto bytes = metadata.read("the superblock", 0, std::min(longest, metadata.region().size()));
  Cursor cursor = metadata.cursor("the superblock", 0, bytes);
  if (cursor.left() < signature.size() || cursor.characters(signature.size()) != signature)
    cursor.fail("is missing: this is not an HDF5 file");
  const std::uint8_t version = cursor.u8();
  if (version > 3) cursor.unsupported("has version ", version, "; versions 0 to 3 are read");
  if (version < 2) cursor.skip(4);  // versions of the free-space information, the root's entry, shared headers
  const std::uint8_t offset_size = cursor.u8(), length_size = cursor.u8();
  if (offset_size != 8 || length_size != 8)
    cursor.unsupported("has addresses of ", offset_size, " and lengths of ", length_size, " bytes; 8 are read");
  cursor.skip(version < 2 ? 9 : 1);  // widths of the groups' trees, flags
  if (version == 1) cursor.skip(4);  // width of the trees of chunks
  const std::uint64_t base = cursor.u64();
  if (base != 0) cursor.unsupported("has the base address ", base, "; only 0 is read");
  cursor.skip(8);  // free-space information, or the superblock's extension
  const std::uint64_t end = cursor.u64();
  if (end > metadata.region().size())
    cursor.fail("says that the file has ", end, " bytes, but it has ", metadata.region().size(), ": it is truncated");
  if (version < 2) cursor.skip(16);  // a driver's information; the offset of the root's empty name
  return {cursor.u64()};
}

}  // namespace mien::inline v0::hdf5
