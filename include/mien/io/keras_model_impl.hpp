#pragma once
// What keras_model.hpp declares.

#include <cstddef>
#include <filesystem>
#include <span>
#include <string>
#include <utility>

#include <mien/io/architecture.hpp>
#include <mien/io/formats/json.hpp>
#include <mien/io/formats/keras_hdf5.hpp>
#include <mien/io/keras/config.hpp>
#include <mien/io/keras/graph.hpp>
#include <mien/io/keras/weights.hpp>
#include <mien/io/keras_model.hpp>
#include <mien/io/keras_weights.hpp>
#include <mien/io/weights/placement.hpp>

namespace mien::inline v0 {

namespace io {

/// The architecture that a file holds. Throws FileError if there is none, or it is Keras 1's.
[[nodiscard]] inline std::string keras_config_of(const KerasHdf5File& file) {
  auto config = file.model_config();
  if (!config)
    throw FileError(text("'", file.path(), "' holds weights, but no architecture: build the model and use ",
                         "load_weights, or save it in Keras with model.save"));
  const std::string version = file.archive_metadata() ? "3" : file.keras_version().value_or("1");
  if (version.starts_with("1"))
    throw FileError(text("'", file.path(), "' is a model of Keras 1; open it in Keras 2 and save it again"));
  return *std::move(config);
}

}  // namespace io

template <class T>
Model<T> load_keras_model(const std::filesystem::path& path, const LoadKerasOptions& options) {
  const KerasHdf5File file(path);
  const std::string who = text("'", path.string(), "'");
  const io::Json json = parse_json(io::keras_config_of(file), who + ": the architecture");
  const io::KerasArchitecture architecture = io::keras_architecture_from(json, options, who);
  // The weights must be there before memory is asked for them: a file does not decide how much is allocated.
  const ParameterLayout<T> layout{Network<T>(architecture.graph.input, architecture.graph.output)};
  const io::KerasWeightMap map(layout.all(), architecture.root, file);
  if (const std::string table = map.problems(); !table.empty())
    throw FileError(text(who, ": its weights do not fit its architecture:\n", table));
  Model<T> model(architecture.graph.input, architecture.graph.output,
                 {.seed = options.seed,
                  .name = architecture.graph.name,
                  .threads = options.threads,
                  .preprocessing = architecture.graph.preprocessing,
                  .sequential = architecture.graph.sequential});
  for (const std::string& name : architecture.graph.frozen) model.freeze(named(name));
  for (std::size_t i = 0; i < layout.all().size(); ++i) {
    const StoredTensor& tensor = *map.tensors()[i];
    io::ParameterWriter<T> writer({}, tensor.dtype, model.values()[i]);
    file.stream(tensor, [&](std::span<const std::byte> bytes) { writer(bytes); });
  }
  return model;
}

template <class T>
void save_keras_model(const Model<T>& model, const std::filesystem::path& path) {
  hdf5::NewGroup root;
  root.set_text("model_config", io::keras_model_config_text(model));
  root.set_text("backend", io::keras_backend);
  root.set_text("keras_version", io::keras_version);
  io::add_keras_weights(root.group("model_weights"), model);
  write_hdf5(path, root);
}

}  // namespace mien::inline v0
