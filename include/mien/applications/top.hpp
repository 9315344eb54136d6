#pragma once
// What the networks of keras.applications have in common: an input that is checked, and pooling at the end.

#include <cstdint>
#include <string>
#include <string_view>

#include <mien/core/error.hpp>
#include <mien/graph/node.hpp>
#include <mien/layers/global_average_pooling2d.hpp>
#include <mien/layers/input.hpp>

namespace mien::inline v0::detail {

/// The input of a network that needs `smallest` rows and columns. Throws OptionError.
[[nodiscard]] inline Node application_input(std::string_view network, const Shape& shape, std::int64_t smallest) {
  if (shape.rank() != 3 || shape[0] < smallest || shape[1] < smallest || shape[2] < 1)
    throw OptionError(text(network, ": input_shape is (height, width, channels) of at least ", smallest, " x ",
                           smallest, ", got ", shape));
  return Input(shape);
}

/// What stands on a network without its top: "" nothing, "avg" the mean over the picture. Throws OptionError.
[[nodiscard]] inline Node pooled(std::string_view network, const Node& x, std::string_view pooling,
                                 const std::string& average_name = {}) {
  if (pooling.empty()) return x;
  if (pooling == "avg") return GlobalAveragePooling2D{.name = average_name}(x);
  throw OptionError(text(network, ": pooling is \"\" or \"avg\", got \"", pooling, "\""));
}

}  // namespace mien::inline v0::detail
