#pragma once
// A model without its weights as JSON, and back.

#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <mien/io/formats/json.hpp>
#include <mien/io/layer_factory.hpp>
#include <mien/io/layer_options.hpp>
#include <mien/layers/input.hpp>
#include <mien/model/model.hpp>
#include <mien/model/preprocessing.hpp>

namespace mien::inline v0::io {

/// The version of the JSON below. Files of older versions stay readable, newer ones are refused.
inline constexpr int architecture_version = 1;

/// More layers than any network has: a file of a chain of a million would exhaust the stack when its nodes go.
inline constexpr std::size_t max_layers = 4096;

[[nodiscard]] inline Json to_json(const Preprocessing& p) {
  return {{"classes", p.classes},
          {"color_mode", p.color_mode},
          {"scale", json_number(p.scale)},
          {"mean", p.mean},
          {"deviation", p.deviation}};
}

[[nodiscard]] inline Preprocessing preprocessing_from(const Json& json) {
  Preprocessing p;
  read_json(json.at("classes"), p.classes);
  read_json(json.at("color_mode"), p.color_mode);
  read_json(json.at("scale"), p.scale);
  read_json(json.at("mean"), p.mean);
  read_json(json.at("deviation"), p.deviation);
  return p;
}

/// {"version", "name", "sequential", "preprocessing", "layers": [{"type", "name", "trainable", "inputs", "options" |
/// "shape"}]}.
template <class T>
[[nodiscard]] Json architecture_of(const Model<T>& model) {
  Json layers = Json::array();
  const Topology& graph = model.network().graph;
  for (int node = 0; node < graph.size(); ++node) {
    const auto i = static_cast<std::size_t>(node);
    Json layer{
        {"type", graph.nodes[i].layer().type()}, {"name", graph.names[i]}, {"trainable", model.is_trainable(node)}};
    Json inputs = Json::array();
    for (const int source : graph.inputs[i]) inputs.push_back(graph.names[static_cast<std::size_t>(source)]);
    layer["inputs"] = std::move(inputs);
    if (node == 0) {
      layer["shape"] = std::vector<std::int64_t>(model.input_shape().begin(), model.input_shape().end());
    } else {
      OptionWriter writer(layer["options"]);
      graph.nodes[i].layer().visit_options(writer);
    }
    layers.push_back(std::move(layer));
  }
  return {{"version", architecture_version},
          {"name", model.name()},
          {"sequential", model.is_sequential()},
          {"preprocessing", to_json(model.preprocessing())},
          {"layers", std::move(layers)}};
}

/// A graph read from JSON, and what a model of it is made with.
struct Architecture {
  Node input, output;
  std::string name;
  bool sequential = false;
  Preprocessing preprocessing;
  std::vector<std::string> frozen;  ///< names of layers that are not trainable
};

namespace detail {

/// The nodes that a layer reads: by name, among those made before it.
[[nodiscard]] inline std::vector<Node> inputs_of(const Json& layer, const std::map<std::string, Node>& made,
                                                 const std::string& who) {
  std::vector<Node> inputs;
  for (const Json& name : layer.at("inputs")) {
    const auto found = made.find(name.get<std::string>());
    if (found == made.end())
      throw FileError(text(who, ": it reads '", name.get<std::string>(), "', which is not before it"));
    inputs.push_back(found->second);
  }
  return inputs;
}

/// One layer of the list as a node.
[[nodiscard]] inline Node node_from(const Json& layer, const std::map<std::string, Node>& made,
                                    const CustomObjects& custom, const std::string& file) {
  const auto name = layer.at("name").get<std::string>();
  const auto type = layer.at("type").get<std::string>();
  const std::string who = text(file, ": layer '", name, "' (", type, ")");
  std::vector<Node> inputs = inputs_of(layer, made, who);
  if (inputs.empty() && type != "InputLayer") throw FileError(text(who, ": it reads nothing"));
  try {
    if (type == "InputLayer") {
      std::vector<std::int64_t> shape;
      read_json(layer.at("shape"), shape);
      return Input(Shape(shape), name);
    }
    OptionReader options(layer.at("options"), who);
    Node node = find_layer(type, custom, who)(options, name, std::move(inputs));
    options.finish();
    return node;
  } catch (const FileError&) {
    throw;
  } catch (const Error& error) {
    throw FileError(text(file, ": ", error.what()));
  }
}

}  // namespace detail

/// The graph that the JSON describes. Throws FileError that names the file and the layer.
[[nodiscard]] inline Architecture architecture_from(const Json& json, const CustomObjects& custom,
                                                    const std::string& file) {
  try {
    std::int64_t v = 0;
    read_json(json.at("version"), v);
    if (v < 1 || v > architecture_version)
      throw FileError(text(file, ": written in version ", v, " of the architecture, this library reads up to ",
                           architecture_version));
    if (const std::size_t n = json.at("layers").size(); n > max_layers)
      throw FileError(text(file, ": its architecture has ", n, " layers; more than ", max_layers, " are not read"));
    std::map<std::string, Node> made;
    std::vector<std::string> frozen;
    std::optional<Node> input, last;
    for (const Json& layer : json.at("layers")) {
      last = detail::node_from(layer, made, custom, file);
      if (!input) input = last;
      const auto name = layer.at("name").get<std::string>();
      if (!made.emplace(name, *last).second) throw FileError(text(file, ": two layers are named '", name, "'"));
      if (!layer.at("trainable").get<bool>()) frozen.push_back(name);
    }
    if (!input || input->layer().type() != "InputLayer") throw FileError(text(file, ": the first layer is no input"));
    return {*input,
            *last,
            json.at("name").get<std::string>(),
            json.at("sequential").get<bool>(),
            preprocessing_from(json.at("preprocessing")),
            std::move(frozen)};
  } catch (const Json::exception& error) {
    throw FileError(text(file, ": the architecture is damaged: ", error.what()));
  }
}

}  // namespace mien::inline v0::io
