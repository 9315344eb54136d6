#pragma once
// What a file of a whole model says beside its weights, held against the model that they go into.

#include <algorithm>
#include <cstddef>
#include <optional>
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

/// The layers of a model of Keras, those of models inside it included.
inline void add_keras_layers(const Json& model, std::vector<SavedModel::Layer>& layers) {
  for (const Json& object : keras_layers(model)) {
    std::string type = text_of(object, "class_name");
    if (is_keras_model(type)) {
      add_keras_layers(object, layers);
      continue;
    }
    if (layers.size() == max_layers) throw FileError(text("it has more than ", max_layers, " layers"));
    Json options = Json::object();
    for (const char* name : {"strides", "padding", "dilation_rate", "epsilon"})  // which Keras writes as mien does
      if (const Json* value = member_of(object.at("config"), name)) options[name] = *value;
    layers.push_back({keras_name(object), std::move(type), std::move(options)});
  }
}

/// Of a whole model of Keras. Who loads weights need not care for what is wrong with its architecture.
[[nodiscard]] inline SavedModel saved_model_of(const KerasHdf5File& file) {
  SavedModel saved;
  try {
    if (const std::optional<std::string> config = file.model_config())
      add_keras_layers(parse_json(*config, "the JSON"), saved.layers);
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
  std::string layer, name, here, saved;
};

/// Compares layers with weights that have one name and class in both.
[[nodiscard]] inline std::vector<ChangedOption> changed_options(const SavedModel& saved, const Topology& graph,
                                                                const std::vector<ModelLayer>& layers) {
  constexpr const char* names[] = {"strides", "padding", "dilation_rate", "epsilon", "activation"};
  std::vector<ChangedOption> changed;
  for (const SavedModel::Layer& stored : saved.layers) {
    const auto own =
        std::find_if(layers.begin(), layers.end(), [&](const ModelLayer& layer) { return layer.name == stored.name; });
    if (own == layers.end() || own->type != stored.type) continue;
    Json here;
    OptionWriter writer(here);
    graph.nodes[static_cast<std::size_t>(own->node)].layer().visit_options(writer);
    for (const char* name : names)
      if (here.contains(name) && stored.options.contains(name) && here[name] != stored.options[name])
        changed.push_back({stored.name, name, here[name].dump(), stored.options[name].dump()});
  }
  return changed;
}

/// Notes for the reader of a report. Throws FileError if one of the two ResNet50 goes into the other.
[[nodiscard]] inline std::vector<std::string> compare_with_saved(const SavedModel& saved, const Topology& graph,
                                                                 const std::vector<ModelLayer>& layers,
                                                                 const Preprocessing& preprocessing,
                                                                 std::string_view file) {
  const std::vector<ChangedOption> changed = changed_options(saved, graph, layers);
  for (const ChangedOption& option : changed)
    if (option.name == "strides" && parse_resnet_layer(option.layer).stage != 0)
      throw FileError(
          text("'", file, "' has a ResNet50 whose layer '", option.layer, "' has strides ", option.saved,
               ", this network's has ", option.here,
               ": with these weights it would give wrong results. resnet50({.stride_in_3x3 = true, "
               ".epsilon = 1e-5}) builds torchvision's (emotions_finetune: --torchvision), resnet50() Keras's"));
  std::vector<std::string> notes;
  if (!saved.unread.empty())
    notes.push_back(text("the file's architecture could not be read, and the options of its layers were not compared: ",
                         saved.unread));
  if (!changed.empty())
    notes.push_back(text(changed.size(), changed.size() == 1 ? " option of a layer is" : " options of layers are",
                         " not as in the model that was saved, the first: '", changed[0].layer, "' has ",
                         changed[0].name, " ", changed[0].here, ", and had ", changed[0].saved));
  Preprocessing pixels = preprocessing;
  pixels.classes.clear();
  if (saved.preprocessing && *saved.preprocessing != pixels)
    notes.emplace_back("the model that was saved prepared its pixels in another way than this one does");
  return notes;
}

}  // namespace mien::inline v0::io
