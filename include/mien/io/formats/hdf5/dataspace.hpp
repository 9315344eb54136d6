#pragma once
// The dataspace message: the extents of a dataset or an attribute.

#include <array>
#include <cstdint>
#include <limits>
#include <span>

#include <mien/core/shape.hpp>
#include <mien/io/formats/hdf5/cursor.hpp>

namespace mien::inline v0::hdf5 {

/// Reads a dataspace message; a null dataspace, which has no elements, becomes (0,). Throws FileError on extents whose
/// product does not fit 63 bits, Unsupported on more than Shape::max_rank of them.
[[nodiscard]] inline Shape read_dataspace(Cursor cursor) {
  const std::uint8_t version = cursor.u8(), rank = cursor.u8(), flags = cursor.u8(), kind = cursor.u8();
  if (version != 1 && version != 2) cursor.unsupported("has version ", version, "; versions 1 and 2 are read");
  if (version == 1) cursor.skip(4);
  if (version == 2 && kind == 2) return {0};
  if (rank > Shape::max_rank) cursor.unsupported("has ", rank, " extents; at most ", Shape::max_rank, " are read");
  if ((flags & 2U) != 0) cursor.unsupported("has permuted axes");
  std::array<std::int64_t, Shape::max_rank> extents{};
  for (std::size_t i = 0; i < rank; ++i) {
    const std::uint64_t extent = cursor.u64();
    if (extent > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max()))
      cursor.fail("has the extent ", extent);
    extents[i] = static_cast<std::int64_t>(extent);
  }
  try {
    return Shape(std::span<const std::int64_t>(extents.data(), rank));
  } catch (const ShapeError& error) {
    cursor.fail("is damaged: ", error.what());
  }
}

}  // namespace mien::inline v0::hdf5
