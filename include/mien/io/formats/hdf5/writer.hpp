#pragma once
// HDF5 files written as h5py writes Keras's: superblock 0, groups by symbol tables, contiguous datasets.

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <mien/io/formats/atomic_file.hpp>
#include <mien/io/formats/hdf5/messages.hpp>
#include <mien/io/formats/hdf5/new_file.hpp>
#include <mien/io/formats/hdf5/superblock.hpp>

namespace mien::inline v0 {

namespace hdf5 {

/// Lays a file out: its structures in memory, behind them the numbers of the datasets in the order of the tree. Nothing
/// is written before all of it is known to be writable.
class Writer {
 public:
  explicit Writer(const NewGroup& root) {
    image_.zeros(superblock_size);
    write_strings(root);
    const Symbol group = write_group(root);
    end_ = image_.align().size();
    for (const Placed& dataset : datasets_) {
      image_.set_address(dataset.address_at, end_);
      end_ += dataset.bytes.size() + padding(dataset.bytes);
    }
    write_superblock(group);
  }

  void write_to(AtomicFile& file) const {
    file.write(superblock_.bytes());
    file.write(image_.bytes().subspan(superblock_size));
    constexpr std::array<std::byte, 8> zeros{};
    for (const Placed& dataset : datasets_) {
      file.write(dataset.bytes);
      file.write(std::span(zeros).first(padding(dataset.bytes)));
    }
  }

 private:
  // What h5py's files have: symbols in a table, children of a node of the tree.
  static constexpr std::size_t superblock_size = 96, table_symbols = 8, node_children = 32;

  /// A group or dataset that has been laid out; the B-tree and the heap are a group's.
  struct Symbol {
    std::uint64_t header = 0, tree = 0, heap = 0;
  };
  struct Placed {
    std::uint64_t address_at = 0;  ///< where in the image the address of the bytes belongs
    std::span<const std::byte> bytes;
  };
  /// A table of symbols or a node, and the name of the last symbol below it (its place in the heap).
  struct Child {
    std::uint64_t address = 0, last_name = 0;
  };

  [[nodiscard]] static std::size_t padding(std::span<const std::byte> bytes) { return (8 - bytes.size() % 8) % 8; }

  void write_superblock(const Symbol& root) {
    superblock_.put(signature).put(std::uint32_t{0}, std::uint8_t{0}, std::uint8_t{8}, std::uint8_t{8},
                                   std::uint8_t{0});
    superblock_.put(static_cast<std::uint16_t>(table_symbols / 2), static_cast<std::uint16_t>(node_children / 2),
                    std::uint32_t{0}, std::uint64_t{0}, undefined_address, end_, undefined_address);
    superblock_.put(std::uint64_t{0}, root.header, std::uint32_t{1}, std::uint32_t{0}, root.tree, root.heap);
  }

  static void collect_texts(const NewGroup& group, std::vector<const NewAttribute*>& texts) {
    for (const NewAttribute& attribute : group.attributes())
      if (attribute.kind == NewAttribute::Kind::text && !attribute.text.empty()) texts.push_back(&attribute);
    for (const auto& [name, child] : group.groups()) collect_texts(*child, texts);
  }

  /// The global heap: all texts of the file in one collection.
  void write_strings(const NewGroup& root) {
    std::vector<const NewAttribute*> texts;
    collect_texts(root, texts);
    if (texts.empty()) return;
    constexpr std::uint64_t smallest = 4096, head = 16;
    strings_at_ = image_.size();
    Image objects;
    for (const NewAttribute* attribute : texts) {
      const std::size_t index = string_index_.size() + 1;
      if (index > 65535) throw OptionError("an HDF5 file to be saved has more than 65535 texts");
      string_index_[attribute] = static_cast<std::uint32_t>(index);
      objects.put(static_cast<std::uint16_t>(index), std::uint16_t{0}, std::uint32_t{0},
                  std::uint64_t{attribute->text.size()});
      objects.put(std::string_view(attribute->text)).align();
    }
    // Object 0 is the room that is left.
    const std::uint64_t size = std::max(smallest, head + objects.size() + head), left = size - head - objects.size();
    image_.put(std::string_view("GCOL")).put(std::uint32_t{1}, size).append(objects.bytes());
    image_.put(std::uint64_t{0}, left).zeros(left - head);
  }

  [[nodiscard]] NewMessage message_of(const NewAttribute& attribute) const {
    if (attribute.kind == NewAttribute::Kind::names) return names_message(attribute);
    Image value;
    if (attribute.text.empty()) {
      value.zeros(16);
    } else {
      value.put(static_cast<std::uint32_t>(attribute.text.size()), strings_at_, string_index_.at(&attribute));
    }
    return attribute_message(attribute.name, variable_string_image(), {}, value);
  }

  /// Appends an object header of version 1 and returns its address.
  std::uint64_t write_header(const std::vector<NewMessage>& messages) {
    const std::uint64_t at = image_.align().size();
    Image content;
    for (const NewMessage& message : messages) {
      const std::uint64_t size = (message.content.size() + 7) / 8 * 8;
      content.put(static_cast<std::uint16_t>(message.type), static_cast<std::uint16_t>(size),
                  static_cast<std::uint32_t>(message.constant ? 1 : 0));
      content.append(message.content.bytes()).align();
    }
    image_.put(std::uint16_t{1}, static_cast<std::uint16_t>(messages.size()), std::uint32_t{1},
               static_cast<std::uint32_t>(content.size()), std::uint32_t{0});
    image_.append(content.bytes());
    return at;
  }

