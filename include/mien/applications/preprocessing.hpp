#pragma once
// What the known networks were trained on: what their weights expect of RGB pixels 0 ... 255.

#include <mien/model/preprocessing.hpp>

namespace mien::inline v0 {

/// x / 255: the custom networks.
[[nodiscard]] inline Preprocessing unit_preprocessing() { return {.scale = 1.0 / 255}; }

/// Blue, green, red, less ImageNet's means: keras.applications' VGG16 and ResNet50 (its mode 'caffe').
[[nodiscard]] inline Preprocessing caffe_preprocessing() {
  return {.color_mode = "bgr", .mean = {103.939, 116.779, 123.68}};
}

/// Blue, green, red, less the means of VGGFace's pictures: keras-vggface's VGG16 (its version 1).
[[nodiscard]] inline Preprocessing vggface_preprocessing() {
  return {.color_mode = "bgr", .mean = {93.5940, 104.7624, 129.1863}};
}

/// (x / 255 - mean) / deviation with ImageNet's figures: everything from torchvision (keras.applications' mode
/// 'torch').
[[nodiscard]] inline Preprocessing torch_preprocessing() {
  return {.scale = 1.0 / 255, .mean = {255 * 0.485, 255 * 0.456, 255 * 0.406}, .deviation = {0.229, 0.224, 0.225}};
}

}  // namespace mien::inline v0
