#pragma once
// Files of safetensors taken apart, changed, and written again.

#include <functional>
#include <map>
#include <string>
#include <vector>

#include <mien/io/formats/safetensors.hpp>

namespace stored_files {

using namespace mien;

/// All that a file holds.
struct Content {
  struct Entry {
    DType dtype;
    Shape shape;
    std::vector<std::byte> bytes;
  };
  FileMetadata metadata;
  std::map<std::string, Entry> tensors;
};

inline Content read(const std::filesystem::path& path) {
  const SafetensorsFile file(path);
  Content content{file.metadata(), {}};
  for (const StoredTensor& tensor : file.tensors()) {
    std::vector<std::byte> bytes(tensor.bytes);
    file.read(tensor.name, bytes);
    content.tensors[tensor.name] = {tensor.dtype, tensor.shape, std::move(bytes)};
  }
  return content;
}

/// Writes `from`, changed, to `to`.
inline void change(const std::filesystem::path& from, const std::filesystem::path& to,
                   const std::function<void(Content&)>& edit) {
  Content content = read(from);
  edit(content);
  std::vector<NamedTensor> tensors;
  for (const auto& [name, entry] : content.tensors) tensors.push_back({name, entry.dtype, entry.shape, entry.bytes});
  write_safetensors(to, tensors, content.metadata);
}

}  // namespace stored_files