  std::uint64_t write_dataset(const NamedTensor& tensor) {
    std::vector<NewMessage> messages{{MessageType::dataspace, false, dataspace_image(tensor.shape)},
                                     {MessageType::datatype, true, datatype_image(tensor.dtype)},
                                     {MessageType::fill_value, true, {}},
                                     {MessageType::layout, false, {}}};
    // Version 2: space is taken late, filled if somebody sets a value, and none is set.
    messages[2].content.put(std::uint32_t{0x01020202}, std::uint32_t{0});
    messages[3].content.put(std::uint8_t{3}, std::uint8_t{1}, undefined_address, std::uint64_t{tensor.bytes.size()});
    const std::uint64_t header = write_header(messages);
    // The layout is the last message, its address stands behind two bytes of it.
    if (!tensor.bytes.empty()) datasets_.push_back({image_.size() - 24 + 2, tensor.bytes});
    return header;
  }

  Symbol write_group(const NewGroup& group) {
    std::map<std::string_view, Symbol> symbols;  // sorted, as the tree must be
    for (const auto& [name, child] : group.groups()) symbols[name] = write_group(*child);
    for (const auto& [name, tensor] : group.datasets()) symbols[name] = {write_dataset(tensor)};

    Symbol written;
    std::vector<std::uint64_t> name_at;
    written.heap = write_names(symbols, name_at);
    std::vector<Child> children = write_tables(symbols, name_at);
    for (std::uint8_t level = 0; level == 0 || children.size() > 1; ++level) children = write_nodes(children, level);
    written.tree = children.front().address;

    std::vector<NewMessage> messages{{MessageType::symbol_table}};
    messages[0].content.put(written.tree, written.heap);
    for (const NewAttribute& attribute : group.attributes()) messages.push_back(message_of(attribute));
    written.header = write_header(messages);
    return written;
  }

  /// A local heap with the names, the empty one first. Returns its address.
  std::uint64_t write_names(const std::map<std::string_view, Symbol>& symbols, std::vector<std::uint64_t>& name_at) {
    Image names;
    names.zeros(8);
    for (const auto& [name, symbol] : symbols) {
      name_at.push_back(names.size());
      names.put(name).zeros(1).align();
    }
    const std::uint64_t at = image_.align().size();
    constexpr std::uint64_t nothing_free = 1;
    image_.put(std::string_view("HEAP")).put(std::uint32_t{0}, names.size(), nothing_free, at + 32);
    image_.append(names.bytes());
    return at;
  }

  /// The tables of symbols, in the order of their names.
  std::vector<Child> write_tables(const std::map<std::string_view, Symbol>& symbols,
                                  const std::vector<std::uint64_t>& name_at) {
    std::vector<Child> tables;
    auto symbol = symbols.begin();
    for (std::size_t first = 0; first < symbols.size(); first += table_symbols) {
      const std::size_t count = std::min(table_symbols, symbols.size() - first);
      tables.push_back({image_.align().size(), name_at[first + count - 1]});
      image_.put(std::string_view("SNOD")).put(std::uint16_t{1}, static_cast<std::uint16_t>(count));
      for (std::size_t i = 0; i < count; ++i, ++symbol) image_.put(name_at[first + i], symbol->second.header).zeros(24);
      image_.zeros((table_symbols - count) * 40);
    }
    return tables;
  }

  /// One level of a group's B-tree above these children; one node at least.
  std::vector<Child> write_nodes(const std::vector<Child>& children, std::uint8_t level) {
    constexpr std::uint64_t size = 24 + 8 * (2 * node_children + 1);
    const std::size_t nodes = std::max<std::size_t>(1, (children.size() + node_children - 1) / node_children);
    const std::uint64_t start = image_.align().size();
    std::vector<Child> written;
    std::uint64_t last_name = 0;
    for (std::size_t node = 0; node < nodes; ++node) {
      const auto mine = std::span(children)
                            .subspan(node * node_children)
                            .first(std::min(node_children, children.size() - node * node_children));
      const std::uint64_t at = start + node * size;
      image_.put(std::string_view("TREE")).put(std::uint8_t{0}, level, static_cast<std::uint16_t>(mine.size()));
      image_.put(node == 0 ? undefined_address : at - size, node + 1 == nodes ? undefined_address : at + size);
      image_.put(last_name);
      for (const Child& child : mine) image_.put(child.address, last_name = child.last_name);
      image_.zeros((node_children - mine.size()) * 16);
      written.push_back({at, last_name});
    }
    return written;
  }

  Image image_, superblock_;
  std::uint64_t strings_at_ = 0, end_ = 0;
  std::map<const NewAttribute*, std::uint32_t> string_index_;
  std::vector<Placed> datasets_;
};

}  // namespace hdf5

/// Writes an HDF5 file that any HDF5 library reads. The file of that name is replaced when all is on the disk, and left
/// alone on any failure. Equal groups give equal files. Throws FileError, or OptionError on an attribute beyond 64 kB
/// (other than a text) or a type that is not written (BOOL, BF16).
inline void write_hdf5(const std::filesystem::path& path, const hdf5::NewGroup& root) {
  const hdf5::Writer writer(root);
  AtomicFile file(path);
  writer.write_to(file);
  file.commit();
}

}  // namespace mien::inline v0
