#pragma once
// How Keras's functional models say what a layer reads: Keras 2 in nested lists, Keras 3 in objects.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <mien/core/error.hpp>
#include <mien/io/formats/json.hpp>
#include <mien/io/keras/options.hpp>

namespace mien::inline v0::io {

/// The output of a layer's call number `node`.
struct KerasTensor {
  std::string layer;
  std::int64_t node = 0;
  friend auto operator<=>(const KerasTensor&, const KerasTensor&) = default;
};

/// One call of a layer.
struct KerasCall {
  std::vector<KerasTensor> inputs{};
  bool inference = false;  ///< called with training=False
};

/// A layer's or model's name: in its config, or beside it.
[[nodiscard]] inline std::string keras_name(const Json& object) {
  std::string name = text_of(object.at("config"), "name");
  return name.empty() ? text_of(object, "name") : name;
}

/// Arguments of a call beside its inputs: only training=False, and what is not set.
inline void read_keras_arguments(const Json& arguments, KerasCall& call, const std::string& who) {
  if (!arguments.is_object()) return;
  for (const auto& [key, value] : arguments.items()) {
    if (value.is_null()) continue;
    if (key != "training" || value != false)
      throw FileError(text(who, " is called with '", key, "', which mien has not"));
    call.inference = true;
  }
}

/// Adds the tensors that a value of any nesting names.
inline void add_keras_tensors(const Json& json, KerasCall& call, const std::string& who) {
  const Json* place = nullptr;  // [layer, node, tensor, perhaps arguments]
  if (text_of(json, "class_name") == "__keras_tensor__")
    place = &json.at("config").at("keras_history");
  else if (json.is_array() && json.size() >= 3 && json[0].is_string())
    place = &json;
  if (place != nullptr) {
    std::int64_t node = 0, tensor = 0;
    read_json(place->at(1), node);
    read_json(place->at(2), tensor);
    if (tensor != 0 || node < 0)
      throw FileError(
          text(who, " names output ", tensor, " of call ", node, " of a layer; mien's layers have one output"));
    call.inputs.push_back({place->at(0).get<std::string>(), node});
    if (place->size() > 3) read_keras_arguments((*place)[3], call, who);
  } else if (json.is_structured()) {
    for (const Json& inner : json) add_keras_tensors(inner, call, who);
  } else if (!json.is_null()) {
    throw FileError(text(who, " is called with a value that is no output of a layer"));
  }
}

/// Call number `node` of a layer.
[[nodiscard]] inline KerasCall keras_call(const Json& layer, std::int64_t node, const std::string& who) {
  const Json& nodes = layer.at("inbound_nodes");
  if (!nodes.is_array() || node >= static_cast<std::int64_t>(nodes.size()))
    throw FileError(text(who, " has no call number ", node, ", whose output is read"));
  const Json& inbound = nodes[static_cast<std::size_t>(node)];
  KerasCall call;
  const bool keras_3 = inbound.is_object() && inbound.contains("args");
  add_keras_tensors(keras_3 ? inbound.at("args") : inbound, call, who);
  if (keras_3 && inbound.contains("kwargs")) read_keras_arguments(inbound.at("kwargs"), call, who);
  if (call.inputs.empty()) throw FileError(text(who, " reads nothing"));
  return call;
}

}  // namespace mien::inline v0::io
