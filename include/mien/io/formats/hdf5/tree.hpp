#pragma once
// Reads all groups, attributes and descriptions of datasets of a file.

#include <algorithm>
#include <cstdint>
#include <deque>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <mien/io/formats/hdf5/link.hpp>
#include <mien/io/formats/hdf5/object.hpp>
#include <mien/io/formats/hdf5/superblock.hpp>
#include <mien/io/formats/hdf5/symbol_table.hpp>

namespace mien::inline v0::hdf5 {

/// The objects of a file. Each has one name: a group that leads back to one above it, and an object with two names (a
/// hard link), are refused, so that whoever walks the tree comes to an end.
class Tree {
 public:
  static constexpr int max_depth = 64;

  explicit Tree(const Region& region) : metadata_(region), heap_(metadata_) {
    open(read_superblock(metadata_).root, nullptr, {}, 0);
    while (!open_.empty()) {
      const Pending next = open_.front();
      open_.pop_front();
      fill(next);
    }
  }

  [[nodiscard]] const Object& root() const { return objects_.front(); }

 private:
  struct Pending {
    Object* object = nullptr;
    std::uint64_t address = 0;
    int depth = 0;
  };

  void open(std::uint64_t address, Object* parent, const std::string& name, int depth) {
    Object& object = objects_.emplace_back();
    object.file_ = &metadata_.region().name();
    object.parent_ = parent;
    object.name_ = name;
    metadata_.spend(sizeof(Object) + name.size());
    if (depth > max_depth) fail(object, "is nested deeper than ", max_depth, " groups");
    if (!seen_.insert(address).second)
      fail(object, "leads to an object that has another name already: a group inside itself, or a hard link");
    if (parent != nullptr) parent->children_.push_back(&object);
    open_.push_back({&object, address, depth});
  }

  void fill(const Pending& pending) {
    Object& object = *pending.object;
    try {
      const std::vector<Message> messages = read_object_header(metadata_, pending.address);
      read_attributes(object, messages);
      object.is_dataset_ = has(messages, MessageType::layout);
      require_understood(messages);
      if (object.is_dataset_) {
        object.dataset_ = read_dataset(metadata_, pending.address, messages);
      } else {
        add_children(pending, messages);
      }
    } catch (const Unsupported& error) {
      object.problem_ = error.what();
    }
  }

  [[nodiscard]] static bool has(const std::vector<Message>& messages, MessageType type) {
    return std::any_of(messages.begin(), messages.end(), [&](const Message& m) { return m.type == type; });
  }

  void require_understood(const std::vector<Message>& messages) const {
    for (const Message& message : messages)
      if (message.must_be_understood && static_cast<int>(message.type) > static_cast<int>(MessageType::attribute_info))
        metadata_.cursor("the message", message.address, {})
            .unsupported("of type ", static_cast<int>(message.type), " is unknown, and the file says that it matters");
  }

  void read_attributes(Object& object, const std::vector<Message>& messages) {
    std::set<std::string> names;
    try {
      for (const Message& message : messages) {
        Cursor cursor = metadata_.cursor("the attribute", message.address, message.bytes);
        if (message.type == MessageType::attribute_info) require_compact(cursor, 2, "attributes");
        if (message.type != MessageType::attribute) continue;
        if (message.shared) cursor.unsupported("stands elsewhere (shared messages), which is not read");
        Attribute attribute = read_attribute(metadata_, heap_, cursor);
        metadata_.spend(sizeof(Attribute));
        if (!names.insert(attribute.name).second) fail(object, "has two attributes named '", attribute.name, "'");
        object.attributes_.push_back(std::move(attribute));
      }
    } catch (const Unsupported& error) {
      object.attribute_problem_ = error.what();
    }
  }

  /// A link info or attribute info message: of many links or attributes it says in which heap they are.
  static void require_compact(Cursor cursor, std::uint64_t index_bytes, const char* what) {
    cursor.expect_version(0);
    if ((cursor.u8() & 1U) != 0) cursor.skip(index_bytes);  // the largest number in order of creation
    if (cursor.u64() != undefined_address)
      cursor.unsupported("leads to ", what, " in dense storage (a fractal heap, which writers with libver='latest' ",
                         "use for more than eight), which is not read");
  }

  void add_children(const Pending& pending, const std::vector<Message>& messages) {
    if (has(messages, MessageType::datatype))
      metadata_.cursor("the object", pending.address, {}).unsupported("is a committed datatype, which is not read");
    std::vector<Link> links;
    for (const Message& message : messages) {
      Cursor cursor = metadata_.cursor("the message of a group", message.address, message.bytes);
      if (message.type == MessageType::symbol_table) {
        for (Link& link : read_symbol_table(metadata_, cursor)) links.push_back(std::move(link));
      } else if (message.type == MessageType::link_info) {
        require_compact(cursor, 8, "links");
      } else if (message.type == MessageType::link) {
        links.push_back(read_link_message(cursor));
      }
    }
    std::sort(links.begin(), links.end(), [](const Link& a, const Link& b) { return a.name < b.name; });
    for (std::size_t i = 0; i < links.size(); ++i) {
      if (i > 0 && links[i].name == links[i - 1].name)
        fail(*pending.object, "holds two objects named '", links[i].name, "'");
      if (links[i].problem.empty()) {
        open(links[i].address, pending.object, links[i].name, pending.depth + 1);
      } else {
        add_unread(pending.object, links[i]);
      }
    }
  }

  void add_unread(Object* parent, const Link& link) {
    Object& object = objects_.emplace_back();
    object.file_ = parent->file_;
    object.parent_ = parent;
    object.name_ = link.name;
    object.problem_ = object.attribute_problem_ = text("'", *object.file_, "': ", object.path(), " ", link.problem);
    parent->children_.push_back(&object);
  }

  template <class... Parts>
  [[noreturn]] static void fail(const Object& object, const Parts&... parts) {
    throw FileError(text("'", *object.file_, "': ", object.path(), " ", parts...));
  }

  Metadata metadata_;
  GlobalHeap heap_;
  std::deque<Object> objects_;  // a deque: objects point at one another
  std::deque<Pending> open_;
  std::set<std::uint64_t> seen_;
};

}  // namespace mien::inline v0::hdf5
