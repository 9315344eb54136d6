#pragma once
// What an HDF5 file to be written holds.

#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <mien/core/error.hpp>
#include <mien/core/shape.hpp>
#include <mien/io/formats/dtype.hpp>

namespace mien::inline v0::hdf5 {

/// An attribute to be written: a text, or a list of names.
struct NewAttribute {
  enum class Kind : int { text, names };
  std::string name;
  Kind kind = Kind::text;
  std::string text{};
  std::vector<std::string> names{};
};

/// A group to be written. `write_hdf5` (writer.hpp) takes the root.
///
///     hdf5::NewGroup root;
///     root.set_text("backend", "tensorflow");
///     root.group("conv1").set_names("weight_names", {"conv1/kernel:0"});
///     root.group("conv1").add("conv1/kernel:0", DType::f32, {3, 3, 1, 8}, bytes);
class NewGroup {
 public:
  /// The group at that path in this one, made where it is missing. Throws OptionError if a dataset has one of the
  /// names.
  NewGroup& group(std::string_view path);
  /// A dataset at that path, whose bytes must live until it is written: row-major, little-endian. Throws OptionError if
  /// the name is taken, or the bytes do not fit the shape.
  void add(std::string_view path, DType dtype, Shape shape, std::span<const std::byte> bytes);

  /// A text as a variable-length UTF-8 string.
  void set_text(std::string name, std::string text) {
    add({std::move(name), NewAttribute::Kind::text, std::move(text)});
  }
  /// Names as an array of strings of one width, as numpy makes of a list of bytes: an empty list is one of numbers.
  void set_names(std::string name, std::vector<std::string> names) {
    add({std::move(name), NewAttribute::Kind::names, {}, std::move(names)});
  }

  /// Sorted by name, as the format wants them.
  [[nodiscard]] const std::map<std::string, std::unique_ptr<NewGroup>, std::less<>>& groups() const { return groups_; }
  [[nodiscard]] const std::map<std::string, NamedTensor, std::less<>>& datasets() const { return datasets_; }
  [[nodiscard]] const std::vector<NewAttribute>& attributes() const { return attributes_; }

 private:
  void add(NewAttribute attribute) {
    for (const NewAttribute& other : attributes_)
      if (other.name == attribute.name)
        throw OptionError(text("an HDF5 group to be saved has two attributes named '", attribute.name, "'"));
    attributes_.push_back(std::move(attribute));
  }
  void require_name(std::string_view name, bool as_group) const {
    const bool taken = as_group ? datasets_.contains(name) : datasets_.contains(name) || groups_.contains(name);
    if (name.empty() || name == "." || name.find('\0') != std::string_view::npos || taken)
      throw OptionError(text("'", name,
                             "' cannot be the name of something in an HDF5 file: it is empty or \".\", has a "
                             "zero byte in it, or stands for something else already"));
  }

  std::map<std::string, std::unique_ptr<NewGroup>, std::less<>> groups_;
  std::map<std::string, NamedTensor, std::less<>> datasets_;
  std::vector<NewAttribute> attributes_;
};

inline NewGroup& NewGroup::group(std::string_view path) {
  const std::size_t end = path.find('/');
  const std::string_view name = path.substr(0, end);
  require_name(name, true);
  auto found = groups_.find(name);
  if (found == groups_.end()) found = groups_.emplace(name, std::make_unique<NewGroup>()).first;
  return end == std::string_view::npos ? *found->second : found->second->group(path.substr(end + 1));
}

inline void NewGroup::add(std::string_view path, DType dtype, Shape shape, std::span<const std::byte> bytes) {
  const std::size_t end = path.rfind('/');
  if (end != std::string_view::npos) return group(path.substr(0, end)).add(path.substr(end + 1), dtype, shape, bytes);
  require_name(path, false);
  if (bytes.size() != static_cast<std::size_t>(shape.size()) * size_of(dtype))
    throw OptionError(text("dataset '", path, "', ", to_string(dtype), " ", shape, ", cannot be saved from ",
                           bytes.size(), " bytes"));
  datasets_.emplace(path, NamedTensor{std::string(path), dtype, shape, bytes});
}

}  // namespace mien::inline v0::hdf5
