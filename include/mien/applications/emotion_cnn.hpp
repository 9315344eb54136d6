#pragma once
// The custom networks that read emotions: three blocks of two 3x3 convolutions, global average pooling, two dense
// layers.

#include <array>
#include <string_view>

#include <mien/activations/activation.hpp>
#include <mien/applications/augmentation.hpp>
#include <mien/core/error.hpp>
#include <mien/layers/activation.hpp>
#include <mien/layers/batch_normalization.hpp>
#include <mien/layers/conv2d.hpp>
#include <mien/layers/dense.hpp>
#include <mien/layers/dropout.hpp>
#include <mien/layers/global_average_pooling2d.hpp>
#include <mien/layers/input.hpp>
#include <mien/layers/max_pooling2d.hpp>
#include <mien/layers/sequential.hpp>

namespace mien::inline v0 {

/// What the custom networks have in common, and what a search may vary. The defaults are those of model 2.
struct EmotionCnnOptions {
  Shape input_shape{48, 48, 3};                       ///< height, width, channels
  std::int64_t classes = 3;                           ///< units of the last layer
  std::array<std::int64_t, 3> filters{64, 128, 256};  ///< of the convolutions of each block
  std::array<std::int64_t, 2> units{128, 32};         ///< of the two dense layers
  std::array<double, 2> dropout{0.25, 0.1};           ///< after each dense layer
  bool batch_normalization = true;                    ///< between a block's second convolution and its activation
  /// Between the two convolutions of a block. Model 2 on FER-2013's angry, happy and sad, 12 epochs, one seed: linear
  /// 0.761, relu 0.769.
  ActivationFunction inner_activation = linear;
  double pooling_dropout = 0;  ///< after the global pooling; 0: no such layer
  bool augmentation = false;   ///< flips, shifts and turns the pictures in training
};

/// The network for these options, layer names as in the tables of the custom models:
///
///     (conv a 3x3, inner_activation) -> conv b 3x3 -> [batch normalisation] -> relu -> max pooling 2x2, three times;
///     global average pooling -> dense, relu -> dropout -> dense, relu -> dropout -> dense, softmax
///
/// The input is pixels that preprocessing has brought to 0 ... 1: `unit_preprocessing`.
template <class = void>
[[nodiscard]] Sequential emotion_cnn(const EmotionCnnOptions& options = {}) {
  const Node input = Input(options.input_shape);
  Sequential model{options.augmentation ? face_augmentation(input) : input};
  for (std::size_t block = 0; block < options.filters.size(); ++block) {
    const std::int64_t filters = options.filters[block];
    model.add(Conv2D{.filters = filters,
                     .kernel_size = 3,
                     .activation = options.inner_activation,
                     .name = text("conv_layer_", block + 1, "a")});
    model.add(Conv2D{.filters = filters, .kernel_size = 3, .name = text("conv_layer_", block + 1, "b")});
    if (options.batch_normalization) model.add(BatchNormalization{});
    model.add(Activation{.activation = relu});
    model.add(MaxPooling2D{.pool_size = 2, .name = text("pool_layer_", block + 1)});
  }
  model.add(GlobalAveragePooling2D{});
  if (options.pooling_dropout > 0) model.add(Dropout{.rate = options.pooling_dropout});
  for (std::size_t i = 0; i < options.units.size(); ++i) {
    model.add(Dense{.units = options.units[i], .activation = relu});
    model.add(Dropout{.rate = options.dropout[i]});
  }
  model.add(Dense{.units = options.classes, .activation = softmax});
  return model;
}

/// The options of "custom1" (no batch normalisation), "custom2", "custom2_dropout" (with a dropout behind the pooling),
/// or "custom3" (what the random search found). Throws OptionError.
[[nodiscard]] inline EmotionCnnOptions emotion_cnn_options(std::string_view name) {
  if (name == "custom1") return {.batch_normalization = false};
  if (name == "custom2") return {};
  if (name == "custom2_dropout") return {.pooling_dropout = 0.25};
  if (name == "custom3") return {.filters = {32, 256, 256}, .units = {256, 64}};
  throw OptionError(text("unknown model '", name, "': expected custom1, custom2, custom2_dropout or custom3"));
}

}  // namespace mien::inline v0
