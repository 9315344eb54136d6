#pragma once
// A fence before stb_image: some of its releases (Debian 12 has one) write past the end of a Huffman table that claims
// more than 256 codes.

#include <cstddef>
#include <cstdint>
#include <span>

#include <mien/core/error.hpp>

namespace mien::inline v0::detail {

/// Reads beyond the end give 0, as they do in the decoder.
[[nodiscard]] inline unsigned byte_at(std::span<const std::byte> bytes, std::size_t i) {
  return i < bytes.size() ? std::to_integer<unsigned>(bytes[i]) : 0;
}
[[nodiscard]] inline unsigned length_at(std::span<const std::byte> bytes, std::size_t i) {
  return byte_at(bytes, i) * 256 + byte_at(bytes, i + 1);
}

/// The tables of one DHT segment whose length stands at `at`: a byte of class and slot, 16 counts, then the codes.
inline void check_huffman_tables(std::span<const std::byte> bytes, std::size_t at) {
  auto left = static_cast<std::int64_t>(length_at(bytes, at)) - 2;
  for (at += 2; left > 0 && at < bytes.size();) {
    unsigned codes = 0;
    for (std::size_t i = 1; i <= 16; ++i) codes += byte_at(bytes, at + i);
    if (codes > 256) throw FileError(text("damaged (a Huffman table of ", codes, " codes, at most 256 are possible)"));
    at += 17 + codes;
    left -= 17 + static_cast<std::int64_t>(codes);
  }
}

/// Throws FileError if the decoder could meet such a table. As long as one segment follows the other, they are skipped
/// as the decoder skips them (an embedded preview is none of our business); from the first irregularity or the
/// compressed data on, every FF C4 counts, since regular data has none that is no table.
inline void check_jpeg_tables(std::span<const std::byte> bytes) {
  constexpr unsigned huffman_tables = 0xC4, start_of_scan = 0xDA;
  if (byte_at(bytes, 0) != 0xFF || byte_at(bytes, 1) != 0xD8) return;
  std::size_t at = 2;
  while (at + 3 < bytes.size() && byte_at(bytes, at) == 0xFF) {
    const unsigned marker = byte_at(bytes, at + 1), length = length_at(bytes, at + 2);
    if (marker < 0xC0 || marker == 0xFF || marker == start_of_scan || length < 2) break;
    if (marker == huffman_tables) check_huffman_tables(bytes, at + 2);
    at += 2 + length;
  }
  for (; at + 1 < bytes.size(); ++at)
    if (byte_at(bytes, at) == 0xFF && byte_at(bytes, at + 1) == huffman_tables) check_huffman_tables(bytes, at + 2);
}

}  // namespace mien::inline v0::detail
