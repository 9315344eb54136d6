#pragma once
// What was done to the chunks of a dataset before they were written, undone.

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include <mien/io/formats/hdf5/cursor.hpp>

namespace mien::inline v0::hdf5 {

enum class Filter : int { deflate = 1, shuffle = 2 };

/// Reads a filter pipeline message of version 1 or 2: the filters in the order in which a writer applies them.
[[nodiscard]] inline std::vector<Filter> read_filters(Cursor cursor) {
  const std::uint8_t version = cursor.u8(), count = cursor.u8();
  if (version != 1 && version != 2) cursor.unsupported("has version ", version, "; versions 1 and 2 are read");
  constexpr int most = 32;  // HDF5's own limit
  if (count > most) cursor.fail("has ", count, " filters; at most ", most, " are possible");
  if (version == 1) cursor.skip(6);
  std::vector<Filter> filters;
  for (int i = 0; i < count; ++i) {
    const std::uint16_t id = cursor.u16();
    const std::uint16_t name_length = version == 1 || id >= 256 ? cursor.u16() : std::uint16_t{0};
    cursor.skip(2);  // whether it may fail
    const std::uint16_t values = cursor.u16();
    cursor.skip(version == 1 ? (name_length + 7U) / 8 * 8 : name_length);
    cursor.skip(std::uint64_t{values} * 4 + (version == 1 && values % 2 == 1 ? 4 : 0));
    if (id != 1 && id != 2)
      cursor.unsupported("has the filter ", id,
                         id == 3   ? " (fletcher32)"
                         : id == 4 ? " (szip)"
                                   : "",
                         "; deflate (gzip) and shuffle are read");
    filters.push_back(static_cast<Filter>(id));
  }
  return filters;
}

/// Puts the bytes of each element together again: the shuffle filter writes all first bytes, then all second bytes, ...
/// Bytes beyond the last whole element stay where they are.
inline void unshuffle(std::span<const std::byte> from, std::size_t element, std::span<std::byte> to) {
  const std::size_t count = from.size() / element;
  for (std::size_t byte = 0; byte < element; ++byte)
    for (std::size_t i = 0; i < count; ++i) to[i * element + byte] = from[byte * count + i];
  for (std::size_t i = count * element; i < from.size(); ++i) to[i] = from[i];
}

}  // namespace mien::inline v0::hdf5
