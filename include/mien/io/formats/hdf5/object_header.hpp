#pragma once
// Object headers: every group and dataset is a list of messages, in one or more blocks.

#include <cstddef>
#include <cstdint>
#include <deque>
#include <set>
#include <string_view>
#include <utility>
#include <vector>

#include <mien/io/formats/hdf5/region.hpp>

namespace mien::inline v0::hdf5 {

/// The kinds of messages that are understood.
enum class MessageType : int {
  dataspace = 0x01,
  link_info = 0x02,
  datatype = 0x03,
  fill_value = 0x05,
  link = 0x06,
  external_files = 0x07,
  layout = 0x08,
  filters = 0x0b,
  attribute = 0x0c,
  continuation = 0x10,
  symbol_table = 0x11,
  attribute_info = 0x15
};

struct Message {
  MessageType type{};
  bool shared = false;              ///< its content stands elsewhere
  bool must_be_understood = false;  ///< the file says: who does not know this message must not read the object
  std::uint64_t address = 0;        ///< of its content
  std::vector<std::byte> bytes;
};

namespace detail {

struct Block {
  std::uint64_t address = 0, length = 0;
};

/// What differs between the two versions of object headers.
struct HeaderFormat {
  bool second = false;          ///< version 2: blocks have a signature and a checksum
  bool creation_order = false;  ///< each message has its number
  [[nodiscard]] std::size_t message_head() const { return second ? (creation_order ? 6U : 4U) : 8U; }
};

/// The messages of a block; blocks that continue it are appended to `blocks`.
inline void read_messages(Metadata& metadata, HeaderFormat format, Cursor cursor, std::deque<Block>& blocks,
                          std::vector<Message>& messages) {
  while (cursor.left() >= format.message_head()) {
    const std::uint16_t type = format.second ? cursor.u8() : cursor.u16();
    const std::uint16_t length = cursor.u16();
    const std::uint8_t flags = cursor.u8();
    cursor.skip(format.message_head() - (format.second ? 4 : 5));
    const std::uint64_t at = cursor.address();
    const auto bytes = cursor.take(length);
    if (type == static_cast<int>(MessageType::continuation)) {
      Cursor content = metadata.cursor("the continuation message", at, bytes);
      const std::uint64_t next = content.u64();
      blocks.push_back({next, content.u64()});
    } else if (type != 0) {  // 0 is a gap
      metadata.spend(sizeof(Message) + length);
      messages.push_back(
          {static_cast<MessageType>(type), (flags & 2U) != 0, (flags & 0x80U) != 0, at, {bytes.begin(), bytes.end()}});
    }
  }
}

/// The format of the header at `address`, and where its first messages lie.
[[nodiscard]] inline std::pair<HeaderFormat, Block> read_header_prefix(Metadata& metadata, std::uint64_t address) {
  constexpr std::uint64_t shortest = 7;
  const auto start = metadata.read("an object header", address, shortest);
  Cursor cursor = metadata.cursor("the object header", address, start);
  if (const std::uint8_t first = cursor.u8(); first != 'O') {
    if (first != 1) cursor.unsupported("has version ", first, "; versions 1 and 2 are read");
    const auto prefix = metadata.read("an object header", address, 16);
    Cursor rest = metadata.cursor("the object header", address, prefix);
    rest.skip(8);
    return {HeaderFormat{}, {address + 16, rest.u32()}};
  }
  cursor = metadata.cursor("the object header", address, start);
  cursor.expect_signature("OHDR");
  cursor.expect_version(2);
  const std::uint8_t flags = cursor.u8();
  const std::uint64_t size_at = 6 + ((flags & 0x20U) != 0 ? 16 : 0) + ((flags & 0x10U) != 0 ? 4 : 0);
  const std::uint64_t width = std::uint64_t{1} << (flags & 3U);
  const auto prefix = metadata.read("an object header", address, size_at + width);
  Cursor rest = metadata.cursor("the object header", address, prefix);
  rest.skip(size_at);
  return {HeaderFormat{true, (flags & 4U) != 0}, {address + size_at + width, rest.unsigned_of(width)}};
}

}  // namespace detail

/// All messages of the object whose header is at `address`. The checksums of version 2 are not compared. Throws
/// FileError.
[[nodiscard]] inline std::vector<Message> read_object_header(Metadata& metadata, std::uint64_t address) {
  const auto [format, first] = detail::read_header_prefix(metadata, address);
  std::vector<Message> messages;
  std::deque<detail::Block> blocks{first};
  std::set<std::uint64_t> seen;
  for (bool continued = false; !blocks.empty(); continued = true) {
    const detail::Block block = blocks.front();
    blocks.pop_front();
    const auto bytes = metadata.read("a part of an object header", block.address, block.length);
    Cursor cursor = metadata.cursor("the part of an object header", block.address, bytes);
    if (!seen.insert(block.address).second) cursor.fail("is continued by itself; the file is damaged");
    std::uint64_t length = block.length;
    if (format.second && continued) {
      if (length < 8) cursor.fail("is shorter than its own frame");
      cursor.expect_signature("OCHK");
      length -= 8;  // the signature before, the checksum behind
    }
    detail::read_messages(metadata, format, cursor.part("the object header's part", length), blocks, messages);
  }
  return messages;
}

}  // namespace mien::inline v0::hdf5
