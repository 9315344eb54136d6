#pragma once
// What a pickle of PyTorch makes: values, and descriptions of tensors and their memory.

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

#include <mien/core/error.hpp>
#include <mien/io/formats/dtype.hpp>

namespace mien::inline v0::detail {

/// A value of a pickle. Containers hold the numbers of their elements in the Pickle that made it.
struct PickleValue {
  using Id = std::uint32_t;
  enum class Kind : std::uint8_t {
    other,  // None, a device, a type, a long number: nothing that is asked for
    boolean,
    integer,
    text,
    tuple,
    list,
    dictionary,  // items: key, value, key, value, ...
    global,      // text: "module.name"
    storage,     // number: index into Pickle::storages()
    tensor,      // number: index into Pickle::tensors()
    mark
  };
  Kind kind = Kind::other;
  std::int64_t number = 0;
  std::string_view text{};  // lies in the pickle
  std::vector<Id> items{};
};

/// A tensor's memory, as the pickle describes it.
struct PickleStorage {
  DType dtype = DType::f32;
  std::string_view key;
  std::int64_t count = 0;  ///< of elements
};

/// A tensor, as the pickle describes it; nothing of it is checked yet.
struct PickleTensor {
  std::size_t storage = 0;
  std::int64_t offset = 0;
  std::vector<std::int64_t> shape, strides;
};

/// The type of a storage class of PyTorch; throws FileError on one that weights are not made of.
[[nodiscard]] inline DType storage_dtype(std::string_view global) {
  constexpr std::pair<std::string_view, DType> known[] = {
      {"torch.FloatStorage", DType::f32},   {"torch.DoubleStorage", DType::f64},    {"torch.HalfStorage", DType::f16},
      {"torch.LongStorage", DType::i64},    {"torch.BFloat16Storage", DType::bf16}, {"torch.IntStorage", DType::i32},
      {"torch.ShortStorage", DType::i16},   {"torch.CharStorage", DType::i8},       {"torch.ByteStorage", DType::u8},
      {"torch.BoolStorage", DType::boolean}};
  for (const auto& [name, type] : known)
    if (global == name) return type;
  throw FileError(text("its tensors are of the type '", global.substr(0, 60), "', which is not read"));
}

}  // namespace mien::inline v0::detail
