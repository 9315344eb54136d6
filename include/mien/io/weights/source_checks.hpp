#pragma once
// What shapes do not tell: weights that fit a network and are another's.

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <mien/core/error.hpp>
#include <mien/graph/options.hpp>
#include <mien/graph/topology.hpp>
#include <mien/io/formats/keras_hdf5.hpp>
#include <mien/io/formats/tensor_file.hpp>
#include <mien/io/weights/match.hpp>

namespace mien::inline v0::io {

/// Reads a layer's epsilon.
class EpsilonReader final : public OptionVisitor {
 public:
  double epsilon = 0;

  void operator()(const char* name, double& value) override {
    if (std::string_view(name) == "epsilon") epsilon = value;
  }
  void operator()(const char*, bool&) override {}
  void operator()(const char*, std::int64_t&) override {}
  void operator()(const char*, std::string&) override {}
  void operator()(const char*, std::vector<double>&) override {}
  void operator()(const char*, std::vector<std::int64_t>&) override {}
  void operator()(const char*, Size2D&) override {}
  void operator()(const char*, std::optional<Size2D>&) override {}
  void operator()(const char*, Border2D&) override {}
  void operator()(const char*, Padding&) override {}
  void operator()(const char*, Arithmetic&) override {}
  void operator()(const char*, ActivationFunction&) override {}
  void operator()(const char*, Initializer&) override {}
  void operator()(const char*, Regularizer&) override {}
};

/// Where a ResNet50 has the stride of its stages.
struct StageStride {
  std::string_view layer;  ///< the first 1x1 convolution of a stage, which has weights from the file
  bool here = false;       ///< in it; else in the 3x3 behind it
};

/// None of a network in which no block of these names has its stride in just one of the two.
[[nodiscard]] inline std::optional<StageStride> stage_stride(const Topology& graph,
                                                             const std::vector<ModelLayer>& layers,
                                                             const Matching& matching) {
  const auto shrinks = [&](const ModelLayer& layer) {
    const Node& node = graph.nodes[static_cast<std::size_t>(layer.node)];
    return node.shape()[0] < node.inputs()[0].shape()[0];
  };
  for (std::size_t i = 0; i < layers.size(); ++i) {
    ResNetLayer second = parse_resnet_layer(layers[i].name);
    if (second.stage < 3 || second.block != 1 || second.branch != 1 || second.normalization) continue;
    if (matching.partners[i] == nullptr) continue;
    second.branch = 2;
    for (const ModelLayer& layer : layers)
      if (parse_resnet_layer(layer.name) == second && shrinks(layers[i]) != shrinks(layer))
        return StageStride{layers[i].name, shrinks(layers[i])};
  }
  return std::nullopt;
}

/// Throws FileError if torchvision's ResNet50 is to go into a network with the stride in the first 1x1 convolution of a
/// stage: all shapes fit, and every output would be wrong.
inline void require_stride_in_3x3(const Topology& graph, const std::vector<ModelLayer>& layers,
                                  const Matching& matching, std::string_view file) {
  if (matching.how != torchvision_names) return;
  const std::optional<StageStride> stride = stage_stride(graph, layers, matching);
  if (!stride || !stride->here) return;
  throw FileError(text("'", file,
                       "' has torchvision's ResNet50 (v1.5), whose stages have their stride in the 3x3 "
                       "convolution; this network has it in the 1x1 before ('",
                       stride->layer,
                       "'), and with these weights would give wrong results. Build it by resnet50({.stride_in_3x3 = "
                       "true, .epsilon = 1e-5}); emotions_finetune does so with --torchvision"));
}

/// A line about the names of keras.applications' ResNet50, older or newer, in a file that says no strides, where the
/// network is torchvision's; empty otherwise. Its layers may be called so in the file too: TensorFlow's official v1.5
/// has the older names, mien's own, saved as weights for Keras, the newer.
[[nodiscard]] inline std::string stride_note(const Topology& graph, const std::vector<ModelLayer>& layers,
                                             const Matching& matching, const TensorFile& file) {
  const bool keras = dynamic_cast<const KerasHdf5File*>(&file) != nullptr && matching.how != torchvision_names;
  if (!keras && matching.how != old_keras_names) return "";
  const std::optional<StageStride> stride = stage_stride(graph, layers, matching);
  if (!stride || stride->here) return "";
  return text(
      "keras.applications' ResNet50 has the stride of its stages in the first 1x1 convolution ('", stride->layer,
      "'), this network in the 3x3 behind: if the weights are from there, its outputs are wrong, and resnet50() ",
      "without .stride_in_3x3 (emotions_finetune without --torchvision) is the network for them");
}

/// A line about batch normalisations whose epsilon is not what the source of the weights has; empty if there are none.
[[nodiscard]] inline std::string epsilon_note(const Topology& graph, const std::vector<ModelLayer>& layers,
                                              const Matching& matching) {
  const bool old_keras = matching.how == old_keras_names;
  if (!matching.from_pytorch && !old_keras) return "";
  const double expected = old_keras ? 1e-3 : 1e-5;
  std::vector<std::string> others;
  double found = 0;
  for (const ModelLayer& layer : layers) {
    if (layer.type != "BatchNormalization") continue;
    EpsilonReader reader;
    graph.nodes[static_cast<std::size_t>(layer.node)].layer().visit_options(reader);
    if (std::abs(reader.epsilon - expected) <= 1e-6 * expected) continue;
    found = reader.epsilon;
    others.push_back(layer.name);
  }
  if (others.empty()) return "";
  const bool one = others.size() == 1;
  return text(others.size(), one ? " batch normalisation ('" : " batch normalisations (first '", others.front(),
              one ? "') has epsilon " : "') have epsilon ", found, "; ",
              old_keras ? "keras.applications trained these weights with " : "PyTorch's default is ", expected,
              ": with .epsilon = ", expected, " the outputs are those of the source");
}

}  // namespace mien::inline v0::io
