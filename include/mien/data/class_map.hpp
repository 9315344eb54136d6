#pragma once
// Which folders make up which class.

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include <mien/core/error.hpp>

namespace mien::inline v0 {

/// A class and the folders (or old names) whose samples it takes.
struct ClassSource {
  std::string name;
  std::vector<std::string> folders;
};

/// Reads a list of classes: each entry is "name", or "new=old" for a folder under another name; the same new name twice
/// merges folders. The order of first mention is the order of the classes.
///
///     parse_classes({"angry", "relaxed=neutral", "negative=sad", "negative=fear"})   // angry, relaxed, negative
///
/// Throws OptionError on an entry without a name, and on a folder that is taken twice.
[[nodiscard]] inline std::vector<ClassSource> parse_classes(const std::vector<std::string>& entries) {
  std::vector<ClassSource> classes;
  for (const std::string& entry : entries) {
    const std::size_t equals = entry.find('=');
    const std::string name = entry.substr(0, equals);
    const std::string folder = equals == std::string::npos ? name : entry.substr(equals + 1);
    if (name.empty() || folder.empty())
      throw OptionError(text("classes: \"", entry, "\" names no class; expected \"name\" or \"new=old\""));
    for (const ClassSource& other : classes)
      if (std::find(other.folders.begin(), other.folders.end(), folder) != other.folders.end())
        throw OptionError(text("classes: \"", folder, "\" is taken twice, the second time by \"", entry, "\""));
    auto found = std::find_if(classes.begin(), classes.end(), [&](const ClassSource& c) { return c.name == name; });
    if (found == classes.end()) found = classes.insert(classes.end(), {.name = name, .folders = {}});
    found->folders.push_back(folder);
  }
  return classes;
}

}  // namespace mien::inline v0
