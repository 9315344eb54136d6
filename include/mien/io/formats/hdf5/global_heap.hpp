#pragma once
// The global heap: where strings of variable length stand.

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include <mien/io/formats/hdf5/region.hpp>

namespace mien::inline v0::hdf5 {

/// The collections of a file's global heap, each read once.
class GlobalHeap {
 public:
  explicit GlobalHeap(Metadata& metadata) : metadata_(metadata) {}

  /// The string of `length` bytes that is object `index` of the collection at `address`.
  [[nodiscard]] std::string string(std::uint64_t address, std::uint32_t index, std::uint32_t length) {
    const Collection& collection = collection_at(address);
    const auto found = collection.objects.find(index);
    Cursor cursor = metadata_.cursor("the global heap", address, collection.bytes);
    if (found == collection.objects.end()) cursor.fail("has no object ", index);
    if (length > found->second.size)
      cursor.fail("holds ", found->second.size, " bytes in object ", index, ", but a string of ", length,
                  " is said to be there");
    metadata_.spend(length);
    cursor.skip(found->second.at);
    return std::string(cursor.characters(length));
  }

 private:
  struct Piece {
    std::size_t at = 0;
    std::uint64_t size = 0;
  };
  struct Collection {
    std::vector<std::byte> bytes;
    std::map<std::uint32_t, Piece> objects;
  };

  [[nodiscard]] const Collection& collection_at(std::uint64_t address) {
    const auto known = collections_.find(address);
    return known != collections_.end() ? known->second : collections_[address] = read(address);
  }

  [[nodiscard]] Collection read(std::uint64_t address) {
    constexpr std::uint64_t head = 16;
    const auto start = metadata_.read("the global heap", address, head);
    Cursor first = metadata_.cursor("the global heap", address, start);
    first.expect_signature("GCOL");
    first.expect_version(1);
    first.skip(3);
    const std::uint64_t size = first.u64();
    if (size < head) first.fail("is said to have ", size, " bytes");
    Collection collection{metadata_.read("the global heap", address, size), {}};
    Cursor cursor = metadata_.cursor("the global heap", address, collection.bytes);
    cursor.skip(head);
    while (cursor.left() >= head) {
      const std::uint16_t index = cursor.u16();
      cursor.skip(6);  // how often it is used, reserved
      const std::uint64_t length = cursor.u64();
      if (index == 0) break;  // the rest is free
      metadata_.spend(64);    // the entry of the map
      collection.objects[index] = {cursor.position(), length};
      cursor.skip(length);
      cursor.align();
    }
    return collection;
  }

  Metadata& metadata_;
  std::map<std::uint64_t, Collection> collections_;
};

}  // namespace mien::inline v0::hdf5
