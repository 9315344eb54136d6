#include <doctest/doctest.h>

#include <vector>

#include <mien/layers/average_pooling2d.hpp>
#include <mien/layers/global_average_pooling2d.hpp>
#include <mien/layers/global_max_pooling2d.hpp>
#include <mien/layers/max_pooling2d.hpp>
#include <mien/testing/check_layer.hpp>

#include "one_layer.hpp"

using namespace mien;
using mien::test::run;
using Values = std::vector<double>;

namespace {
template <class Options>
Shape shape_of(const Options& options, const Shape& input) {
  return options.output_shape(std::span(&input, 1));
}
}  // namespace

TEST_CASE("output shapes of pooling are Keras's") {
  CHECK(shape_of(MaxPooling2D{}, {48, 48, 64}) == Shape{24, 24, 64});
  CHECK(shape_of(MaxPooling2D{}, {3, 3, 512}) == Shape{1, 1, 512});
  CHECK(shape_of(MaxPooling2D{.pool_size = 3, .strides = 2}, {26, 26, 64}) == Shape{12, 12, 64});
  CHECK(shape_of(AveragePooling2D{.pool_size = 3, .strides = 2, .padding = Padding::same}, {5, 8, 1}) ==
        Shape{3, 4, 1});
  CHECK(shape_of(AveragePooling2D{.pool_size = {1, 2}}, {5, 8, 1}) == Shape{5, 4, 1});
  CHECK(shape_of(GlobalAveragePooling2D{}, {5, 8, 7}) == Shape{7});
  CHECK(shape_of(GlobalAveragePooling2D{.keepdims = true}, {5, 8, 7}) == Shape{1, 1, 7});
}

TEST_CASE("pooling refuses windows that do not fit, with names and numbers") {
  CHECK_THROWS_WITH_AS(shape_of(MaxPooling2D{.pool_size = 4, .name = "pool"}, {3, 9, 1}),
                       doctest::Contains("layer 'pool' (MaxPooling2D) has windows of (4, 4) that do not fit its input"),
                       ShapeError);
  CHECK_THROWS_AS(shape_of(MaxPooling2D{.pool_size = 0}, {3, 9, 1}), OptionError);
  CHECK_THROWS_AS(shape_of(AveragePooling2D{.strides = -1}, {3, 9, 1}), OptionError);
  CHECK_THROWS_AS(shape_of(MaxPooling2D{}, {9, 1}), ShapeError);
  CHECK_THROWS_AS(shape_of(GlobalAveragePooling2D{}, {0, 9, 1}), ShapeError);
}

TEST_CASE("max pooling: values, and the gradient at the first maximum") {
  const auto result = run(MaxPooling2D{}, {2, 4, 1}, {1, 5, 2, 2, 5, 0, 2, 1}, {10, 20});
  CHECK(result.output == Values{5, 2});
  CHECK(result.d_inputs[0] == Values{0, 10, 20, 0, 0, 0, 0, 0});
}

TEST_CASE("average pooling divides by the cells on the picture") {
  const auto result = run(AveragePooling2D{.pool_size = 2, .padding = Padding::same}, {3, 3, 1},
                          {1, 2, 3, 4, 5, 6, 7, 8, 9}, {4, 2, 2, 1});
  CHECK(result.output == Values{3, 4.5, 7.5, 9});
  CHECK(result.d_inputs[0] == Values{1, 1, 1, 1, 1, 1, 1, 1, 1});
}

TEST_CASE("global average pooling") {
  const auto result = run(GlobalAveragePooling2D{}, {2, 2, 2}, {1, 10, 2, 20, 3, 30, 6, 40}, {4, 8});
  CHECK(result.output == Values{3, 25});
  CHECK(result.d_inputs[0] == Values{1, 2, 1, 2, 1, 2, 1, 2});
}

TEST_CASE("global max pooling") {
  const auto result = run(GlobalMaxPooling2D{}, {2, 2, 2}, {1, 40, 2, 20, 6, 30, 6, 10}, {4, 8});
  CHECK(result.output == Values{6, 40});
  CHECK(result.d_inputs[0] == Values{0, 8, 0, 0, 4, 0, 0, 0});
  CHECK(shape_of(GlobalMaxPooling2D{.keepdims = true}, {5, 8, 7}) == Shape{1, 1, 7});
  CHECK_THROWS_AS(shape_of(GlobalMaxPooling2D{}, {9, 1}), ShapeError);
}

TEST_CASE("pooling keeps the contract of layers") {
  testing::check_layer(GlobalMaxPooling2D{}, {{5, 6, 3}});
  testing::check_layer(GlobalMaxPooling2D{.keepdims = true}, {{16, 17, 2}});
  testing::check_layer(MaxPooling2D{}, {{4, 6, 3}});
  testing::check_layer(MaxPooling2D{.pool_size = 3, .strides = 2, .padding = Padding::same}, {{5, 6, 19}});
  testing::check_layer(AveragePooling2D{.pool_size = {3, 2}, .strides = 1, .padding = Padding::same}, {{5, 6, 3}});
  testing::check_layer(AveragePooling2D{.pool_size = 2, .strides = 3}, {{5, 8, 17}});
  testing::check_layer(GlobalAveragePooling2D{}, {{5, 6, 3}});
  testing::check_layer(GlobalAveragePooling2D{.keepdims = true}, {{1, 1, 3}});
}
