#pragma once

#include <optional>
#include <string>

#include <mien/applications/preprocessing.hpp>
#include <mien/applications/top.hpp>
#include <mien/applications/vgg_blocks.hpp>
#include <mien/layers/dense.hpp>
#include <mien/layers/flatten.hpp>
#include <mien/model/application.hpp>

namespace mien::inline v0 {

/// The arguments of keras.applications' VGG16, in its order.
struct Vgg16Options {
  bool include_top = true;                             ///< the three dense layers
  std::optional<Node> input_tensor{};                  ///< what to stand on, instead of an input of input_shape
  Shape input_shape{224, 224, 3};                      ///< height, width (at least 32), channels
  std::string pooling{};                               ///< without the top: "", "avg" or "max" over the picture
  std::int64_t classes = 1000;                         ///< units of the last layer, with the top
  ActivationFunction classifier_activation = softmax;  ///< of the last layer, with the top
  Initializer kernel_initializer = glorot_uniform;     ///< of the convolutions; he_uniform to train it from the start
};

/// VGG16 (Simonyan and Zisserman, 2014) with the layers' names of keras.applications: five blocks of 3x3 convolutions,
/// each with relu, and 2x2 maximum pooling; then flatten, fc1, fc2, predictions. 14,714,688 parameters without the top.
/// Pixels are prepared as for Keras's weights (`caffe_preprocessing`); torchvision's weights want
/// `torch_preprocessing`. Throws OptionError on a picture below 32 x 32 or an unknown pooling.
///
///     const Application base = vgg16({.include_top = false, .input_shape = {48, 48, 3}, .pooling = "avg"});
template <class = void>
[[nodiscard]] Application vgg16(const Vgg16Options& options = {}) {
  const Node x = detail::application_start("vgg16", options.input_tensor, options.input_shape, 32);
  Node y = detail::vgg_blocks(
      x, options.kernel_initializer, [](auto block, auto i) { return text("block", block, "_conv", i); },
      [](auto block) { return text("block", block, "_pool"); });
  if (options.include_top) {
    y = Flatten{.name = "flatten"}(y);
    y = Dense{.units = 4096, .activation = relu, .name = "fc1"}(y);
    y = Dense{.units = 4096, .activation = relu, .name = "fc2"}(y);
    y = Dense{.units = options.classes, .activation = options.classifier_activation, .name = "predictions"}(y);
  } else {
    y = detail::pooled("vgg16", y, options.pooling);
  }
  return {"vgg16", Sequential{x}.input(), y, caffe_preprocessing()};
}

}  // namespace mien::inline v0
