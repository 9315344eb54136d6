#pragma once
// Deflated bytes into memory of a size that the caller has checked: nothing grows on the word of a stream.

#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <vector>

#include <mien/core/error.hpp>
#include <mien/stb/zlib.hpp>

namespace mien::inline v0::detail {

/// No stream inflates to more than this many times its bytes (a match of 258 bytes costs two bits at least): who claims
/// more lies, and no memory need be asked for.
inline constexpr std::uint64_t max_deflate_ratio = 1032;

/// Inflates a raw deflate stream (of zip) that must give exactly `to`. Throws FileError on a damaged stream, on one
/// that gives more or less, and beyond 2 GiB - 1 byte, which the inflater does not reach.
inline void inflate_raw(std::vector<std::byte> stream, std::span<std::byte> to) {
  // At the end of its input the inflater gives up with up to 15 bits unread, though the last code may be among them.
  // Bytes that nobody reads let it come to the end.
  stream.resize(stream.size() + 4);
  constexpr auto most = static_cast<std::size_t>(std::numeric_limits<int>::max());
  if (stream.size() > most || to.size() > most) throw FileError("compressed blocks beyond 2 GiB are not read");
  const int count = stb_zlib::stbi_zlib_decode_noheader_buffer(
      reinterpret_cast<char*>(to.data()), static_cast<int>(to.size()), reinterpret_cast<const char*>(stream.data()),
      static_cast<int>(stream.size()));
  if (count < 0)
    throw FileError(text("its compressed bytes are damaged or give more than the ", to.size(), " expected"));
  if (static_cast<std::size_t>(count) != to.size())
    throw FileError(text("its compressed bytes give ", count, " bytes where ", to.size(), " were expected"));
}

/// Inflates the front of a raw deflate stream, of which the beginning is enough, until `to` has no room for what comes
/// next. Returns the number of bytes; after a damaged place there are fewer, perhaps none.
[[nodiscard]] inline std::size_t inflate_front(std::vector<std::byte> stream, std::span<std::byte> to) {
  stream.resize(stream.size() + 4);
  stb_zlib::stbi__zbuf state{};
  state.zbuffer = reinterpret_cast<unsigned char*>(stream.data());
  state.zbuffer_end = state.zbuffer + stream.size();
  stb_zlib::stbi__do_zlib(&state, reinterpret_cast<char*>(to.data()), static_cast<int>(to.size()), 0, 0);
  return static_cast<std::size_t>(state.zout - state.zout_start);
}

/// The checksum at the end of a zlib stream.
[[nodiscard]] inline std::uint32_t adler32(std::span<const std::byte> bytes) {
  constexpr std::uint32_t modulus = 65521;
  constexpr std::size_t no_overflow = 5552;  // bytes whose sums fit 32 bits before they are reduced
  std::uint32_t a = 1, b = 0;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    a += std::to_integer<std::uint32_t>(bytes[i]);
    b += a;
    if (i % no_overflow == no_overflow - 1 || i + 1 == bytes.size()) {
      a %= modulus;
      b %= modulus;
    }
  }
  return (b << 16U) | a;
}

/// Inflates a zlib stream (of HDF5's deflate filter: two bytes of header, the deflated data, a checksum) that must give
/// exactly `to`. Throws FileError as inflate_raw, and on a wrong header or checksum.
inline void inflate_zlib(std::span<const std::byte> stream, std::span<std::byte> to) {
  if (stream.size() < 6) throw FileError(text("a zlib stream has at least 6 bytes, not ", stream.size()));
  const auto byte = [&](std::size_t i) { return std::to_integer<std::uint32_t>(stream[i]); };
  const std::uint32_t header = byte(0) * 256 + byte(1);
  if (header % 31 != 0 || byte(0) % 16 != 8 || (byte(1) & 32U) != 0)
    throw FileError("its compressed bytes do not begin as a zlib stream without a dictionary does");
  inflate_raw({stream.begin() + 2, stream.end() - 4}, to);
  const std::size_t at = stream.size() - 4;
  const std::uint32_t expected = (byte(at) << 24U) | (byte(at + 1) << 16U) | (byte(at + 2) << 8U) | byte(at + 3);
  if (adler32(to) != expected) throw FileError("its compressed bytes are damaged: the checksum differs");
}

}  // namespace mien::inline v0::detail
