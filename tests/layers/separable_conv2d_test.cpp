#include <doctest/doctest.h>

#include <mien/layers/depthwise_conv2d.hpp>
#include <mien/layers/input.hpp>
#include <mien/layers/separable_conv2d.hpp>
#include <mien/testing/check_layer.hpp>

#include "one_layer.hpp"

using namespace mien;
using mien::testing::check_layer;

TEST_CASE("DepthwiseConv2D keeps what a layer promises") {
  check_layer(DepthwiseConv2D{.kernel_size = 3}, {{5, 4, 3}});
  check_layer(DepthwiseConv2D{.kernel_size = {1, 3}, .padding = Padding::same, .activation = relu}, {{4, 5, 5}});
  check_layer(DepthwiseConv2D{.kernel_size = 3,
                              .strides = 2,
                              .padding = Padding::same,
                              .depth_multiplier = 2,
                              .activation = mien::tanh,
                              .use_bias = false},
              {{6, 5, 2}});
  check_layer(DepthwiseConv2D{.kernel_size = 2, .padding = Padding::same, .dilation_rate = 2, .activation = silu},
              {{4, 4, 3}});
  check_layer(DepthwiseConv2D{.kernel_size = 2, .depth_multiplier = 3, .activation = softmax}, {{3, 3, 1}});
}

TEST_CASE("SeparableConv2D keeps what a layer promises") {
  check_layer(SeparableConv2D{.filters = 3, .kernel_size = 3}, {{5, 4, 2}});
  check_layer(SeparableConv2D{.filters = 2, .kernel_size = 3, .padding = Padding::same, .activation = relu},
              {{4, 4, 3}});
  check_layer(SeparableConv2D{.filters = 4,
                              .kernel_size = 2,
                              .strides = 2,
                              .padding = Padding::same,
                              .depth_multiplier = 2,
                              .activation = silu,
                              .use_bias = false},
              {{5, 4, 2}});
  check_layer(SeparableConv2D{.filters = 2, .kernel_size = 2, .dilation_rate = 2, .activation = softmax}, {{4, 4, 1}});
}

TEST_CASE("DepthwiseConv2D by hand: output channel c M + m is channel c's m-th result") {
  const Shape input{1, 2, 2};
  const DepthwiseConv2D options{.kernel_size = {1, 2}, .depth_multiplier = 2};
  const auto layer = options.make<float>({&input, 1});
  Tensor<float> x({1, 1, 2, 2}, {1, 2, 3, 4}), kernel({1, 2, 2, 2}, {1, 10, 2, 20, 100, 1000, 200, 2000}),
      bias({4}, {0.5F, 0, 0, 0}), y({1, 1, 1, 4});
  Buffer workspace(layer->forward_workspace(1, 1));
  const TensorView<const float> inputs[] = {x};
  const TensorView<float> parameters[] = {kernel, bias};
  layer->forward({{.batch = 1}, inputs, y, parameters, nullptr, workspace.data()});
  const float expected[] = {301.5F, 3010, 804, 8040};
  for (int i = 0; i < 4; ++i) CHECK(y[i] == expected[i]);
}

TEST_CASE("the shapes and parameters of DepthwiseConv2D and SeparableConv2D are Keras's") {
  const Node x = Input({15, 60, 6});
  CHECK(DepthwiseConv2D{.kernel_size = 3, .strides = 2, .padding = Padding::same}(x).shape() == Shape{8, 30, 6});
  CHECK(DepthwiseConv2D{.kernel_size = 3, .depth_multiplier = 2}(x).shape() == Shape{13, 58, 12});
  CHECK(SeparableConv2D{.filters = 9, .kernel_size = {3, 1}}(x).shape() == Shape{13, 60, 9});
  const Shape input = x.shape();
  const auto depthwise = DepthwiseConv2D{.kernel_size = {3, 5}, .depth_multiplier = 2}.make<float>({&input, 1});
  REQUIRE(depthwise->parameters().size() == 2);
  CHECK(depthwise->parameters()[0].name == "depthwise_kernel");
  CHECK(depthwise->parameters()[0].shape == Shape{3, 5, 6, 2});
  CHECK(depthwise->parameters()[1].shape == Shape{12});
  const auto separable =
      SeparableConv2D{.filters = 9, .kernel_size = 3, .depth_multiplier = 2, .pointwise_regularizer = l2(0.5)}
          .make<float>({&input, 1});
  REQUIRE(separable->parameters().size() == 3);
  CHECK(separable->parameters()[0].shape == Shape{3, 3, 6, 2});
  CHECK(separable->parameters()[1].name == "pointwise_kernel");
  CHECK(separable->parameters()[1].shape == Shape{1, 1, 12, 9});
  CHECK(separable->parameters()[1].regularizer == l2(0.5));
  CHECK(separable->parameters()[2].shape == Shape{9});
}

TEST_CASE("DepthwiseConv2D and SeparableConv2D say what is wrong") {
  const Node x = Input({5, 5, 3});
  CHECK_THROWS_WITH_AS(static_cast<void>(SeparableConv2D{.kernel_size = 3, .name = "a"}(x)),
                       "layer 'a' (SeparableConv2D) expected filters of 1 or more, got 0", OptionError);
  CHECK_THROWS_WITH_AS(static_cast<void>(DepthwiseConv2D{.kernel_size = 3, .depth_multiplier = 0}(x)),
                       "layer DepthwiseConv2D expected channels and a depth_multiplier of 1 or more, got 0 for an "
                       "input of shape (5, 5, 3)",
                       OptionError);
  CHECK_THROWS_AS(static_cast<void>(DepthwiseConv2D{.kernel_size = 6}(x)), ShapeError);
  CHECK_THROWS_AS(static_cast<void>(DepthwiseConv2D{.kernel_size = 1, .depth_multiplier = std::int64_t{1} << 62}(x)),
                  OptionError);
  CHECK_THROWS_AS(static_cast<void>(SeparableConv2D{.filters = 1}(x)), OptionError);
}
