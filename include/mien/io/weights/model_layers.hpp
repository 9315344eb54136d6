#pragma once
// The layers of a model that have weights, as far as files matter.

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <mien/graph/topology.hpp>
#include <mien/io/formats/keras_keys.hpp>
#include <mien/model/parameters.hpp>

namespace mien::inline v0::io {

struct ModelLayer {
  int node = 0;
  std::string name;
  std::string_view type;
  std::string key;                      ///< Keras 3's in `.weights.h5`
  std::vector<std::size_t> parameters;  ///< indices in the layout, in the order of declaration, which is Keras's
  /// (H, W, C) of the picture that a Flatten before the layer has laid out, if nothing between mixes its elements.
  std::optional<Shape> flattened{};
};

/// Whether a layer treats every element for itself.
[[nodiscard]] inline bool is_elementwise(std::string_view type) {
  return type == "Dropout" || type == "Activation" || type == "LeakyReLU" || type == "BatchNormalization" ||
         type == "Rescaling";
}

/// See ModelLayer::flattened.
[[nodiscard]] inline std::optional<Shape> flattened_picture(const Topology& graph, int node) {
  while (graph.inputs[static_cast<std::size_t>(node)].size() == 1) {
    const int source = graph.inputs[static_cast<std::size_t>(node)][0];
    const Node& before = graph.nodes[static_cast<std::size_t>(source)];
    const std::string_view type = before.layer().type();
    if (type == "Flatten") {
      const Shape& picture = before.inputs()[0].shape();
      return picture.rank() == 3 ? std::optional(picture) : std::nullopt;
    }
    if (!is_elementwise(type)) return std::nullopt;
    node = source;
  }
  return std::nullopt;
}

/// The layers with parameters, in the model's order.
[[nodiscard]] inline std::vector<ModelLayer> model_layers(const Topology& graph,
                                                          const std::vector<Parameter>& parameters) {
  std::vector<ModelLayer> layers;
  std::vector<std::string> keys;
  KerasKeys next;
  for (const Node& node : graph.nodes) keys.push_back(next.next(node.layer().type()));
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    const int node = parameters[i].node;
    const auto n = static_cast<std::size_t>(node);
    if (layers.empty() || layers.back().node != node)
      layers.push_back({.node = node,
                        .name = graph.names[n],
                        .type = graph.nodes[n].layer().type(),
                        .key = keys[n],
                        .parameters = {},
                        .flattened = flattened_picture(graph, node)});
    layers.back().parameters.push_back(i);
  }
  return layers;
}

}  // namespace mien::inline v0::io
