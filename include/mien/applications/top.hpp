#pragma once
// What the networks of keras.applications have in common: a start that is checked, and pooling at the end.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <mien/core/error.hpp>
#include <mien/graph/node.hpp>
#include <mien/layers/global_average_pooling2d.hpp>
#include <mien/layers/global_max_pooling2d.hpp>
#include <mien/layers/input.hpp>
#include <mien/layers/sequential.hpp>

namespace mien::inline v0::detail {

/// What a network stands on: a node of the caller's graph, or an input of its own, with at least `smallest` rows and
/// columns. Throws OptionError.
template <class = void>
[[nodiscard]] Node application_start(std::string_view network, const std::optional<Node>& given,
                                     const Shape& input_shape, std::int64_t smallest) {
  const Shape shape = given ? given->shape() : input_shape;
  if (shape.rank() != 3 || shape[0] < smallest || shape[1] < smallest || shape[2] < 1)
    throw OptionError(text(network, ": input_shape is (height, width, channels) of at least ", smallest, " x ",
                           smallest, ", got ", shape));
  return given ? *given : Input(shape);
}

/// What stands on a network without its top: "" nothing, "avg" or "max" pooling over the picture. Throws OptionError.
template <class = void>
[[nodiscard]] Node pooled(std::string_view network, const Node& x, std::string_view pooling,
                          const std::string& average_name = {}, const std::string& maximum_name = {}) {
  if (pooling.empty()) return x;
  if (pooling == "avg") return GlobalAveragePooling2D{.name = average_name}(x);
  if (pooling == "max") return GlobalMaxPooling2D{.name = maximum_name}(x);
  throw OptionError(text(network, ": pooling is \"\", \"avg\" or \"max\", got \"", pooling, "\""));
}

}  // namespace mien::inline v0::detail
