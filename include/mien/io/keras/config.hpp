#pragma once
// A model's architecture as Keras 2 writes it: what graph.hpp reads, written.

#include <cstddef>
#include <string>
#include <type_traits>
#include <utility>

#include <mien/core/error.hpp>
#include <mien/io/keras/option_writer.hpp>
#include <mien/io/keras_weights.hpp>
#include <mien/io/layer_factory.hpp>
#include <mien/model/model.hpp>

namespace mien::inline v0::io {

/// [null, 48, 48, 3]: the batch is open.
[[nodiscard]] inline Json keras_batch_shape(const Shape& sample) {
  Json shape = Json::array({nullptr});
  for (const std::int64_t extent : sample) shape.push_back(extent);
  return shape;
}

/// {"class_name", "config"} of a node. Throws OptionError on a layer that Keras has no like of.
template <class T>
[[nodiscard]] Json keras_layer_of(const Model<T>& model, int node) {
  const Topology& graph = model.network().graph;
  const auto i = static_cast<std::size_t>(node);
  const LayerSpec& layer = graph.nodes[i].layer();
  Json config{{"name", graph.names[i]}, {"dtype", std::is_same_v<T, float> ? "float32" : "float64"}};
  if (node == 0) {
    config["batch_input_shape"] = keras_batch_shape(model.input_shape());
    config["sparse"] = false;
  } else {
    const std::string who = text("layer '", graph.names[i], "' (", layer.type(), ")");
    if (!known_layers().makers().contains(layer.type()))
      throw OptionError(text(who, " cannot be saved for Keras, which has no layer like it; save() writes it"));
    config["trainable"] = model.is_trainable(node);
    KerasOptionWriter writer(config, who);
    layer.visit_options(writer);
    add_keras_constants(config, layer.type());
  }
  return {{"class_name", layer.type()}, {"config", std::move(config)}};
}

/// The calls of a layer, of which mien has one: [[[name, 0, 0, {}], ...]]; none of the input.
[[nodiscard]] inline Json keras_inbound_nodes(const Topology& graph, std::size_t node) {
  if (graph.inputs[node].empty()) return Json::array();
  Json call = Json::array();
  for (const int source : graph.inputs[node])
    call.push_back({graph.names[static_cast<std::size_t>(source)], 0, 0, Json::object()});
  return Json::array({call});
}

/// {"class_name": "Sequential" | "Functional", "config": {"name", "layers", ...}}. Throws OptionError.
template <class T>
[[nodiscard]] Json keras_model_config(const Model<T>& model) {
  const Topology& graph = model.network().graph;
  const bool sequential = is_keras_sequential(model);
  Json layers = Json::array();
  for (int node = 0; node < graph.size(); ++node) {
    const auto i = static_cast<std::size_t>(node);
    Json layer = keras_layer_of(model, node);
    if (!sequential) {
      layer["name"] = graph.names[i];
      layer["inbound_nodes"] = keras_inbound_nodes(graph, i);
    } else if (node == 1) {
      layer["config"]["batch_input_shape"] = keras_batch_shape(model.input_shape());
    }
    layers.push_back(std::move(layer));
  }
  Json config{{"name", model.name()}, {"layers", std::move(layers)}};
  if (!sequential) {
    config["input_layers"] = Json::array({{graph.names.front(), 0, 0}});
    config["output_layers"] = Json::array({{graph.names.back(), 0, 0}});
  }
  return {{"class_name", sequential ? "Sequential" : "Functional"}, {"config", std::move(config)}};
}

/// The same as text. Throws OptionError on names that JSON cannot hold, too.
template <class T>
[[nodiscard]] std::string keras_model_config_text(const Model<T>& model) {
  try {
    return keras_model_config(model).dump();
  } catch (const Json::exception& error) {
    throw OptionError(text("model '", model.name(), "' cannot be saved for Keras: ", error.what()));
  }
}

}  // namespace mien::inline v0::io
