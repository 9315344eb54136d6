#pragma once
// Groups as Keras's files have them: a B-tree over tables of symbols, whose names stand in a heap.

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <mien/io/formats/hdf5/link.hpp>
#include <mien/io/formats/hdf5/region.hpp>

namespace mien::inline v0::hdf5 {

/// The names of a group's links, one behind the other.
class LocalHeap {
 public:
  LocalHeap(Metadata& metadata, std::uint64_t address) : address_(address), metadata_(metadata) {
    const auto bytes = metadata.read("a local heap", address, 32);
    Cursor cursor = metadata.cursor("the local heap", address, bytes);
    cursor.expect_signature("HEAP");
    cursor.expect_version(0);
    cursor.skip(3);
    const std::uint64_t size = cursor.u64();
    cursor.skip(8);  // its free list
    names_ = metadata.read("the names of a local heap", cursor.u64(), size);
  }

  [[nodiscard]] std::string_view name(std::uint64_t offset) const {
    Cursor cursor = metadata_.cursor("the local heap", address_, names_);
    cursor.skip(offset);
    const std::string_view rest = cursor.characters(cursor.left());
    const std::size_t end = rest.find('\0');
    if (end == std::string_view::npos) cursor.fail("holds a name without an end");
    return rest.substr(0, end);
  }

 private:
  std::uint64_t address_;
  const Metadata& metadata_;
  std::vector<std::byte> names_;
};

/// The head of a node of a version 1 B-tree, which groups and chunks have.
struct TreeNode {
  std::uint8_t level = 0;  ///< 0: its children are what the tree is about
  std::uint16_t children = 0;
};
inline constexpr std::uint64_t tree_node_head = 24;

/// Reads the head. A node must be one level below its parent (`level`; negative for the root), so that no tree is a
/// circle.
[[nodiscard]] inline TreeNode read_tree_node(Metadata& metadata, std::uint64_t address, std::uint8_t type, int level) {
  const auto bytes = metadata.read("a node of a B-tree", address, tree_node_head);
  Cursor cursor = metadata.cursor("the node of a B-tree", address, bytes);
  cursor.expect_signature("TREE");
  if (const std::uint8_t found = cursor.u8(); found != type) cursor.fail("has type ", found, ", expected ", type);
  const TreeNode node{cursor.u8(), cursor.u16()};
  if (level >= 0 && node.level != level)
    cursor.fail("is at level ", node.level, ", expected ", level, "; the file is damaged");
  return node;
}

namespace detail {

/// Appends the links of one table of symbols.
inline void read_symbols(Metadata& metadata, std::uint64_t address, const LocalHeap& heap, std::vector<Link>& links) {
  constexpr std::uint64_t head = 8, entry = 40;
  const auto start = metadata.read("a table of symbols", address, head);
  Cursor cursor = metadata.cursor("the table of symbols", address, start);
  cursor.expect_signature("SNOD");
  cursor.expect_version(1);
  cursor.skip(1);
  const std::uint16_t count = cursor.u16();
  const auto bytes = metadata.read("a table of symbols", address + head, count * entry);
  Cursor entries = metadata.cursor("the table of symbols", address, bytes);
  for (int i = 0; i < count; ++i) {
    Cursor symbol = entries.part("a symbol", entry);
    Link link{link_name(symbol, heap.name(symbol.u64())), symbol.u64()};
    if (symbol.u32() == 2) link.problem = soft_link;
    metadata.spend(sizeof(Link) + link.name.size());
    links.push_back(std::move(link));
  }
}

/// Appends the links below a node.
inline void read_symbol_tree(Metadata& metadata, std::uint64_t address, int level, const LocalHeap& heap,
                             std::vector<Link>& links) {
  const TreeNode node = read_tree_node(metadata, address, 0, level);
  const auto bytes = metadata.read("a node of a group", address + tree_node_head, node.children * std::uint64_t{16});
  Cursor cursor = metadata.cursor("the node of a group", address, bytes);
  for (int i = 0; i < node.children; ++i) {
    cursor.skip(8);  // the key: the last name before this child
    const std::uint64_t child = cursor.u64();
    if (node.level == 0) {
      read_symbols(metadata, child, heap, links);
    } else {
      read_symbol_tree(metadata, child, node.level - 1, heap, links);
    }
  }
}

}  // namespace detail

/// The links of the group that a symbol table message describes.
[[nodiscard]] inline std::vector<Link> read_symbol_table(Metadata& metadata, Cursor message) {
  const std::uint64_t tree = message.u64();
  const LocalHeap heap(metadata, message.u64());
  std::vector<Link> links;
  detail::read_symbol_tree(metadata, tree, -1, heap, links);
  return links;
}

}  // namespace mien::inline v0::hdf5
