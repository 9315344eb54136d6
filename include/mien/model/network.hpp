#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <mien/core/error.hpp>
#include <mien/graph/topology.hpp>
#include <mien/kernels/conv/choices.hpp>
#include <mien/layers/layer.hpp>

namespace mien::inline v0 {

/// A graph whose layers have been made for a scalar type: what a model and its predictors share. Immutable, but that
/// `choices` grows.
template <class T>
struct Network {
  Topology graph;
  std::vector<std::unique_ptr<const Layer<T>>> layers;      ///< of each node; null for the input
  std::vector<std::vector<ParameterSpec>> parameter_specs;  ///< of each node
  std::unique_ptr<kernels::ConvChoices> choices;            ///< measured algorithms; null: none are measured

  Network(const Node& input, const Node& output, Arithmetic arithmetic = Arithmetic::fast,
          std::unique_ptr<kernels::ConvChoices> measured = nullptr)
      : graph(sort_graph(input, output)), choices(std::move(measured)) {
    for (const Node& node : graph.nodes) {
      std::vector<Shape> shapes;
      for (const Node& source : node.inputs()) shapes.push_back(source.shape());
      std::unique_ptr<Layer<T>> layer = shapes.empty() ? nullptr : node.layer().make(ScalarTag<T>{}, shapes);
      if (layer != nullptr) layer->use(arithmetic, choices.get());
      layers.push_back(std::move(layer));
      parameter_specs.push_back(shapes.empty() ? std::vector<ParameterSpec>{} : layers.back()->parameters());
    }
  }

  [[nodiscard]] int size() const { return graph.size(); }
  [[nodiscard]] const Shape& shape(int node) const { return graph.nodes[static_cast<std::size_t>(node)].shape(); }
  [[nodiscard]] const Shape& input_shape() const { return shape(0); }
  [[nodiscard]] const Shape& output_shape() const { return shape(size() - 1); }

  /// The node of that name. Throws OptionError listing the names there are.
  [[nodiscard]] int find(std::string_view name) const {
    for (int node = 0; node < size(); ++node)
      if (graph.names[static_cast<std::size_t>(node)] == name) return node;
    throw OptionError(text("no layer is named '", name, "'; the model has: ", join(graph.names)));
  }
};

}  // namespace mien::inline v0
