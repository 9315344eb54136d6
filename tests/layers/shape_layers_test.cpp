// UpSampling2D, Reshape, LeakyReLU.

#include <doctest/doctest.h>

#include <mien/layers/input.hpp>
#include <mien/layers/leaky_relu.hpp>
#include <mien/layers/reshape.hpp>
#include <mien/layers/up_sampling2d.hpp>
#include <mien/testing/check_layer.hpp>

#include "one_layer.hpp"

using namespace mien;
using mien::testing::check_layer;

TEST_CASE("UpSampling2D, Reshape and LeakyReLU keep what a layer promises") {
  check_layer(UpSampling2D{}, {{3, 2, 3}});
  check_layer(UpSampling2D{.size = {3, 1}}, {{2, 3, 17}});
  check_layer(UpSampling2D{.size = 2, .interpolation = "bilinear"}, {{3, 4, 2}});
  check_layer(UpSampling2D{.size = {3, 5}, .interpolation = "bilinear"}, {{2, 1, 19}});
  check_layer(Reshape{.target_shape = {2, -1}}, {{3, 2, 4}});
  check_layer(LeakyReLU{}, {{3, 2, 4}});
  check_layer(LeakyReLU{.negative_slope = 0}, {{7}});
}

TEST_CASE("UpSampling2D by hand") {
  const auto nearest = test::run(UpSampling2D{.size = {1, 2}}, {1, 2, 2}, {1, 10, 2, 20}, {1, 2, 3, 4, 5, 6, 7, 8});
  CHECK(nearest.output == std::vector<double>{1, 10, 1, 10, 2, 20, 2, 20});
  CHECK(nearest.d_inputs[0] == std::vector<double>{4, 6, 12, 14});
  const UpSampling2D twice{.size = {1, 2}, .interpolation = "bilinear"};
  const auto line = test::run(twice, {1, 2, 1}, {1, 2}, {1, 2, 4, 8});
  CHECK(line.output == std::vector<double>{1, 1.25, 1.75, 2});
  CHECK(line.d_inputs[0] == std::vector<double>{1 + 1.5 + 1, 0.5 + 3 + 8});
  const UpSampling2D square{.size = 2, .interpolation = "bilinear"};
  const auto plane = test::run(square, {2, 2, 1}, {0, 4, 8, 12});
  CHECK(plane.output == std::vector<double>{0, 1, 3, 4, 2, 3, 5, 6, 6, 7, 9, 10, 8, 9, 11, 12});
}

TEST_CASE("Reshape's shapes, and what it refuses") {
  const Node x = Input({8, 8, 4});
  CHECK(Reshape{.target_shape = {-1, 16}}(x).shape() == Shape{16, 16});
  CHECK(Reshape{.target_shape = {256}}(x).shape() == Shape{256});
  CHECK(Reshape{.target_shape = {2, 2, -1, 4}}(x).shape() == Shape{2, 2, 16, 4});
  CHECK_THROWS_WITH_AS(static_cast<void>(Reshape{.target_shape = {-1, 7}, .name = "r"}(x)),
                       "layer 'r' (Reshape) cannot give its input of shape (8, 8, 4), 256 numbers, the target_shape "
                       "(-1, 7)",
                       ShapeError);
  CHECK_THROWS_AS(static_cast<void>(Reshape{}(x)), OptionError);
  CHECK_THROWS_AS(static_cast<void>(Reshape{.target_shape = {-1, -1}}(x)), OptionError);
  CHECK_THROWS_AS(static_cast<void>(Reshape{.target_shape = {0}}(x)), OptionError);
}

TEST_CASE("LeakyReLU's slope; what LeakyReLU and UpSampling2D refuse") {
  CHECK(test::run(LeakyReLU{}, {3}, {-10, 0, 2}, {}, {.activation = leaky_relu(0.3)}).output ==
        std::vector<double>{-3, 0, 2});
  const Node x = Input({2, 2, 3});
  CHECK_THROWS_AS(static_cast<void>(LeakyReLU{.negative_slope = -1}(x)), OptionError);
  CHECK_THROWS_AS(static_cast<void>(UpSampling2D{.size = 0}(x)), OptionError);
  CHECK_THROWS_WITH_AS(static_cast<void>(UpSampling2D{.interpolation = "cubic", .name = "u"}(x)),
                       "layer 'u' (UpSampling2D) expected the interpolation 'nearest' or 'bilinear', got 'cubic'",
                       OptionError);
}
