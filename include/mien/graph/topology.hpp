#pragma once
// The functions are templates so that a program that only describes graphs does not pay for their containers.

#include <algorithm>
#include <cstddef>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include <mien/core/error.hpp>
#include <mien/graph/node.hpp>

namespace mien::inline v0 {

/// A graph in the order in which its layers run, are listed by summary() and stand in weight files.
struct Topology {
  std::vector<Node> nodes;
  std::vector<std::vector<int>> inputs;  ///< of each node: indices of the nodes it reads
  std::vector<int> consumers;            ///< of each node: how many times others read it
  std::vector<std::string> names;        ///< of each node: the user's, or made from the class ("conv2d", "conv2d_1")

  [[nodiscard]] int size() const { return static_cast<int>(nodes.size()); }
};

namespace detail {

/// Keras's to_snake_case: "MaxPooling2D" -> "max_pooling2d", "BatchNormalization" -> "batch_normalization".
[[nodiscard]] inline std::string snake_case(std::string_view type) {
  const auto upper = [&](std::size_t i) { return type[i] >= 'A' && type[i] <= 'Z'; };
  const auto lower = [&](std::size_t i) { return i < type.size() && type[i] >= 'a' && type[i] <= 'z'; };
  std::string out;
  for (std::size_t i = 0; i < type.size(); ++i) {
    if (i > 0 && upper(i) && (lower(i - 1) || lower(i + 1))) out += '_';
    out += upper(i) ? static_cast<char>(type[i] - 'A' + 'a') : type[i];
  }
  return out;
}

/// Depth-first from the output, inputs in call order: the order in which each node is first reached.
template <class = void>
[[nodiscard]] std::vector<Node> reach(const Node& output) {
  std::vector<Node> order, stack{output};
  std::unordered_set<const void*> seen;
  while (!stack.empty()) {
    const Node node = stack.back();
    stack.pop_back();
    if (!seen.insert(node.id()).second) continue;
    order.push_back(node);
    for (std::size_t i = node.inputs().size(); i-- > 0;) stack.push_back(node.inputs()[i]);
  }
  return order;
}

/// The longest way from each node of `order` to the output, which is order[0].
template <class = void>
[[nodiscard]] std::unordered_map<const void*, int> depths(const std::vector<Node>& order) {
  std::unordered_map<const void*, int> readers, depth;
  for (const Node& node : order)
    for (const Node& input : node.inputs()) ++readers[input.id()];
  std::vector<Node> ready{order.front()};
  while (!ready.empty()) {
    const Node node = ready.back();
    ready.pop_back();
    for (const Node& input : node.inputs()) {
      depth[input.id()] = std::max(depth[input.id()], depth[node.id()] + 1);
      if (--readers[input.id()] == 0) ready.push_back(input);
    }
  }
  return depth;
}

/// The user's names, and for the rest the class in snake case with Keras's counters; "input_1" for inputs.
template <class = void>
[[nodiscard]] std::vector<std::string> make_names(const std::vector<Node>& nodes) {
  std::vector<std::string> names;
  std::unordered_set<std::string> taken;
  for (const Node& node : nodes) {
    names.push_back(node.layer().name());
    if (!names.back().empty() && !taken.insert(names.back()).second)
      throw OptionError(text("two layers are named '", names.back(), "': the names of a model's layers must differ"));
  }
  std::unordered_map<std::string, int> counters;
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    const bool is_input = nodes[i].layer().type() == "InputLayer";
    const std::string stem = is_input ? "input" : snake_case(nodes[i].layer().type());
    while (names[i].empty()) {
      const int count = counters[stem]++;
      std::string name = is_input ? text("input_", count + 1) : count == 0 ? stem : text(stem, "_", count);
      if (taken.insert(name).second) names[i] = std::move(name);
    }
  }
  return names;
}

}  // namespace detail

/// Everything that `output` is computed from, in Keras's order: by the longest way to the output, the far ones first,
/// ties in the order in which a depth-first walk from the output reaches them. Throws OptionError unless `input` is the
/// one input.
template <class = void>
[[nodiscard]] Topology sort_graph(const Node& input, const Node& output) {
  Topology graph;
  graph.nodes = detail::reach(output);
  const auto depth = detail::depths(graph.nodes);
  const auto depth_of = [&](const Node& node) {
    const auto found = depth.find(node.id());
    return found == depth.end() ? 0 : found->second;
  };
  std::stable_sort(graph.nodes.begin(), graph.nodes.end(),
                   [&](const Node& a, const Node& b) { return depth_of(a) > depth_of(b); });
  std::unordered_map<const void*, int> index;
  for (const Node& node : graph.nodes) {
    if (node.inputs().empty() && node.id() != input.id())
      throw OptionError(text("the output depends on an input '", node.layer().name(), "' of shape ", node.shape(),
                             " that is not the model's: a model has one input and one output"));
    index[node.id()] = static_cast<int>(index.size());
  }
  if (index.find(input.id()) == index.end())
    throw OptionError(
        text("the output does not depend on the input of shape ", input.shape(), " that the model was given"));
  graph.consumers.resize(graph.nodes.size());
  for (const Node& node : graph.nodes) {
    auto& list = graph.inputs.emplace_back();
    for (const Node& source : node.inputs()) {
      list.push_back(index[source.id()]);
      ++graph.consumers[static_cast<std::size_t>(list.back())];
    }
  }
  graph.names = detail::make_names(graph.nodes);
  return graph;
}

}  // namespace mien::inline v0
