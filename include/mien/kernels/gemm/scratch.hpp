#pragma once

#include <cstddef>
#include <cstdint>

#include <mien/core/memory.hpp>

namespace mien::inline v0::kernels {

/// Hands out cache-line-aligned arrays of a caller's workspace, one after the other. Over no memory it hands out
/// nothing but counts, so that the function that lays a workspace out also says how large it must be.
class Scratch {
 public:
  explicit Scratch(std::byte* memory = nullptr) : memory_(memory) {}

  template <class T>
  [[nodiscard]] T* array(std::int64_t count) {
    std::byte* const place = memory_ == nullptr ? nullptr : memory_ + bytes_;
    bytes_ += round_to_cache_line(static_cast<std::size_t>(count) * sizeof(T));
    return reinterpret_cast<T*>(place);
  }
  [[nodiscard]] std::size_t bytes() const { return bytes_; }

 private:
  std::byte* memory_;
  std::size_t bytes_ = 0;
};

[[nodiscard]] constexpr std::int64_t ceil_div(std::int64_t a, std::int64_t b) { return (a + b - 1) / b; }

/// Where part i of `total` things in `parts` nearly equal, contiguous parts begins; part i ends where part i + 1
/// begins.
[[nodiscard]] constexpr std::int64_t part_begin(std::int64_t total, std::int64_t parts, std::int64_t i) {
  return total * i / parts;
}

}  // namespace mien::inline v0::kernels
