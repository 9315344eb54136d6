#include <doctest/doctest.h>

#include <vector>

#include <mien/layers/zero_padding2d.hpp>
#include <mien/testing/check_layer.hpp>

#include "one_layer.hpp"

using namespace mien;
using Values = std::vector<double>;

TEST_CASE("zero padding: {top, bottom, left, right}") {
  const auto result =
      mien::test::run(ZeroPadding2D{.padding = {1, 0, 0, 2}}, {1, 2, 1}, {5, 6}, {1, 2, 3, 4, 5, 6, 7, 8});
  CHECK(result.output == Values{0, 0, 0, 0, 5, 6, 0, 0});
  CHECK(result.d_inputs[0] == Values{5, 6});
}

TEST_CASE("zero padding: one number, two numbers, a wrong one") {
  const Shape x{48, 48, 3};
  CHECK(ZeroPadding2D{}.output_shape(std::span(&x, 1)) == Shape{50, 50, 3});
  CHECK(ZeroPadding2D{.padding = 3}.output_shape(std::span(&x, 1)) == Shape{54, 54, 3});
  CHECK(ZeroPadding2D{.padding = {1, 2}}.output_shape(std::span(&x, 1)) == Shape{50, 52, 3});
  CHECK_THROWS_AS(static_cast<void>(ZeroPadding2D{.padding = -1}.output_shape(std::span(&x, 1))), OptionError);
}

TEST_CASE("zero padding keeps the contract of layers") {
  testing::check_layer(ZeroPadding2D{}, {{3, 4, 2}});
  testing::check_layer(ZeroPadding2D{.padding = {1, 2, 0, 3}}, {{3, 4, 2}});
}
