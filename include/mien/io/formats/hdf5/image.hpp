#pragma once
// The structures of an HDF5 file as they grow in memory before they are written.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace mien::inline v0::hdf5 {

/// Bytes that are appended to; the position of a byte is its address in the file.
class Image {
 public:
  [[nodiscard]] std::uint64_t size() const { return bytes_.size(); }
  [[nodiscard]] std::span<const std::byte> bytes() const { return bytes_; }

  /// Appends numbers, each in the width of its type.
  template <class... Numbers>
  Image& put(Numbers... numbers) {
    (append(std::as_bytes(std::span(&numbers, 1))), ...);
    return *this;
  }
  Image& put(std::string_view characters) {
    append(std::as_bytes(std::span(characters)));
    return *this;
  }
  Image& append(std::span<const std::byte> bytes) {
    bytes_.insert(bytes_.end(), bytes.begin(), bytes.end());
    return *this;
  }
  Image& zeros(std::uint64_t count) {
    bytes_.resize(bytes_.size() + static_cast<std::size_t>(count));
    return *this;
  }
  /// Zeros up to a multiple of 8.
  Image& align() { return zeros((8 - bytes_.size() % 8) % 8); }
  /// Changes an address that was not known when its place was written.
  void set_address(std::uint64_t at, std::uint64_t address) {
    const auto bytes = std::as_bytes(std::span(&address, 1));
    std::copy(bytes.begin(), bytes.end(), bytes_.begin() + static_cast<std::ptrdiff_t>(at));
  }

 private:
  std::vector<std::byte> bytes_;
};

}  // namespace mien::inline v0::hdf5
