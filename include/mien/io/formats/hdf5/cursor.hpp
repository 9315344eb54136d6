#pragma once
// One structure of an HDF5 file, read field by field. No read goes beyond its end.

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>

#include <mien/core/error.hpp>

namespace mien::inline v0::hdf5 {

static_assert(std::endian::native == std::endian::little, "HDF5's numbers are read as they lie in memory");

/// A file may hold what is good HDF5, but outside the part of it that is read here. The message names the feature.
class Unsupported : public FileError {
 public:
  using FileError::FileError;
};

/// An address that leads nowhere: storage never written, a table that is not there.
inline constexpr std::uint64_t undefined_address = ~std::uint64_t{0};

/// Reads numbers and byte strings one after the other. Its messages begin with the file, `what` the bytes are ("the
/// object header") and where they lie. It refers to the name of the file and to `what`. Throws FileError at the end of
/// the bytes.
class Cursor {
 public:
  Cursor(std::string_view file, std::string_view what, std::uint64_t address, std::span<const std::byte> bytes)
      : file_(file), what_(what), address_(address), bytes_(bytes) {}

  [[nodiscard]] std::size_t position() const { return position_; }
  /// Of the next byte.
  [[nodiscard]] std::uint64_t address() const { return address_ + position_; }
  [[nodiscard]] std::size_t left() const { return bytes_.size() - position_; }

  [[nodiscard]] std::span<const std::byte> take(std::uint64_t count) {
    if (count > left())
      fail("has ", left(), " bytes left where ", count, " were expected; the file is truncated or damaged");
    const auto taken = bytes_.subspan(position_, static_cast<std::size_t>(count));
    position_ += taken.size();
    return taken;
  }
  void skip(std::uint64_t count) { static_cast<void>(take(count)); }
  /// Goes to the next multiple of 8, counted from the first byte, or to the end if that comes first.
  void align() { skip(std::min<std::size_t>((8 - position_ % 8) % 8, left())); }

  [[nodiscard]] std::uint8_t u8() { return number<std::uint8_t>(); }
  [[nodiscard]] std::uint16_t u16() { return number<std::uint16_t>(); }
  [[nodiscard]] std::uint32_t u32() { return number<std::uint32_t>(); }
  [[nodiscard]] std::uint64_t u64() { return number<std::uint64_t>(); }
  /// A number of 1 to 8 bytes.
  [[nodiscard]] std::uint64_t unsigned_of(std::size_t width) {
    std::uint64_t value = 0;
    std::memcpy(&value, take(width).data(), width);
    return value;
  }

  [[nodiscard]] std::string_view characters(std::uint64_t count) {
    const auto taken = take(count);
    return {reinterpret_cast<const char*>(taken.data()), taken.size()};
  }
  /// A structure's first bytes, and its version where there is one.
  void expect_signature(std::string_view signature) {
    if (characters(signature.size()) != signature) fail("does not begin with '", signature, "'; the file is damaged");
  }
  void expect_version(std::uint8_t expected) {
    if (const std::uint8_t version = u8(); version != expected)
      unsupported("has version ", version, ", and only version ", expected, " is read");
  }

  /// The next bytes as a structure of their own.
  [[nodiscard]] Cursor part(std::string_view what, std::uint64_t count) {
    const std::uint64_t at = address();
    return {file_, what, at, take(count)};
  }

  template <class... Parts>
  [[noreturn]] void fail(const Parts&... parts) const {
    throw FileError(text("'", file_, "': ", what_, " at address ", address_, " ", parts...));
  }
  template <class... Parts>
  [[noreturn]] void unsupported(const Parts&... parts) const {
    throw Unsupported(text("'", file_, "': ", what_, " at address ", address_, " ", parts...));
  }

 private:
  template <class X>
  [[nodiscard]] X number() {
    X value{};
    std::memcpy(&value, take(sizeof value).data(), sizeof value);
    return value;
  }

  std::string_view file_, what_;
  std::uint64_t address_;
  std::span<const std::byte> bytes_;
  std::size_t position_ = 0;
};

}  // namespace mien::inline v0::hdf5
