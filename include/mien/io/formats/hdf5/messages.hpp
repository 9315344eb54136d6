#pragma once
// The messages of object headers as they are written: in the oldest versions, which every HDF5 library reads.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include <mien/core/error.hpp>
#include <mien/core/shape.hpp>
#include <mien/io/formats/hdf5/cursor.hpp>
#include <mien/io/formats/hdf5/image.hpp>
#include <mien/io/formats/hdf5/new_file.hpp>
#include <mien/io/formats/hdf5/object_header.hpp>

namespace mien::inline v0::hdf5 {

/// The content of a message that is written.
struct NewMessage {
  MessageType type{};
  bool constant = false;  ///< it never changes: what HDF5 says of a dataset's type
  Image content{};
};

[[nodiscard]] inline Image dataspace_image(const Shape& shape) {
  Image image;
  image.put(std::uint8_t{1}, static_cast<std::uint8_t>(shape.rank()), std::uint16_t{0}, std::uint32_t{0});
  for (const std::int64_t extent : shape) image.put(extent);
  return image;
}

/// A little-endian number. Throws OptionError on types that are not written.
[[nodiscard]] inline Image datatype_image(DType dtype) {
  const auto size = static_cast<std::uint32_t>(size_of(dtype));
  const auto bits = static_cast<std::uint16_t>(8 * size);
  Image image;
  const auto real = [&](std::uint8_t exponent, std::uint8_t mantissa, std::uint32_t bias) {
    image.put(std::uint8_t{0x11}, std::uint8_t{0x20}, static_cast<std::uint8_t>(bits - 1), std::uint8_t{0}, size);
    image.put(std::uint16_t{0}, bits, mantissa, exponent, std::uint8_t{0}, mantissa, bias);
  };
  const auto integer = [&](bool with_sign) {
    image.put(std::uint8_t{0x10}, static_cast<std::uint8_t>(with_sign ? 8 : 0), std::uint16_t{0}, size);
    image.put(std::uint16_t{0}, bits);
  };
  switch (dtype) {
    case DType::f16:
      real(5, 10, 15);
      break;
    case DType::f32:
      real(8, 23, 127);
      break;
    case DType::f64:
      real(11, 52, 1023);
      break;
    case DType::i8:
    case DType::i16:
    case DType::i32:
    case DType::i64:
      integer(true);
      break;
    case DType::u8:
    case DType::u16:
    case DType::u32:
    case DType::u64:
      integer(false);
      break;
    default:
      throw OptionError(text(to_string(dtype), " is not written to HDF5 files"));
  }
  return image;
}

/// Strings of one width, filled up with zeros.
[[nodiscard]] inline Image fixed_string_image(std::size_t width) {
  Image image;
  image.put(std::uint8_t{0x13}, std::uint8_t{1}, std::uint16_t{0}, static_cast<std::uint32_t>(width));
  return image;
}

/// A UTF-8 string of variable length: a list of bytes that stands in the global heap.
[[nodiscard]] inline Image variable_string_image() {
  Image image;
  image.put(std::uint8_t{0x19}, std::uint8_t{1}, std::uint8_t{1}, std::uint8_t{0}, std::uint32_t{16});
  image.put(std::uint8_t{0x10}, std::uint8_t{0}, std::uint16_t{0}, std::uint32_t{1});
  image.put(std::uint16_t{0}, std::uint16_t{8});
  return image;
}

/// An attribute message, version 1: name, type and extents each filled up to a multiple of 8 bytes.
[[nodiscard]] inline NewMessage attribute_message(const std::string& name, const Image& type, const Shape& shape,
                                                  const Image& values) {
  const Image space = dataspace_image(shape);
  NewMessage message{MessageType::attribute};
  message.content.put(std::uint16_t{1}, static_cast<std::uint16_t>(name.size() + 1),
                      static_cast<std::uint16_t>(type.size()), static_cast<std::uint16_t>(space.size()));
  message.content.put(std::string_view(name)).zeros(1).align();
  message.content.append(type.bytes()).align();
  message.content.append(space.bytes()).align();
  message.content.append(values.bytes()).align();
  constexpr std::uint64_t longest = 65535 / 8 * 8;
  if (message.content.size() > longest)
    throw OptionError(
        text("attribute '", name, "' would take ", message.content.size(), " bytes; HDF5 allows ", longest));
  return message;
}

/// A list of names as an attribute of fixed strings; an empty one as no numbers.
[[nodiscard]] inline NewMessage names_message(const NewAttribute& attribute) {
  if (attribute.names.empty()) return attribute_message(attribute.name, datatype_image(DType::f64), {0}, {});
  std::size_t width = 1;
  for (const std::string& name : attribute.names) width = std::max(width, name.size());
  Image values;
  for (const std::string& name : attribute.names) values.put(std::string_view(name)).zeros(width - name.size());
  return attribute_message(attribute.name, fixed_string_image(width),
                           {static_cast<std::int64_t>(attribute.names.size())}, values);
}

}  // namespace mien::inline v0::hdf5
