#pragma once
// The tensors of a file, layer by layer.

#include <algorithm>
#include <cstddef>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include <mien/io/formats/keras_hdf5.hpp>
#include <mien/io/formats/tensor_file.hpp>

namespace mien::inline v0::io {

/// A tensor and what it is in its layer: "kernel", "weight", "running_mean".
struct StoredRole {
  std::string role;
  const StoredTensor* tensor = nullptr;
};

struct StoredLayer {
  std::string name;
  std::vector<StoredRole> tensors;
  std::string key{};  ///< in Keras 3's `.weights.h5`: the class and its number
};

struct StoredLayers {
  std::vector<StoredLayer> layers;  ///< in the order of the file
  bool by_position = false;         ///< Keras's HDF5: the order of a layer's tensors says what they are
  std::vector<const StoredTensor*> ignored;
};

/// What a tensor belongs to, and what it is there.
struct TensorOwner {
  std::string group, layer, key, role;
};

[[nodiscard]] inline TensorOwner owner_of(const StoredTensor& tensor, const KerasHdf5File* keras) {
  const std::size_t cut = tensor.name.find_last_of("/.");
  const std::string front = cut == std::string::npos ? "" : tensor.name.substr(0, cut);
  std::string role = cut == std::string::npos ? tensor.name : tensor.name.substr(cut + 1);
  if (keras == nullptr) return {front, front, "", std::move(role)};
  if (keras->layout() == KerasLayout::layers) return {tensor.layer, tensor.layer, "", std::move(role)};
  // layers/conv2d_1/vars/0: the layer's name may be unknown, its key is not.
  const std::string owner = front.substr(0, std::min(front.rfind('/'), front.size()));
  return {front, tensor.layer, owner.substr(owner.rfind('/') + 1), std::move(role)};
}

/// Groups the tensors by layer: by what the format says, else by the name up to its last '/' or '.'.
[[nodiscard]] inline StoredLayers stored_layers(const TensorFile& file) {
  StoredLayers result;
  const auto* keras = dynamic_cast<const KerasHdf5File*>(&file);
  result.by_position = keras != nullptr;
  std::map<std::string, std::size_t> index;
  for (const StoredTensor& tensor : file.tensors()) {
    TensorOwner owner = owner_of(tensor, keras);
    // PyTorch counts the batches that its batch normalisations have seen; nothing depends on it.
    if (owner.role == "num_batches_tracked") {
      result.ignored.push_back(&tensor);
      continue;
    }
    const auto [found, is_new] = index.emplace(std::move(owner.group), result.layers.size());
    if (is_new) result.layers.push_back({std::move(owner.layer), {}, std::move(owner.key)});
    result.layers[found->second].tensors.push_back({std::move(owner.role), &tensor});
  }
  return result;
}

}  // namespace mien::inline v0::io
