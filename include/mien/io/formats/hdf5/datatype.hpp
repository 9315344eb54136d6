#pragma once
// The datatype message: what the elements of a dataset or an attribute are.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include <mien/io/formats/dtype.hpp>
#include <mien/io/formats/hdf5/cursor.hpp>

namespace mien::inline v0::hdf5 {

/// How a string shorter than its field ends.
enum class StringPadding : int { null_terminated, null_padded, space_padded };

struct Datatype {
  enum class Kind : int { number, fixed_string, variable_string };
  Kind kind = Kind::number;
  std::size_t size = 0;      ///< bytes of an element in the file
  DType dtype = DType::f32;  ///< of a number
  StringPadding padding{};   ///< of a fixed string
};

namespace detail {

/// Fields of a floating-point type: where the exponent is, how wide, and its bias.
struct FloatFormat {
  std::uint32_t size;
  std::uint16_t precision;
  std::uint8_t sign, exponent_at, exponent_bits, mantissa_bits;
  std::uint32_t bias;
  DType dtype;
};
inline constexpr FloatFormat float_formats[] = {{2, 16, 15, 10, 5, 10, 15, DType::f16},
                                                {2, 16, 15, 7, 8, 7, 127, DType::bf16},
                                                {4, 32, 31, 23, 8, 23, 127, DType::f32},
                                                {8, 64, 63, 52, 11, 52, 1023, DType::f64}};

[[nodiscard]] inline DType integer_type(Cursor& cursor, std::uint32_t bits, std::uint32_t size) {
  const std::uint16_t offset = cursor.u16(), precision = cursor.u16();
  if ((bits & 1U) != 0) cursor.unsupported("is a big-endian integer; little-endian ones are read");
  const bool is_signed = (bits & 8U) != 0;
  if (offset == 0 && precision == 8 * size) {
    if (size == 1) return is_signed ? DType::i8 : DType::u8;
    if (size == 2) return is_signed ? DType::i16 : DType::u16;
    if (size == 4) return is_signed ? DType::i32 : DType::u32;
    if (size == 8) return is_signed ? DType::i64 : DType::u64;
  }
  cursor.unsupported("is an integer of ", precision, " bits in ", size, " bytes");
}

[[nodiscard]] inline DType float_type(Cursor& cursor, std::uint32_t bits, std::uint32_t size) {
  if ((bits & 0x41U) != 0) cursor.unsupported("is a big-endian or VAX float; little-endian ones are read");
  const std::uint16_t offset = cursor.u16(), precision = cursor.u16();
  const std::uint8_t exponent_at = cursor.u8(), exponent_bits = cursor.u8();
  const std::uint8_t mantissa_at = cursor.u8(), mantissa_bits = cursor.u8();
  const std::uint32_t bias = cursor.u32();
  const bool implied_one = (bits >> 4U & 3U) == 2;
  for (const FloatFormat& f : float_formats)
    if (implied_one && offset == 0 && mantissa_at == 0 && size == f.size && precision == f.precision &&
        (bits >> 8U & 0xffU) == f.sign && exponent_at == f.exponent_at && exponent_bits == f.exponent_bits &&
        mantissa_bits == f.mantissa_bits && bias == f.bias)
      return f.dtype;
  cursor.unsupported("is a float of ", precision, " bits, ", exponent_bits, " of them exponent; of 16, 32 and 64 bits ",
                     "those of IEEE 754 are read, and bfloat16");
}

[[nodiscard]] inline StringPadding string_padding(Cursor& cursor, std::uint32_t bits) {
  if (bits > 2) cursor.unsupported("is a string with padding of kind ", bits);
  return static_cast<StringPadding>(bits);
}

}  // namespace detail

/// Reads a datatype message. Throws Unsupported on types that Keras does not write.
[[nodiscard]] inline Datatype read_datatype(Cursor cursor) {
  const std::uint32_t head = cursor.u32(), size = cursor.u32();
  const std::uint32_t version = head >> 4U & 0xfU, kind = head & 0xfU, bits = head >> 8U;
  if (version < 1 || version > 4) cursor.unsupported("has version ", version);
  if (size == 0) cursor.fail("says that an element has no bytes");
  using Kind = Datatype::Kind;
  switch (kind) {
    case 0:
      return {Kind::number, size, detail::integer_type(cursor, bits, size), {}};
    case 1:
      return {Kind::number, size, detail::float_type(cursor, bits, size), {}};
    case 3:
      return {Kind::fixed_string, size, {}, detail::string_padding(cursor, bits & 0xfU)};
    case 9:
      if ((bits & 0xfU) != 1) cursor.unsupported("is a list of variable length");
      if (size != 16) cursor.fail("says that a string of variable length has ", size, " bytes; expected 16");
      return {Kind::variable_string, size, {}, {}};
    default:
      break;
  }
  static constexpr const char* names[] = {"",
                                          "",
                                          "a time",
                                          "",
                                          "a bit field",
                                          "an opaque value",
                                          "a compound value",
                                          "a reference",
                                          "an enumeration",
                                          "",
                                          "an array"};
  if (kind >= std::size(names)) cursor.unsupported("is of the unknown class ", kind);
  cursor.unsupported("is ", names[kind], "; numbers and strings are read");
}

}  // namespace mien::inline v0::hdf5
