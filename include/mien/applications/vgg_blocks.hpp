#pragma once
// The thirteen convolutions of VGG's configuration D (Simonyan and Zisserman, 2014), which VGG16 and VGGFace share.

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>

#include <mien/graph/node.hpp>
#include <mien/initializers/initializer.hpp>
#include <mien/layers/conv2d.hpp>
#include <mien/layers/max_pooling2d.hpp>

namespace mien::inline v0::detail {

/// The two networks differ in what they call their layers: `conv(block, i)` and `pool(block)`, both counted from 1.
template <class ConvName, class PoolName>
[[nodiscard]] Node vgg_blocks(Node x, const Initializer& initializer, const ConvName& conv, const PoolName& pool) {
  constexpr std::array<std::int64_t, 5> filters{64, 128, 256, 512, 512}, convolutions{2, 2, 3, 3, 3};
  for (std::size_t b = 0; b < filters.size(); ++b) {
    const auto block = static_cast<std::int64_t>(b) + 1;
    for (std::int64_t i = 1; i <= convolutions[b]; ++i)
      x = Conv2D{.filters = filters[b],
                 .kernel_size = 3,
                 .padding = Padding::same,
                 .activation = relu,
                 .kernel_initializer = initializer,
                 .name = conv(block, i)}(x);
    x = MaxPooling2D{.pool_size = 2, .strides = 2, .name = pool(block)}(x);
  }
  return x;
}

}  // namespace mien::inline v0::detail
