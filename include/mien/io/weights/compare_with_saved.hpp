#pragma once
// A model held against the one that a file's weights were saved with.

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <mien/core/error.hpp>
#include <mien/graph/topology.hpp>
#include <mien/io/formats/json.hpp>
#include <mien/io/layer_options.hpp>
#include <mien/io/weights/known_names.hpp>
#include <mien/io/weights/match.hpp>
#include <mien/io/weights/model_layers.hpp>
#include <mien/io/weights/saved_model.hpp>
#include <mien/model/preprocessing.hpp>

namespace mien::inline v0::io {

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
  for (const ChangedOption& option : changed) {
    ResNetLayer second = parse_resnet_layer(option.layer);
    if (second.stage == 0 || second.branch != 1 || option.name != "strides") continue;
    second.branch = 2;
    const bool moved = std::any_of(changed.begin(), changed.end(), [&](const ChangedOption& other) {
      return other.name == "strides" && parse_resnet_layer(other.layer) == second && other.here == option.saved &&
             other.saved == option.here;
    });
    if (!moved) continue;
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
                         changed[0].name, " ", changed[0].here.dump(), ", and had ",
                         changed[0].saved.dump().substr(0, 60)));
  Preprocessing pixels = preprocessing;
  pixels.classes.clear();
  if (saved.preprocessing && *saved.preprocessing != pixels)
    notes.emplace_back("the model that was saved prepared its pixels in another way than this one does");
  return notes;
}

}  // namespace mien::inline v0::io
