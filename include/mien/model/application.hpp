#pragma once

#include <string>

#include <mien/graph/node.hpp>
#include <mien/model/preprocessing.hpp>

namespace mien::inline v0 {

/// A network that has a name in the field: its graph, and what it expects of its pictures. A model of it, or a network
/// of your own on top of it:
///
///     const Application base = vgg16({.include_top = false, .input_shape = {48, 48, 3}, .pooling = "avg"});
///     Model<float> whole(base, {.seed = 7});
///     const Node y = Dense{.units = 3, .activation = softmax}(base.output);
///     Model<float> tuned(base.input, y, {.preprocessing = base.preprocessing});
struct Application {
  std::string name;  ///< of the model, as summary() prints it
  Node input, output;
  Preprocessing preprocessing{};
};

}  // namespace mien::inline v0
