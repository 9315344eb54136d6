#pragma once
// Datasets: type, extents, and where their numbers lie.

#include <cmath>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include <mien/core/shape.hpp>
#include <mien/io/formats/hdf5/dataspace.hpp>
#include <mien/io/formats/hdf5/datatype.hpp>
#include <mien/io/formats/hdf5/filters.hpp>
#include <mien/io/formats/hdf5/object_header.hpp>

namespace mien::inline v0::hdf5 {

enum class Storage : int { compact, contiguous, chunked };

/// A dataset of numbers, as the file describes it.
struct Dataset {
  DType dtype = DType::f32;
  Shape shape;
  std::uint64_t bytes = 0;  ///< shape.size() * size_of(dtype)
  Storage storage = Storage::contiguous;
  std::uint64_t address = undefined_address;  ///< of the bytes, or of the tree of chunks; undefined: never written
  std::vector<std::byte> compact{};           ///< the bytes that stand in the header
  std::vector<std::byte> fill{};              ///< an element that was never written; empty: zeros
  std::vector<std::uint32_t> chunk{};         ///< the extents of a chunk
  std::vector<Filter> filters{};
};

namespace detail {

inline void read_compact(const Region&, Cursor& cursor, Dataset& dataset) {
  const std::uint16_t size = cursor.u16();
  if (size != dataset.bytes)
    cursor.fail("holds ", size, " bytes, but ", to_string(dataset.dtype), " ", dataset.shape, " has ", dataset.bytes);
  const auto bytes = cursor.take(size);
  dataset.compact.assign(bytes.begin(), bytes.end());
}

inline void read_contiguous(const Region& region, Cursor& cursor, Dataset& dataset) {
  dataset.address = cursor.u64();
  const std::uint64_t size = cursor.u64();
  if (dataset.address == undefined_address) return;
  if (size != dataset.bytes)
    cursor.fail("says ", size, " bytes, but ", to_string(dataset.dtype), " ", dataset.shape, " has ", dataset.bytes);
  if (!region.holds(dataset.address, size))
    cursor.fail("says ", size, " bytes at address ", dataset.address, ", but the file has ", region.size(),
                "; it is truncated or damaged");
}

inline void read_chunked(const Region&, Cursor& cursor, Dataset& dataset) {
  constexpr std::uint64_t largest = std::uint64_t{16} << 20U;
  const std::uint8_t rank = cursor.u8();
  dataset.address = cursor.u64();
  if (dataset.shape.rank() == 0) cursor.fail("has chunks of a single number; the file is damaged");
  if (rank != dataset.shape.rank() + 1)
    cursor.fail("has chunks of ", rank, " extents, the last for the bytes of an element, for the shape ",
                dataset.shape);
  std::uint64_t bytes = size_of(dataset.dtype);
  double padded = static_cast<double>(bytes);  // of all chunks together, whole
  for (int axis = 0; axis + 1 < rank; ++axis) {
    const std::uint32_t extent = cursor.u32();
    if (extent == 0) cursor.fail("has a chunk with the extent 0");
    if (extent > largest / bytes) cursor.unsupported("has chunks of more than ", largest, " bytes");
    bytes *= extent;
    dataset.chunk.push_back(extent);
    padded *= std::ceil(static_cast<double>(dataset.shape[axis]) / extent) * extent;
  }
  // A file of a few chunks may claim millions of them, each with one element inside the dataset.
  if (padded > 64 * static_cast<double>(dataset.bytes) + static_cast<double>(largest))
    cursor.unsupported("has chunks that lie mostly outside the shape ", dataset.shape);
  if (const std::uint32_t element = cursor.u32(); element != size_of(dataset.dtype))
    cursor.fail("has chunks of elements of ", element, " bytes, but they are ", to_string(dataset.dtype));
}

/// The layout message, version 3, and those of version 4 that are the same.
inline void read_layout(const Region& region, Cursor cursor, Dataset& dataset) {
  const std::uint8_t version = cursor.u8();
  if (version != 3 && version != 4) cursor.unsupported("has version ", version, "; version 3 is read");
  const std::uint8_t kind = cursor.u8();
  if (version == 4 && kind == 2) cursor.unsupported("has chunks with an index of HDF5 1.10; version 3 is read");
  if (kind > 2) cursor.unsupported("is of class ", kind, " (a virtual dataset is 3); 0 to 2 are read");
  dataset.storage = static_cast<Storage>(kind);
  constexpr void (*read[])(const Region&, Cursor&, Dataset&) = {read_compact, read_contiguous, read_chunked};
  read[kind](region, cursor, dataset);
}

/// The value of elements that were never written, from a fill value message.
[[nodiscard]] inline std::vector<std::byte> read_fill_value(Cursor cursor, std::size_t element) {
  const std::uint8_t version = cursor.u8();
  if (version < 1 || version > 3) cursor.unsupported("has version ", version, "; versions 1 to 3 are read");
  bool defined = true;
  if (version == 3) {
    defined = (cursor.u8() & 0x20U) != 0;
  } else {
    cursor.skip(2);  // when storage is allocated, when it is filled
    const std::uint8_t flag = cursor.u8();
    defined = version == 1 || flag != 0;
  }
  const std::uint32_t size = defined ? cursor.u32() : 0;
  if (size == 0) return {};
  if (size != element) cursor.fail("has ", size, " bytes for elements of ", element);
  const auto bytes = cursor.take(size);
  return {bytes.begin(), bytes.end()};
}

/// The message of that type as a cursor; nothing if the header has none.
[[nodiscard]] inline std::optional<Cursor> find_message(const Metadata& metadata, const std::vector<Message>& messages,
                                                        MessageType type, std::string_view what) {
  for (const Message& message : messages) {
    if (message.type != type) continue;
    Cursor found = metadata.cursor(what, message.address, message.bytes);
    if (message.shared) found.unsupported("stands elsewhere (a committed datatype), which is not read");
    return found;
  }
  return std::nullopt;
}

}  // namespace detail

/// The dataset that the messages of the header at `address` describe. Throws FileError; Unsupported on what Keras does
/// not write.
[[nodiscard]] inline Dataset read_dataset(const Metadata& metadata, std::uint64_t address,
                                          const std::vector<Message>& messages) {
  const auto find = [&](MessageType type, std::string_view what) {
    return detail::find_message(metadata, messages, type, what);
  };
  const auto type = find(MessageType::datatype, "the datatype");
  const auto space = find(MessageType::dataspace, "the dataspace");
  const auto layout = find(MessageType::layout, "the layout");
  if (!type || !space || !layout)
    metadata.cursor("the dataset", address, {}).fail("lacks its datatype, dataspace or layout; the file is damaged");
  const Datatype element = read_datatype(*type);
  if (element.kind != Datatype::Kind::number) type->unsupported("is a string; datasets of numbers are read");
  Dataset dataset{.dtype = element.dtype, .shape = read_dataspace(*space)};
  const auto count = static_cast<std::uint64_t>(dataset.shape.size());
  if (count > (~std::uint64_t{0} >> 1U) / element.size) space->fail("has ", count, " elements: more than can be");
  dataset.bytes = count * element.size;
  if (const auto fill = find(MessageType::fill_value, "the fill value"))
    dataset.fill = detail::read_fill_value(*fill, element.size);
  if (const auto filters = find(MessageType::filters, "the filter pipeline")) dataset.filters = read_filters(*filters);
  if (const auto external = find(MessageType::external_files, "the list of external files"))
    external->unsupported("is there: the numbers stand in other files, which are not read");
  detail::read_layout(metadata.region(), *layout, dataset);
  return dataset;
}

}  // namespace mien::inline v0::hdf5
