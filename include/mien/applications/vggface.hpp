#pragma once

#include <optional>
#include <string>

#include <mien/applications/preprocessing.hpp>
#include <mien/applications/top.hpp>
#include <mien/applications/vgg_blocks.hpp>
#include <mien/layers/activation.hpp>
#include <mien/layers/dense.hpp>
#include <mien/layers/flatten.hpp>
#include <mien/model/application.hpp>

namespace mien::inline v0 {

/// The arguments of keras-vggface's VGGFace, in its order.
struct VggFaceOptions {
  bool include_top = true;                             ///< the three dense layers
  std::optional<Node> input_tensor{};                  ///< what to stand on, instead of an input of input_shape
  Shape input_shape{224, 224, 3};                      ///< height, width (at least 48), channels
  std::string pooling{};                               ///< without the top: "", "avg" or "max" over the picture
  std::int64_t classes = 2622;                         ///< units of the last layer, with the top: the people of VGGFace
  ActivationFunction classifier_activation = softmax;  ///< of the last layer, with the top
  Initializer kernel_initializer = glorot_uniform;     ///< of the convolutions
};

/// VGGFace (Parkhi, Vedaldi and Zisserman, 2015): VGG16 trained to tell people apart, with the layers' names of
/// keras-vggface: conv1_1 ... pool5, then flatten, fc6, fc7, fc8, whose activations are layers of their own.
/// 14,714,688 parameters without the top. Throws OptionError on a picture below 48 x 48 or an unknown pooling.
///
///     const Application base = vggface({.include_top = false, .pooling = "avg"});
template <class = void>
[[nodiscard]] Application vggface(const VggFaceOptions& options = {}) {
  const Node x = detail::application_start("vggface", options.input_tensor, options.input_shape, 48);
  Node y = detail::vgg_blocks(
      x, options.kernel_initializer, [](auto block, auto i) { return text("conv", block, "_", i); },
      [](auto block) { return text("pool", block); });
  if (options.include_top) {
    y = Flatten{.name = "flatten"}(y);
    for (const std::string name : {"fc6", "fc7"})
      y = Activation{.activation = relu, .name = name + "/relu"}(Dense{.units = 4096, .name = name}(y));
    y = Dense{.units = options.classes, .name = "fc8"}(y);
    y = Activation{.activation = options.classifier_activation,
                   .name = text("fc8/", to_string(options.classifier_activation.kind))}(y);
  } else {
    y = detail::pooled("vggface", y, options.pooling);
  }
  return {"vggface_vgg16", Sequential{x}.input(), y, vggface_preprocessing()};
}

}  // namespace mien::inline v0
