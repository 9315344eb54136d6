#pragma once
// What model_file.hpp declares.

#include <algorithm>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include <mien/io/architecture.hpp>
#include <mien/io/formats/json.hpp>
#include <mien/io/formats/safetensors.hpp>
#include <mien/io/load_weights.hpp>
#include <mien/io/model_file.hpp>
#include <mien/io/probe.hpp>
#include <mien/version.hpp>

namespace mien::inline v0 {

namespace io {

/// What differs between a model's parameters and a file, one line for each; empty if the file fits.
[[nodiscard]] inline std::string differences(const std::vector<Parameter>& parameters, const SafetensorsFile& file) {
  std::vector<std::string> lines, known;
  for (const Parameter& parameter : parameters) {
    known.push_back(parameter.name);
    const StoredTensor* stored = file.find(parameter.name);
    if (stored == nullptr) {
      lines.push_back(text("  missing in the file   ", parameter.name, " ", parameter.shape));
    } else if (stored->shape != parameter.shape) {
      lines.push_back(
          text("  other shape           ", parameter.name, " ", parameter.shape, ", in the file ", stored->shape));
    } else if (stored->dtype != DType::f32 && stored->dtype != DType::f64) {
      lines.push_back(text("  not F32 or F64        ", parameter.name, ", in the file ", to_string(stored->dtype)));
    }
  }
  for (const StoredTensor& stored : file.tensors())
    if (std::find(known.begin(), known.end(), stored.name) == known.end())
      lines.push_back(text("  unknown to the model  ", stored.name, " ", stored.shape));
  return join(lines, "\n");
}

/// The architecture as text. Throws OptionError on a name or class that JSON cannot hold.
template <class T>
[[nodiscard]] std::string architecture_text(const Model<T>& model) {
  try {
    return architecture_of(model).dump();
  } catch (const Json::exception& error) {
    throw OptionError(text("model '", model.name(), "' cannot be saved: ", error.what()));
  }
}

}  // namespace io

template <class T>
void save(const Model<T>& model, const std::filesystem::path& path) {
  const FileMetadata metadata{{"format", "mien"}, {"mien_version", version}, {"model", io::architecture_text(model)}};
  std::vector<NamedTensor> tensors;
  for (std::size_t i = 0; i < model.parameters().size(); ++i)
    tensors.push_back({model.parameters()[i].name, dtype_of<T>, model.parameters()[i].shape,
                       std::as_bytes(model.values()[i].span())});
  write_safetensors(path, tensors, metadata);
}

template <class T>
Model<T> load_model(const std::filesystem::path& path, const LoadModelOptions& options) {
  const SafetensorsFile file(path);
  const auto found = file.metadata().find("model");
  if (found == file.metadata().end())
    throw FileError(
        text("'", file.path(),
             "' holds no architecture: it is not a file of mien's save(); build the model and use load_weights"));
  const io::Json json = parse_json(found->second, text("'", file.path(), "': the architecture"));
  const io::Architecture architecture =
      io::architecture_from(json, options.custom_objects, text("'", file.path(), "'"));
  // The weights must be there before memory is asked for them: a file does not decide how much is allocated.
  const ParameterLayout<T> layout{Network<T>(architecture.input, architecture.output)};
  if (const std::string table = io::differences(layout.all(), file); !table.empty())
    throw FileError(text("'", file.path(), "' is damaged: its weights do not fit its architecture:\n", table));
  Model<T> model(architecture.input, architecture.output,
                 {.seed = options.seed,
                  .name = architecture.name,
                  .threads = options.threads,
                  .preprocessing = architecture.preprocessing,
                  .arithmetic = options.arithmetic,
                  .autotune = options.autotune,
                  .sequential = architecture.sequential});
  for (const std::string& name : architecture.frozen) model.freeze(named(name));
  load_weights(model, path, {.print_to = nullptr});
  if (!options.probe.empty()) require_probe(model, options.probe);
  return model;
}

}  // namespace mien::inline v0
