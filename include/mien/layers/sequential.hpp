#pragma once

#include <mien/graph/node.hpp>

namespace mien::inline v0 {

/// A chain of layers, each on the one before: sugar for a graph without branches.
///
///     Sequential layers{Input({48, 48, 3}), Conv2D{.filters = 32, .kernel_size = 3, .activation = relu}, Flatten{}};
///     layers.add(Dense{.units = 3, .activation = softmax});
///     Model<float> model(layers);
///
/// It may also begin at a node inside a graph: Sequential{base, Dense{.units = 3}}. A layer's options are checked when
/// it is added.
class Sequential {
 public:
  template <class... Layers>
  explicit Sequential(const Node& begin, const Layers&... layers) : output_(begin) {
    (add(layers), ...);
  }

  /// Puts a layer on top.
  template <class Options>
  Sequential& add(const Options& layer) {
    output_ = apply(layer, {output_});
    return *this;
  }

  /// The node that everything starts from.
  [[nodiscard]] Node input() const {
    Node node = output_;
    while (!node.inputs().empty()) node = Node(node.inputs().front());
    return node;
  }
  /// The node of the last layer.
  [[nodiscard]] const Node& output() const { return output_; }

 private:
  Node output_;
};

}  // namespace mien::inline v0
