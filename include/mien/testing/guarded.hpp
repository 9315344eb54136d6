#pragma once

#include <algorithm>
#include <cstddef>
#include <cstring>

#include <mien/core/memory.hpp>

namespace mien::inline v0::testing {

/// Memory between two guards. It starts as bytes of ones, which read as NaN in float and double: what nobody wrote, and
/// what is read before it is written, is seen in the results.
class Guarded {
 public:
  Guarded() : Guarded(0) {}
  explicit Guarded(std::size_t bytes) : buffer_(bytes + 2 * guard), bytes_(bytes) {
    std::memset(buffer_.data(), guard_value, buffer_.size());
    poison();
  }

  [[nodiscard]] std::byte* data() const { return buffer_.data() + guard; }
  [[nodiscard]] std::size_t size() const { return bytes_; }
  void poison() { std::memset(data(), 0xFF, bytes_); }
  /// Whether nobody wrote before the first byte or behind the last one.
  [[nodiscard]] bool intact() const {
    const auto untouched = [](const std::byte* p) {
      return std::all_of(p, p + guard, [](std::byte b) { return b == std::byte{guard_value}; });
    };
    return untouched(buffer_.data()) && untouched(data() + bytes_);
  }

 private:
  static constexpr std::size_t guard = 4 * cache_line;
  static constexpr unsigned char guard_value = 0xA5;

  Buffer buffer_;
  std::size_t bytes_ = 0;
};

}  // namespace mien::inline v0::testing
