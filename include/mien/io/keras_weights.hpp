#pragma once
// A model's weights as Keras 2 saves them: `save_keras_weights`.

#include <algorithm>
#include <cstddef>
#include <filesystem>
#include <string>
#include <vector>

#include <mien/io/formats/dtype.hpp>
#include <mien/io/formats/hdf5/writer.hpp>
#include <mien/model/model.hpp>

namespace mien::inline v0 {

namespace io {

/// What the files say of their writer. Keras converts what its versions before 2 wrote, and nothing of a later one.
inline constexpr const char* keras_version = "2.15.0";
inline constexpr const char* keras_backend = "tensorflow";

/// Sets a list of names as Keras does: beyond 64,512 bytes an attribute is split into name0, name1, ..., of the fewest
/// equal parts that fit.
inline void set_keras_names(hdf5::NewGroup& group, const std::string& name, const std::vector<std::string>& names) {
  constexpr std::size_t limit = 64512;
  std::size_t width = 1, parts = 1;
  for (const std::string& each : names) width = std::max(width, each.size());
  if (width > limit)
    throw OptionError(text("the name of a layer or weight has ", width, " bytes; HDF5 allows ", limit));
  while ((names.size() + parts - 1) / parts * width > limit) ++parts;
  if (parts == 1) return group.set_names(name, names);
  // As numpy.array_split: the first parts are one longer.
  std::size_t begin = 0;
  for (std::size_t part = 0; part < parts; ++part) {
    const std::size_t count = names.size() / parts + (part < names.size() % parts ? 1 : 0);
    const auto first = names.begin() + static_cast<std::ptrdiff_t>(begin);
    group.set_names(text(name, part), {first, first + static_cast<std::ptrdiff_t>(count)});
    begin += count;
  }
}

/// Whether a model is a Sequential for Keras: a chain that was made as one. (A Sequential that was read with models
/// inside it need not be a chain any more.)
template <class T>
[[nodiscard]] bool is_keras_sequential(const Model<T>& model) {
  const auto& inputs = model.network().graph.inputs;
  for (std::size_t i = 1; i < inputs.size(); ++i)
    if (inputs[i].size() != 1 || inputs[i][0] + 1 != static_cast<int>(i)) return false;
  return model.is_sequential();
}

/// Fills a group as Keras 2's save_weights does: layer_names, backend, keras_version; a group for each layer, with
/// weight_names and the weights under them. The bytes are the model's own.
template <class T>
void add_keras_weights(hdf5::NewGroup& group, const Model<T>& model) {
  const auto& names = model.network().graph.names;
  std::vector<std::vector<std::string>> weights(names.size());
  for (std::size_t i = 0; i < model.parameters().size(); ++i) {
    const Parameter& parameter = model.parameters()[i];
    const auto node = static_cast<std::size_t>(parameter.node);
    const std::string weight = parameter.name + ":0";
    group.group(names[node]).add(weight, dtype_of<T>, parameter.shape, std::as_bytes(model.values()[i].span()));
    weights[node].push_back(weight);
  }
  std::vector<std::string> layers;
  for (std::size_t node = is_keras_sequential(model) ? 1 : 0; node < names.size(); ++node) {
    layers.push_back(names[node]);
    set_keras_names(group.group(names[node]), "weight_names", weights[node]);
  }
  set_keras_names(group, "layer_names", layers);
  group.set_text("backend", keras_backend);
  group.set_text("keras_version", keras_version);
}

}  // namespace io

/// Writes the weights as Keras 2's `model.save_weights("x.h5")` does; Keras's `load_weights` reads them into the same
/// layers, and so does h5py. The file of that name is replaced when all is on the disk, and left alone on any failure.
/// Throws FileError, or OptionError on names that HDF5 cannot hold.
template <class T>
void save_keras_weights(const Model<T>& model, const std::filesystem::path& path) {
  hdf5::NewGroup root;
  io::add_keras_weights(root, model);
  write_hdf5(path, root);
}

}  // namespace mien::inline v0
