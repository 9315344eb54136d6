#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>
#include <type_traits>

#include <mien/core/error.hpp>

namespace mien::inline v0::detail {

/// Takes little-endian numbers and bytes from the front of a block of memory, and throws FileError where it ends.
class ByteReader {
 public:
  explicit ByteReader(std::span<const std::byte> bytes) : rest_(bytes) {}

  [[nodiscard]] std::size_t left() const { return rest_.size(); }

  /// The next number.
  template <class Number>
  [[nodiscard]] Number take() {
    static_assert(std::is_arithmetic_v<Number>);
    Number number{};
    std::memcpy(&number, take(sizeof(Number)).data(), sizeof(Number));
    return number;
  }
  /// The next bytes, where they lie.
  std::span<const std::byte> take(std::size_t count) {
    if (count > rest_.size())
      throw FileError(text("it ends early: ", count, " bytes expected, ", rest_.size(), " there"));
    const auto taken = rest_.first(count);
    rest_ = rest_.subspan(count);
    return taken;
  }
  [[nodiscard]] std::string_view take_text(std::size_t count) {
    const auto taken = take(count);
    return {reinterpret_cast<const char*>(taken.data()), taken.size()};
  }
  /// All that is left, without taking it.
  [[nodiscard]] std::string_view peek_text() const {
    return {reinterpret_cast<const char*>(rest_.data()), rest_.size()};
  }

 private:
  std::span<const std::byte> rest_;
};

}  // namespace mien::inline v0::detail
