#pragma once
// Attributes: small named values of groups and datasets.

#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include <mien/core/shape.hpp>
#include <mien/io/formats/hdf5/dataspace.hpp>
#include <mien/io/formats/hdf5/datatype.hpp>
#include <mien/io/formats/hdf5/global_heap.hpp>
#include <mien/io/formats/hdf5/object_header.hpp>

namespace mien::inline v0::hdf5 {

/// A named value, read: strings as strings, numbers as the bytes of `dtype`.
struct Attribute {
  std::string name;
  Shape shape;
  Datatype type{};
  std::vector<std::string> strings{};  ///< of a string or an array of them
  std::vector<std::byte> bytes{};      ///< of numbers
  std::string problem{};               ///< why it could not be read, if it is of a kind that is not
};

namespace detail {

/// A fixed string without what fills its field.
[[nodiscard]] inline std::string unpadded(std::string_view field, StringPadding padding) {
  if (padding == StringPadding::null_terminated) return std::string(field.substr(0, field.find('\0')));
  const char filler = padding == StringPadding::space_padded ? ' ' : '\0';
  while (!field.empty() && field.back() == filler) field.remove_suffix(1);
  return std::string(field);
}

inline void read_values(Metadata& metadata, GlobalHeap& heap, Cursor& cursor, Attribute& attribute) {
  const auto count = static_cast<std::uint64_t>(attribute.shape.size());
  if (count > cursor.left() / attribute.type.size)
    cursor.fail("claims ", attribute.shape, " elements of ", attribute.type.size, " bytes, but has ", cursor.left());
  if (attribute.type.kind == Datatype::Kind::number) {
    const auto bytes = cursor.take(count * attribute.type.size);
    attribute.bytes.assign(bytes.begin(), bytes.end());
    return;
  }
  metadata.spend(count * sizeof(std::string));
  for (std::uint64_t i = 0; i < count; ++i) {
    if (attribute.type.kind == Datatype::Kind::fixed_string) {
      metadata.spend(attribute.type.size);
      attribute.strings.push_back(unpadded(cursor.characters(attribute.type.size), attribute.type.padding));
    } else {
      const std::uint32_t length = cursor.u32();
      const std::uint64_t address = cursor.u64();
      const std::uint32_t index = cursor.u32();
      attribute.strings.push_back(length == 0 ? std::string() : heap.string(address, index, length));
    }
  }
}

}  // namespace detail

/// Reads an attribute message of version 1 to 3. An attribute of a type that is not read keeps the reason in `problem`.
[[nodiscard]] inline Attribute read_attribute(Metadata& metadata, GlobalHeap& heap, Cursor cursor) {
  const std::uint8_t version = cursor.u8(), flags = cursor.u8();
  if (version < 1 || version > 3) cursor.unsupported("has version ", version, "; versions 1 to 3 are read");
  const std::uint16_t name_length = cursor.u16(), type_length = cursor.u16(), space_length = cursor.u16();
  if (version == 3) cursor.skip(1);  // ASCII or UTF-8
  const auto align = [&] {
    if (version == 1) cursor.align();
  };
  const std::string_view field = cursor.characters(name_length);
  Attribute attribute{std::string(field.substr(0, field.find('\0'))), {}};
  align();
  const Cursor type = cursor.part("the datatype of an attribute", type_length);
  align();
  const Cursor space = cursor.part("the dataspace of an attribute", space_length);
  align();
  try {
    if (version > 1 && flags != 0) cursor.unsupported("has a shared datatype or dataspace, which is not read");
    attribute.type = read_datatype(type);
    attribute.shape = read_dataspace(space);
    detail::read_values(metadata, heap, cursor, attribute);
  } catch (const Unsupported& error) {
    attribute.problem = error.what();
  }
  return attribute;
}

}  // namespace mien::inline v0::hdf5
