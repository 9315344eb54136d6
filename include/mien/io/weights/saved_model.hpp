#pragma once
// What a file of a whole model says beside its weights, held against the model that they go into.

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <mien/core/error.hpp>
#include <mien/graph/topology.hpp>
#include <mien/io/architecture.hpp>
#include <mien/io/formats/json.hpp>
#include <mien/io/formats/keras_hdf5.hpp>
#include <mien/io/formats/safetensors.hpp>
#include <mien/io/formats/tensor_file.hpp>
#include <mien/io/keras/graph.hpp>
#include <mien/io/layer_options.hpp>
#include <mien/io/weights/known_names.hpp>
#include <mien/io/weights/match.hpp>
#include <mien/io/weights/model_layers.hpp>
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

/// An option of a layer that is another in the model that was saved, though the shapes of the weights are the same.
struct ChangedOption {
  std::string layer, name;
  Json here, saved;
};

/// Whether an option is as it was. A file may hold an epsilon in single precision.
[[nodiscard]] inline bool same_option(const Json& here, const Json& saved) {
  if (!here.is_number_float() || !saved.is_number_float()) return here == saved;
  return std::abs(here.get<double>() - saved.get<double>()) <= 1e-6 * std::abs(here.get<double>());
}

/// The one layer of that name; null if there is none or there are several.
[[nodiscard]] inline const SavedModel::Layer* saved_layer(const SavedModel& saved, std::string_view name) {
  const SavedModel::Layer* found = nullptr;
  for (const SavedModel::Layer& layer : saved.layers)
    if (layer.name == name && std::exchange(found, &layer) != nullptr) return nullptr;
  return found;
}

/// Compares each layer that takes weights with the one that they are of.
[[nodiscard]] inline std::vector<ChangedOption> changed_options(const SavedModel& saved, const Topology& graph,
                                                                const std::vector<ModelLayer>& layers,
                                                                const Matching& matching) {
  constexpr const char* names[] = {"strides", "padding", "dilation_rate", "epsilon", "activation"};
  std::set<std::size_t> taken;
  for (const ParameterMatch& match : matching.matches) taken.insert(match.parameter);
  std::vector<ChangedOption> changed;
  for (std::size_t i = 0; i < layers.size(); ++i) {
    const auto takes = [&](std::size_t parameter) { return taken.contains(parameter); };
    const auto& parameters = layers[i].parameters;
    if (matching.partners[i] == nullptr || std::none_of(parameters.begin(), parameters.end(), takes)) continue;
    const SavedModel::Layer* const stored = saved_layer(saved, matching.partners[i]->name);
    if (stored == nullptr || stored->type != layers[i].type) continue;
    Json here;
    OptionWriter writer(here);
    graph.nodes[static_cast<std::size_t>(layers[i].node)].layer().visit_options(writer);
    for (const char* name : names)
      if (here.contains(name) && stored->options.contains(name) && !same_option(here[name], stored->options[name]))
        changed.push_back({layers[i].name, name, here[name], stored->options[name]});
  }
  return changed;
}

/// Throws FileError if a block of ResNet50 has its stride in the one convolution here and in the other in the file.
inline void require_same_resnet50(const std::vector<ChangedOption>& changed, std::string_view file) {
  const auto strides_of = [&](const ResNetLayer& parts, int branch) {
    return std::find_if(changed.begin(), changed.end(), [&](const ChangedOption& option) {
      const ResNetLayer other = parse_resnet_layer(option.layer);
      return option.name == "strides" && other.stage == parts.stage && other.block == parts.block &&
             other.branch == branch && !other.normalization;
    });
  };
  for (const ChangedOption& option : changed) {
    const ResNetLayer parts = parse_resnet_layer(option.layer);
    if (option.name != "strides" || parts.stage == 0 || parts.branch != 1) continue;
    const auto second = strides_of(parts, 2);
    if (second == changed.end() || second->here != option.saved || second->saved != option.here) continue;
    throw FileError(
        text("'", file, "' has a ResNet50 whose layer '", option.layer, "' has strides ", option.saved.dump(),
             ", this network's has ", option.here.dump(),
             ": with these weights it would give wrong results. resnet50({.stride_in_3x3 = true, "
             ".epsilon = 1e-5}) builds torchvision's (emotions_finetune: --torchvision), resnet50() Keras's"));
  }
}

/// Notes for the reader of a report. Throws FileError if one of the two ResNet50 goes into the other.
[[nodiscard]] inline std::vector<std::string> compare_with_saved(const SavedModel& saved, const Topology& graph,
                                                                 const std::vector<ModelLayer>& layers,
                                                                 const Matching& matching,
                                                                 const Preprocessing& preprocessing,
                                                                 std::string_view file) {
  const std::vector<ChangedOption> changed = changed_options(saved, graph, layers, matching);
  require_same_resnet50(changed, file);
  std::vector<std::string> notes;
  if (!saved.unread.empty())
    notes.push_back(text("the file's architecture could not be read, and the options of its layers were not compared: ",
                         saved.unread));
  if (!changed.empty())
    notes.push_back(text(changed.size(), changed.size() == 1 ? " option of a layer is" : " options of layers are",
                         " not as in the model that was saved, the first: '", changed[0].layer, "' has ",
                         changed[0].name, " ", changed[0].here.dump(), ", and had ", changed[0].saved.dump()));
  Preprocessing pixels = preprocessing;
  pixels.classes.clear();
  if (saved.preprocessing && *saved.preprocessing != pixels)
    notes.emplace_back("the model that was saved prepared its pixels in another way than this one does");
  return notes;
}

}  // namespace mien::inline v0::io
