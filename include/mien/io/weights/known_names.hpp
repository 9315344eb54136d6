#pragma once
// What others call the layers of the networks in applications/.

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include <mien/core/error.hpp>

namespace mien::inline v0::io {

inline constexpr const char* torchvision_names = "torchvision's names";
inline constexpr const char* old_keras_names = "keras.applications' older names";

/// torchvision's name of a layer of VGG16; "" for others. In its Sequential every convolution is followed by a relu,
/// and every block by a pooling, and all of these count.
[[nodiscard]] inline std::string torchvision_vgg16_name(std::string_view layer) {
  if (layer == "fc1") return "classifier.0";
  if (layer == "fc2") return "classifier.3";
  if (layer == "predictions") return "classifier.6";
  constexpr std::array<std::int64_t, 5> first{0, 5, 10, 17, 24}, count{2, 2, 3, 3, 3};
  for (std::size_t block = 0; block < first.size(); ++block)
    for (std::int64_t i = 0; i < count[block]; ++i)
      if (layer == text("block", block + 1, "_conv", i + 1)) return text("features.", first[block] + 2 * i);
  return "";
}

/// A layer of ResNet50 taken apart: conv{stage}_block{block}_{branch}_{conv|bn}.
struct ResNetLayer {
  int stage = 0, block = 0, branch = 0;
  bool normalization = false;
  friend bool operator==(const ResNetLayer&, const ResNetLayer&) = default;
};

/// The parts of such a name; stage 0 if it is none.
[[nodiscard]] inline ResNetLayer parse_resnet_layer(std::string_view layer) {
  for (int stage = 2; stage <= 5; ++stage)
    for (int block = 1; block <= 6; ++block)
      for (int branch = 0; branch <= 3; ++branch) {
        const std::string stem = text("conv", stage, "_block", block, "_", branch, "_");
        if (layer == stem + "conv") return {stage, block, branch, false};
        if (layer == stem + "bn") return {stage, block, branch, true};
      }
  return {};
}

/// torchvision's name of a layer of ResNet50; "" for others.
[[nodiscard]] inline std::string torchvision_resnet50_name(std::string_view layer) {
  if (layer == "conv1_conv") return "conv1";
  if (layer == "conv1_bn") return "bn1";
  if (layer == "predictions") return "fc";
  const ResNetLayer parts = parse_resnet_layer(layer);
  if (parts.stage == 0) return "";
  const std::string block = text("layer", parts.stage - 1, ".", parts.block - 1, ".");
  if (parts.branch == 0) return block + (parts.normalization ? "downsample.1" : "downsample.0");
  return text(block, parts.normalization ? "bn" : "conv", parts.branch);
}

/// The name that keras.applications gave a layer of ResNet50 before 2019; "" for others. By their order the layers
/// could not be matched: it was another one, with the same shapes.
[[nodiscard]] inline std::string old_keras_resnet50_name(std::string_view layer) {
  if (layer == "conv1_conv") return "conv1";
  if (layer == "conv1_bn") return "bn_conv1";
  if (layer == "predictions") return "fc1000";
  const ResNetLayer parts = parse_resnet_layer(layer);
  if (parts.stage == 0) return "";
  constexpr std::string_view letters = "abcdef";
  const std::string_view branches[] = {"1", "2a", "2b", "2c"};
  return text(parts.normalization ? "bn" : "res", parts.stage, letters[static_cast<std::size_t>(parts.block - 1)],
              "_branch", branches[parts.branch]);
}

}  // namespace mien::inline v0::io
