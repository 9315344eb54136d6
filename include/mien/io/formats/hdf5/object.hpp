#pragma once
// The groups and datasets of a file as a tree.

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <mien/core/error.hpp>
#include <mien/io/formats/hdf5/attribute.hpp>
#include <mien/io/formats/hdf5/dataset.hpp>

namespace mien::inline v0::hdf5 {

/// A group or a dataset. What it holds that is outside the part of HDF5 that is read here throws FileError when it is
/// asked for, and not before: an odd object that nobody needs does not keep a file from being read.
class Object {
 public:
  /// Its name in its group; empty for the root.
  [[nodiscard]] const std::string& name() const { return name_; }
  /// "/model_weights/conv1"; "/" for the root.
  [[nodiscard]] std::string path() const {
    if (parent_ == nullptr) return "/";
    return parent_->parent_ == nullptr ? "/" + name_ : parent_->path() + "/" + name_;
  }
  [[nodiscard]] bool is_dataset() const { return is_dataset_; }
  [[nodiscard]] bool is_group() const { return !is_dataset_; }

  /// What is in the group, sorted by name; nothing in a dataset. Throws FileError.
  [[nodiscard]] const std::vector<const Object*>& children() const {
    require(problem_);
    return children_;
  }
  /// What the group has at that path ("vars/0"), which may be a name; null if there is nothing. Throws FileError.
  [[nodiscard]] const Object* find(std::string_view path) const;

  /// Throws FileError if this is no dataset of numbers, or one that is not read.
  [[nodiscard]] const Dataset& dataset() const {
    require(problem_);
    if (!dataset_) throw FileError(text("'", *file_, "': ", path(), " is a group, not a dataset"));
    return *dataset_;
  }

  /// In the order of the file. Throws FileError.
  [[nodiscard]] const std::vector<Attribute>& attributes() const {
    require(attribute_problem_);
    return attributes_;
  }
  /// The attribute of that name; null if there is none. Throws FileError if it is of a kind that is not read.
  [[nodiscard]] const Attribute* attribute(std::string_view name) const {
    for (const Attribute& attribute : attributes()) {
      if (attribute.name != name) continue;
      require(attribute.problem);
      return &attribute;
    }
    return nullptr;
  }
  /// The text of a string attribute; nothing if there is no such attribute. Throws FileError if it is no single string.
  [[nodiscard]] std::optional<std::string> string_attribute(std::string_view name) const {
    const Attribute* found = attribute(name);
    if (found == nullptr) return std::nullopt;
    if (found->strings.size() != 1)
      throw FileError(text("'", *file_, "': attribute '", name, "' of ", path(), " is not a string"));
    return found->strings.front();
  }

 private:
  friend class Tree;

  void require(const std::string& problem) const {
    if (!problem.empty()) throw FileError(text(problem, "; it belongs to ", path()));
  }

  const std::string* file_ = nullptr;
  const Object* parent_ = nullptr;
  std::string name_;
  bool is_dataset_ = false;
  std::vector<const Object*> children_;
  std::optional<Dataset> dataset_;
  std::vector<Attribute> attributes_;
  std::string problem_, attribute_problem_;
};

inline const Object* Object::find(std::string_view path) const {
  const Object* object = this;
  while (object != nullptr && !path.empty()) {
    const std::size_t end = std::min(path.find('/'), path.size());
    const std::string_view name = path.substr(0, end);
    path.remove_prefix(std::min(end + 1, path.size()));
    if (name.empty()) continue;
    const auto& children = object->children();
    const auto found = std::lower_bound(children.begin(), children.end(), name,
                                        [](const Object* child, std::string_view n) { return child->name_ < n; });
    object = found != children.end() && (*found)->name_ == name ? *found : nullptr;
  }
  return object;
}

}  // namespace mien::inline v0::hdf5
