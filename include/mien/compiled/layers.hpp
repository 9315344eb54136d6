#pragma once
// The layers in mien::compiled. One that is not here is compiled where it is used, as without the library.

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
#include <mien/layers/input.hpp>
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

#if defined(MIEN_COMPILED)
#  if defined(MIEN_COMPILING_LAYERS)
#    define MIEN_TEMPLATE template
#  else
#    define MIEN_TEMPLATE extern template
#  endif

namespace mien::inline v0 {

#  define MIEN_COMPILED_LAYER(layer)                                                                     \
    MIEN_TEMPLATE std::unique_ptr<Layer<float>> layer::make<float>(std::span<const Shape> inputs) const; \
    MIEN_TEMPLATE std::unique_ptr<Layer<double>> layer::make<double>(std::span<const Shape> inputs) const;

MIEN_COMPILED_LAYER(Activation)
MIEN_COMPILED_LAYER(Add)
MIEN_COMPILED_LAYER(AveragePooling2D)
MIEN_COMPILED_LAYER(BatchNormalization)
MIEN_COMPILED_LAYER(Concatenate)
MIEN_COMPILED_LAYER(Conv2D)
MIEN_COMPILED_LAYER(Conv2DTranspose)
MIEN_COMPILED_LAYER(Dense)
MIEN_COMPILED_LAYER(DepthwiseConv2D)
MIEN_COMPILED_LAYER(Dropout)
MIEN_COMPILED_LAYER(Flatten)
MIEN_COMPILED_LAYER(GlobalAveragePooling2D)
MIEN_COMPILED_LAYER(GlobalMaxPooling2D)
MIEN_COMPILED_LAYER(InputLayer)
MIEN_COMPILED_LAYER(LeakyReLU)
MIEN_COMPILED_LAYER(MaxPooling2D)
MIEN_COMPILED_LAYER(RandomFlip)
MIEN_COMPILED_LAYER(RandomRotation)
MIEN_COMPILED_LAYER(RandomTranslation)
MIEN_COMPILED_LAYER(Rescaling)
MIEN_COMPILED_LAYER(Reshape)
MIEN_COMPILED_LAYER(SeparableConv2D)
MIEN_COMPILED_LAYER(UpSampling2D)
MIEN_COMPILED_LAYER(ZeroPadding2D)

#  undef MIEN_COMPILED_LAYER

}  // namespace mien::inline v0

#  undef MIEN_TEMPLATE
#endif
