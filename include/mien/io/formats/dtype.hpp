#pragma once
// What files hold: tensors with a name, a shape and an element type that need not be one of the library's own.

#include <cstddef>
#include <iterator>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>

#include <mien/core/shape.hpp>

namespace mien::inline v0 {

/// The element types of weight files.
enum class DType : int { boolean, u8, i8, u16, i16, f16, bf16, u32, i32, f32, u64, i64, f64 };

namespace detail {
struct DTypeFacts {
  const char* name;  ///< as safetensors spells it
  std::size_t bytes;
};
inline constexpr DTypeFacts dtype_facts[] = {{"BOOL", 1}, {"U8", 1},   {"I8", 1},  {"U16", 2}, {"I16", 2},
                                             {"F16", 2},  {"BF16", 2}, {"U32", 4}, {"I32", 4}, {"F32", 4},
                                             {"U64", 8},  {"I64", 8},  {"F64", 8}};
}  // namespace detail

/// The name of the type, as safetensors spells it: "F32".
[[nodiscard]] constexpr const char* to_string(DType type) {
  return detail::dtype_facts[static_cast<std::size_t>(type)].name;
}

/// The bytes of one element.
[[nodiscard]] constexpr std::size_t size_of(DType type) {
  return detail::dtype_facts[static_cast<std::size_t>(type)].bytes;
}

/// The type of that name; nothing for an unknown one.
[[nodiscard]] constexpr std::optional<DType> dtype_named(std::string_view name) {
  for (std::size_t i = 0; i < std::size(detail::dtype_facts); ++i)
    if (name == detail::dtype_facts[i].name) return static_cast<DType>(i);
  return std::nullopt;
}

/// The element type of the library's own tensors.
template <class T>
inline constexpr DType dtype_of = std::is_same_v<T, float> ? DType::f32 : DType::f64;

/// A tensor to be written: somebody else's bytes, row-major, little-endian.
struct NamedTensor {
  std::string name;
  DType dtype = DType::f32;
  Shape shape;
  std::span<const std::byte> bytes;  ///< shape.size() * size_of(dtype) of them
};

}  // namespace mien::inline v0
