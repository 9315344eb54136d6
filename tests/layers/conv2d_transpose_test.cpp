#include <doctest/doctest.h>

#include <mien/graph/topology.hpp>
#include <mien/layers/conv2d_transpose.hpp>
#include <mien/layers/input.hpp>
#include <mien/testing/check_layer.hpp>

#include "one_layer.hpp"

using namespace mien;
using mien::testing::check_layer;

namespace {

/// 0, 1, ... modulo `cycle`, less `zero`.
std::vector<double> cycling(std::int64_t size, std::int64_t cycle, std::int64_t zero) {
  std::vector<double> values;
  for (std::int64_t i = 0; i < size; ++i) values.push_back(static_cast<double>(i % cycle - zero));
  return values;
}

/// The output for such an input and kernel, with a bias of 0.
std::vector<double> transposed(const Conv2DTranspose& options, const Shape& x) {
  const Size2D k = options.kernel_size;
  return test::run(options, x, cycling(x.size(), 5, 2), {}, {},
                   {cycling(k.height * k.width * options.filters * x[2], 7, 3),
                    std::vector<double>(static_cast<std::size_t>(options.filters))})
      .output;
}

}  // namespace

TEST_CASE("Conv2DTranspose keeps what a layer promises") {
  check_layer(Conv2DTranspose{.filters = 3, .kernel_size = 3}, {{4, 3, 2}});
  check_layer(Conv2DTranspose{.filters = 2, .kernel_size = 4, .strides = 2, .padding = Padding::same}, {{3, 2, 3}});
  check_layer(Conv2DTranspose{.filters = 3, .kernel_size = {2, 3}, .strides = {3, 2}, .activation = relu}, {{2, 3, 2}});
  check_layer(Conv2DTranspose{.filters = 2, .kernel_size = 1, .strides = 2, .activation = mien::tanh}, {{3, 2, 2}});
  check_layer(
      Conv2DTranspose{.filters = 2, .kernel_size = 3, .padding = Padding::same, .dilation_rate = 2, .activation = silu},
      {{4, 3, 2}});
  check_layer(Conv2DTranspose{.filters = 4, .kernel_size = 2, .activation = softmax, .use_bias = false}, {{2, 3, 2}});
  check_layer(Conv2DTranspose{.filters = 3, .kernel_size = 3, .activation = relu, .use_bias = false}, {{1, 1, 1}});
}

TEST_CASE("Conv2DTranspose on numbers of PyTorch's conv_transpose2d, cut as Keras's 'same' cuts") {
  const Conv2DTranspose three{.filters = 2, .kernel_size = 3, .strides = 2};
  const std::vector<double> valid{8,  2,  -4, -3, 3,  -1, 2,  -3, -3, -1, -2, 12,  -2, -2, -7,  8,  2, -4,
                                  0,  3,  0,  2,  -5, -3, -2, -2, 12, -2, 2,  -6,  7,  -1, -8,  -1, 3, -3,
                                  4,  -1, -6, -5, 3,  11, -2, 3,  1,  -1, 5,  -5,  -1, 5,  -10, 4,  2, -4,
                                  -3, 5,  0,  -2, 3,  1,  1,  5,  -7, -1, 4,  -10, 8,  2,  -4,  -3};
  CHECK(transposed(three, {2, 3, 2}) == valid);
  Conv2DTranspose same = three;
  same.padding = Padding::same;
  CHECK(transposed(same, {2, 3, 2}) ==
        std::vector<double>{8, 2,  -4, -3, 3,  -1, 2, -3, -3, -1, -2, 12, -7, 8, 2, -4, 0, 3,  0,  2, -5,  -3, -2, -2,
                            2, -6, 7,  -1, -8, -1, 3, -3, 4,  -1, -6, -5, -2, 3, 1, -1, 5, -5, -1, 5, -10, 4,  2,  -4});
  CHECK(transposed({.filters = 2, .kernel_size = 4, .strides = 2, .padding = Padding::same}, {2, 2, 1}) ==
        std::vector<double>{0,  -2, -2, -5, 6, 3,  -2, -3, -2, -4, -8, 4, 2, 0, -2, 5,
                            -4, -6, 4,  2,  0, -2, 5,  5,  0,  0,  -1, 0, 1, 2, 3,  -3});
  CHECK(transposed({.filters = 1, .kernel_size = 2, .dilation_rate = 2}, {2, 2, 1}) ==
        std::vector<double>{6, 3, 4, 2, 0, -3, 0, -2, 2, 1, 0, 0, 0, -1, 0, 0});
}

TEST_CASE("Conv2DTranspose's shapes, names and parameters are Keras's") {
  const Node x = Input({7, 5, 6});
  CHECK(Conv2DTranspose{.filters = 8, .kernel_size = 3}(x).shape() == Shape{9, 7, 8});
  CHECK(Conv2DTranspose{.filters = 8, .kernel_size = 3, .strides = 2}(x).shape() == Shape{15, 11, 8});
  CHECK(Conv2DTranspose{.filters = 8, .kernel_size = 2, .strides = 3}(x).shape() == Shape{21, 15, 8});
  CHECK(Conv2DTranspose{.filters = 8, .kernel_size = 5, .strides = 2, .padding = Padding::same}(x).shape() ==
        Shape{14, 10, 8});
  CHECK(Conv2DTranspose{.filters = 8, .kernel_size = {3, 1}, .dilation_rate = {4, 1}}(x).shape() == Shape{15, 5, 8});
  const Node y = Conv2DTranspose{.filters = 2, .kernel_size = 3}(x);
  CHECK(sort_graph(x, y).names[1] == "conv2d_transpose");
  const Shape input = x.shape();
  const auto specs = Conv2DTranspose{.filters = 4, .kernel_size = {3, 5}}.make<float>({&input, 1})->parameters();
  REQUIRE(specs.size() == 2);
  CHECK(specs[0].shape == Shape{3, 5, 4, 6});
  CHECK(specs[1].shape == Shape{4});
}

TEST_CASE("Conv2DTranspose says what is wrong") {
  const Node x = Input({5, 5, 3});
  CHECK_THROWS_WITH_AS((void)(Conv2DTranspose{.kernel_size = 3}(x)), doctest::Contains("filters of 1 or more, got 0"),
                       OptionError);
  CHECK_THROWS_WITH_AS((void)(Conv2DTranspose{.filters = 2, .kernel_size = 3, .strides = 2, .dilation_rate = 2}(x)),
                       doctest::Contains("not both"), OptionError);
  CHECK_THROWS_WITH_AS((void)(Conv2DTranspose{.filters = 2, .kernel_size = 3}(Input({5}))),
                       doctest::Contains("(height, width, channels)"), ShapeError);
}
