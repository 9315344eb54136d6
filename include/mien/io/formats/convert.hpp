#pragma once
// Stored elements of any type as numbers of ours.

#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <span>

#include <mien/io/formats/dtype.hpp>

namespace mien::inline v0::detail {

/// The number with these 16 bits of IEEE half precision: a sign, 5 bits of exponent, 10 of fraction.
[[nodiscard]] inline float half_to_float(std::uint16_t bits) {
  const unsigned exponent = (bits >> 10U) & 31U, fraction = bits & 1023U;
  const float sign = (bits >> 15U) != 0 ? -1.F : 1.F;
  if (exponent == 31)
    return sign * (fraction != 0 ? std::numeric_limits<float>::quiet_NaN() : std::numeric_limits<float>::infinity());
  if (exponent == 0) return sign * std::ldexp(static_cast<float>(fraction), -24);
  return sign * std::bit_cast<float>(((exponent + 127U - 15U) << 23U) | (fraction << 13U));
}

/// The number with these 16 bits of bfloat16: the upper half of a float.
[[nodiscard]] inline float bfloat16_to_float(std::uint16_t bits) {
  return std::bit_cast<float>(static_cast<std::uint32_t>(bits) << 16U);
}

template <class Stored, class T, class Convert>
void convert_elements(std::span<const std::byte> from, T* to, const Convert& convert) {
  for (std::size_t at = 0; at + sizeof(Stored) <= from.size(); at += sizeof(Stored)) {
    Stored stored{};
    std::memcpy(&stored, from.data() + at, sizeof stored);
    *to++ = static_cast<T>(convert(stored));
  }
}

/// Writes the elements of that type in `from` to `to`, each as a T. A number that T cannot hold is rounded as by a
/// cast.
template <class T>
void convert_numbers(DType type, std::span<const std::byte> from, T* to) {
  const auto same = [](auto number) { return number; };
  switch (type) {
    case DType::boolean:
    case DType::u8:
      return convert_elements<std::uint8_t>(from, to, same);
    case DType::i8:
      return convert_elements<std::int8_t>(from, to, same);
    case DType::u16:
      return convert_elements<std::uint16_t>(from, to, same);
    case DType::i16:
      return convert_elements<std::int16_t>(from, to, same);
    case DType::f16:
      return convert_elements<std::uint16_t>(from, to, half_to_float);
    case DType::bf16:
      return convert_elements<std::uint16_t>(from, to, bfloat16_to_float);
    case DType::u32:
      return convert_elements<std::uint32_t>(from, to, same);
    case DType::i32:
      return convert_elements<std::int32_t>(from, to, same);
    case DType::f32:
      return convert_elements<float>(from, to, same);
    case DType::u64:
      return convert_elements<std::uint64_t>(from, to, same);
    case DType::i64:
      return convert_elements<std::int64_t>(from, to, same);
    case DType::f64:
      return convert_elements<double>(from, to, same);
  }
}

}  // namespace mien::inline v0::detail
