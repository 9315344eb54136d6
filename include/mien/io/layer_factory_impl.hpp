#pragma once
// What layer_factory.hpp declares.

#include <mien/io/layer_factory.hpp>
#include <mien/layers/activation.hpp>
#include <mien/layers/add.hpp>
#include <mien/layers/average_pooling2d.hpp>
#include <mien/layers/batch_normalization.hpp>
#include <mien/layers/concatenate.hpp>
#include <mien/layers/conv2d.hpp>
#include <mien/layers/conv2d_transpose.hpp>
#include <mien/layers/dense.hpp>
#include <mien/layers/depthwise_conv2d.hpp>
#include <mien/layers/dropout.hpp>
#include <mien/layers/flatten.hpp>
#include <mien/layers/global_average_pooling2d.hpp>
#include <mien/layers/global_max_pooling2d.hpp>
#include <mien/layers/leaky_relu.hpp>
#include <mien/layers/max_pooling2d.hpp>
#include <mien/layers/random_flip.hpp>
#include <mien/layers/random_rotation.hpp>
#include <mien/layers/random_translation.hpp>
#include <mien/layers/rescaling.hpp>
#include <mien/layers/reshape.hpp>
#include <mien/layers/separable_conv2d.hpp>
#include <mien/layers/up_sampling2d.hpp>
#include <mien/layers/zero_padding2d.hpp>

namespace mien::inline v0::io {

MIEN_INLINE const CustomObjects& known_layers() {
  static const CustomObjects known = CustomObjects{}
                                         .add<Activation>()
                                         .add<Add>()
                                         .add<AveragePooling2D>()
                                         .add<BatchNormalization>()
                                         .add<Concatenate>()
                                         .add<Conv2D>()
                                         .add<Conv2DTranspose>()
                                         .add<Dense>()
                                         .add<DepthwiseConv2D>()
                                         .add<Dropout>()
                                         .add<Flatten>()
                                         .add<GlobalAveragePooling2D>()
                                         .add<GlobalMaxPooling2D>()
                                         .add<LeakyReLU>()
                                         .add<MaxPooling2D>()
                                         .add<RandomFlip>()
                                         .add<RandomRotation>()
                                         .add<RandomTranslation>()
                                         .add<Rescaling>()
                                         .add<Reshape>()
                                         .add<SeparableConv2D>()
                                         .add<UpSampling2D>()
                                         .add<ZeroPadding2D>();
  return known;
}

}  // namespace mien::inline v0::io
