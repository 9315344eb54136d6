#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>

#include <mien/applications/preprocessing.hpp>
#include <mien/applications/top.hpp>
#include <mien/layers/activation.hpp>
#include <mien/layers/add.hpp>
#include <mien/layers/batch_normalization.hpp>
#include <mien/layers/conv2d.hpp>
#include <mien/layers/dense.hpp>
#include <mien/layers/max_pooling2d.hpp>
#include <mien/layers/zero_padding2d.hpp>
#include <mien/model/application.hpp>

namespace mien::inline v0 {

/// The arguments of keras.applications' ResNet50, in its order, and what torchvision's differs in.
struct ResNet50Options {
  bool include_top = true;                             ///< average pooling and the dense layer
  std::optional<Node> input_tensor{};                  ///< what to stand on, instead of an input of input_shape
  Shape input_shape{224, 224, 3};                      ///< height, width (at least 32), channels
  std::string pooling{};                               ///< without the top: "", "avg" or "max" over the picture
  std::int64_t classes = 1000;                         ///< units of the last layer, with the top
  ActivationFunction classifier_activation = softmax;  ///< of the last layer, with the top
  bool stride_in_3x3 = false;  ///< v1.5, torchvision's: a stage's stride is in its first 3x3, not in the 1x1 before
  double epsilon = 1.001e-5;   ///< of the batch normalisations; torchvision's is 1e-5
};

namespace detail {

/// The layers of a ResNet50 under their names. A template, as all functions here are, so that a program without the
/// network does not pay for its layers.
template <class = void>
class ResNet50Builder {
 public:
  explicit ResNet50Builder(const ResNet50Options& options) : options_(options) {}

  /// The convolution NAME_conv and its normalisation NAME_bn. A stride pads all sides alike, by a layer of its own, as
  /// both networks have it; Padding::same would pad the bottom and the right only.
  [[nodiscard]] Node convolution(const Node& x, const std::string& name, std::int64_t filters, std::int64_t size,
                                 std::int64_t stride) const {
    const bool padded = size > 1 && stride > 1;
    Node y = padded ? ZeroPadding2D{.padding = size / 2, .name = name + "_pad"}(x) : x;
    y = Conv2D{.filters = filters,
               .kernel_size = size,
               .strides = stride,
               .padding = size > 1 && !padded ? Padding::same : Padding::valid,
               .name = name + "_conv"}(y);
    return BatchNormalization{.epsilon = options_.epsilon, .name = name + "_bn"}(y);
  }
  [[nodiscard]] Node rectified(const Node& x, const std::string& name) const {
    return Activation{.activation = relu, .name = name}(x);
  }

  /// relu(shortcut + 1x1, 3x3, 1x1 of x). The first block of a stage has a convolution on its shortcut, and the stride.
  [[nodiscard]] Node block(const Node& x, const std::string& name, std::int64_t filters, std::int64_t stride,
                           bool first) const {
    const Node shortcut = first ? convolution(x, name + "_0", 4 * filters, 1, stride) : x;
    const std::int64_t outer = options_.stride_in_3x3 ? 1 : stride, inner = options_.stride_in_3x3 ? stride : 1;
    Node y = rectified(convolution(x, name + "_1", filters, 1, outer), name + "_1_relu");
    y = rectified(convolution(y, name + "_2", filters, 3, inner), name + "_2_relu");
    y = Add{.name = name + "_add"}({shortcut, convolution(y, name + "_3", 4 * filters, 1, 1)});
    return rectified(y, name + "_out");
  }

  /// Everything up to the last block.
  [[nodiscard]] Node body(const Node& x) const {
    constexpr std::array<std::int64_t, 4> blocks{3, 4, 6, 3};
    Node y = rectified(convolution(x, "conv1", 64, 7, 2), "conv1_relu");
    y = ZeroPadding2D{.padding = 1, .name = "pool1_pad"}(y);
    y = MaxPooling2D{.pool_size = 3, .strides = 2, .name = "pool1_pool"}(y);
    for (std::size_t stage = 0; stage < blocks.size(); ++stage)
      for (std::int64_t b = 1; b <= blocks[stage]; ++b)
        y = block(y, text("conv", stage + 2, "_block", b), std::int64_t{64} << stage, b == 1 && stage > 0 ? 2 : 1,
                  b == 1);
    return y;
  }

 private:
  const ResNet50Options& options_;
};

}  // namespace detail

/// ResNet50 (He, Zhang, Ren and Sun, 2015) with the layers' names of keras.applications: a 7x7 convolution, four stages
/// of 3, 4, 6 and 3 bottlenecks, average pooling, predictions. 23,587,712 parameters without the top.
///
/// Two networks go by that name. Keras's, the paper's, has a stage's stride in the first 1x1 convolution; torchvision's
/// (v1.5) has it in the 3x3. Their weights have the same shapes, and in the other network they give wrong numbers:
///
///     resnet50()                                              // v1, for keras.applications' weights
///     resnet50({.stride_in_3x3 = true, .epsilon = 1e-5})      // v1.5, for torchvision's; pixels as torchvision's
///
/// Pixels are prepared with `caffe_preprocessing`, in v1.5 with `torch_preprocessing`. Throws OptionError on a picture
/// below 32 x 32 or an unknown pooling.
template <class = void>
[[nodiscard]] Application resnet50(const ResNet50Options& options = {}) {
  const Node x = detail::application_start("resnet50", options.input_tensor, options.input_shape, 32);
  Node y = detail::ResNet50Builder<>(options).body(x);
  y = detail::pooled("resnet50", y, options.include_top ? "avg" : options.pooling, "avg_pool", "max_pool");
  if (options.include_top)
    y = Dense{.units = options.classes, .activation = options.classifier_activation, .name = "predictions"}(y);
  return {"resnet50", Sequential{x}.input(), y, options.stride_in_3x3 ? torch_preprocessing() : caffe_preprocessing()};
}

}  // namespace mien::inline v0
