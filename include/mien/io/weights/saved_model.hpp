#pragma once
// What a file of a whole model says beside its weights.

#include <cstddef>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <mien/core/error.hpp>
#include <mien/io/architecture.hpp>
#include <mien/io/formats/json.hpp>
#include <mien/io/formats/keras_hdf5.hpp>
#include <mien/io/formats/safetensors.hpp>
#include <mien/io/formats/tensor_file.hpp>
#include <mien/io/keras/graph.hpp>
#include <mien/io/layer_options.hpp>
#include <mien/model/preprocessing.hpp>

namespace mien::inline v0::io {

/// The model that was saved, without its weights.
struct SavedModel {
  struct Layer {
    std::string name, type;
    Json options;
  };
  std::optional<Preprocessing> preprocessing{};  ///< without classes; none: nothing is known
  std::vector<Layer> layers{};
  std::string unread{};  ///< why the architecture could not be read, if it could not
};

/// Of a file of `save`. Throws FileError on one that is damaged.
[[nodiscard]] inline SavedModel saved_model_of(const SafetensorsFile& file) {
  const auto format = file.metadata().find("format"), model = file.metadata().find("model");
  if (format == file.metadata().end() || format->second != "mien" || model == file.metadata().end()) return {};
  const std::string who = text("'", file.path(), "': the architecture");
  try {
    const Json json = parse_json(model->second, who);
    SavedModel saved{.preprocessing = preprocessing_from(json.at("preprocessing"))};
    saved.preprocessing->classes.clear();
    if (const std::size_t n = json.at("layers").size(); n > max_layers)
      throw FileError(text(who, " has ", n, " layers; more than ", max_layers, " are not read"));
    for (const Json& layer : json.at("layers"))
      saved.layers.push_back({layer.at("name").get<std::string>(), layer.at("type").get<std::string>(),
                              layer.value("options", Json::object())});
    return saved;
  } catch (const Json::exception& error) {
    throw FileError(text(who, " is damaged: ", error.what()));
  }
}

/// An option of a layer of Keras as mien writes it; none if it has another form.
[[nodiscard]] inline std::optional<Json> keras_option(const Json& value) {
  const auto whole = [](const Json& number) { return number.is_number_unsigned(); };
  if (whole(value)) return Json::array({value, value});
  const bool pair = value.is_array() && value.size() == 2 && whole(value[0]) && whole(value[1]);
  const bool word = value.is_string() && (value == "same" || value == "valid");
  return pair || word || value.is_number_float() ? std::optional<Json>(value) : std::nullopt;
}

/// The layers of a model of Keras, those of models inside it included.
inline void add_keras_layers(const Json& model, std::vector<SavedModel::Layer>& layers) {
  for (const Json& object : keras_layers(model)) {
    std::string type = text_of(object, "class_name");
    if (is_keras_model(type)) {
      add_keras_layers(object, layers);
      continue;
    }
    if (type == "BatchNormalizationV1") type = "BatchNormalization";
    const Json* const config = member_of(object, "config");
    if (config == nullptr) continue;
    Json options = Json::object();
    for (const char* name : {"strides", "padding", "dilation_rate", "epsilon"})
      if (const Json* value = member_of(*config, name))
        if (std::optional<Json> option = keras_option(*value)) options[name] = *std::move(option);
    layers.push_back({keras_name(object), std::move(type), std::move(options)});
  }
}

/// Of a whole model of Keras, whose weights lie under the names of its layers (in `.keras` they do not). Who loads
/// weights need not care for what is wrong with its architecture, or that it has none because it is code.
[[nodiscard]] inline SavedModel saved_model_of(const KerasHdf5File& file) {
  SavedModel saved;
  try {
    const std::optional<std::string> config = file.archive_metadata() ? std::nullopt : file.model_config();
    if (!config) return saved;
    const Json model = parse_json(*config, "the JSON");
    if (is_keras_model(text_of(model, "class_name"))) add_keras_layers(model, saved.layers);
  } catch (const Json::exception& error) {
    saved = {.unread = error.what()};
  } catch (const FileError& error) {
    saved = {.unread = error.what()};
  }
  return saved;
}

/// Of other files nothing is known.
[[nodiscard]] inline SavedModel saved_model_of(const TensorFile& file) {
  if (const auto* own = dynamic_cast<const SafetensorsFile*>(&file)) return saved_model_of(*own);
  if (const auto* keras = dynamic_cast<const KerasHdf5File*>(&file)) return saved_model_of(*keras);
  return {};
}

}  // namespace mien::inline v0::io
