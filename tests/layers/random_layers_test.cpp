#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include <mien/layers/random_flip.hpp>
#include <mien/layers/random_rotation.hpp>
#include <mien/layers/random_translation.hpp>
#include <mien/testing/check_layer.hpp>

#include "one_layer.hpp"

using namespace mien;
using mien::test::run;
using Values = std::vector<double>;

namespace {

/// The same picture `samples` times.
Values repeated(const Values& picture, int samples) {
  Values all;
  for (int i = 0; i < samples; ++i) all.insert(all.end(), picture.begin(), picture.end());
  return all;
}

/// How many of the samples of an output are that picture.
std::int64_t count(const Values& output, const Values& picture) {
  std::int64_t found = 0;
  const auto size = static_cast<std::ptrdiff_t>(picture.size());
  for (auto at = output.begin(); at != output.end(); at += size)
    found += std::equal(picture.begin(), picture.end(), at);
  return found;
}

}  // namespace

TEST_CASE("random flips take each direction in half of the samples") {
  const Values x{1, 2, 3, 4}, across{2, 1, 4, 3}, down{3, 4, 1, 2}, both{4, 3, 2, 1};
  const Values horizontal = run(RandomFlip{.mode = "horizontal"}, {2, 2, 1}, repeated(x, 100)).output;
  CHECK(count(horizontal, x) + count(horizontal, across) == 100);
  CHECK(std::abs(count(horizontal, x) - 50) < 20);
  const Values vertical = run(RandomFlip{.mode = "vertical"}, {2, 2, 1}, repeated(x, 100)).output;
  CHECK(count(vertical, x) + count(vertical, down) == 100);
  const Values any = run(RandomFlip{}, {2, 2, 1}, repeated(x, 100)).output;
  for (const Values& picture : {x, across, down, both}) CHECK(count(any, picture) > 10);
  CHECK(count(any, x) + count(any, across) + count(any, down) + count(any, both) == 100);
}

TEST_CASE("random layers pass everything on in inference") {
  const Values x{1, 2, 3, 4, 5, 6};
  const testing::LayerSetup setup{.training = false};
  CHECK(run(RandomFlip{}, {1, 6, 1}, x, x, setup).output == x);
  CHECK(run(RandomRotation{.factor = 0.5}, {3, 2, 1}, x, x, setup).output == x);
  const auto moved = run(RandomTranslation{.height_factor = 0.5, .width_factor = 0.5}, {3, 2, 1}, x, x, setup);
  CHECK(moved.output == x);
  CHECK(moved.d_inputs[0] == x);
}

TEST_CASE("a translation shifts by at most the factor, down and up, and each sample by its own number") {
  const Values ramp{0, 1, 2, 3, 4, 5, 6, 7};
  const Values y =
      run(RandomTranslation{.height_factor = 0.25, .fill_mode = "nearest"}, {8, 1, 1}, repeated(ramp, 50)).output;
  double least = 9, most = -9;
  for (std::size_t n = 0; n < 50; ++n) {
    const double shift = 4 - y[8 * n + 4];  // a positive one moves down
    for (std::size_t h = 0; h < 8; ++h)
      CHECK(y[8 * n + h] == doctest::Approx(std::clamp(static_cast<double>(h) - shift, 0.0, 7.0)).epsilon(1e-12));
    least = std::min(least, shift);
    most = std::max(most, shift);
  }
  CHECK(least >= -2);
  CHECK(least < -1.5);
  CHECK(most < 2);
  CHECK(most > 1.5);
}

TEST_CASE("a rotation keeps the middle and turns counter-clockwise for positive numbers") {
  Values spot(25), expected_middle(25);
  spot[2 * 5 + 4] = 1;  // right of the middle
  spot[2 * 5 + 2] = 3;
  const Values y = run(RandomRotation{.factor = 0.1, .fill_mode = "constant"}, {5, 5, 1}, repeated(spot, 20)).output;
  const Random random({.seed = 5, .purpose = 1, .step = 2});  // the key that runs are made with
  for (std::size_t n = 0; n < 20; ++n) {
    const double turns = 0.1 * (2 * random.uniform_at(n) - 1);
    CHECK(y[25 * n + 12] == doctest::Approx(3));
    double above = 0, below = 0;
    for (std::size_t i = 3; i < 5; ++i) above += y[25 * n + i] + y[25 * n + 5 + i];
    for (std::size_t i = 3; i < 5; ++i) below += y[25 * n + 15 + i] + y[25 * n + 20 + i];
    if (std::abs(turns) > 0.01) CHECK((turns > 0 ? above : below) > (turns > 0 ? below : above));
  }
}

TEST_CASE("a half turn is both mirrors") {
  const Values x{1, 2, 3, 4, 5, 6};
  const kernels::AffineMap map{.row_0 = 1, .row_h = -1, .column_0 = 2, .column_w = -1};
  Values y(6);
  kernels::affine_forward(kernels::Picture{2, 3, 1}, map, kernels::Sampling{}, x.data(), y.data());
  CHECK(y == Values{6, 5, 4, 3, 2, 1});
}

TEST_CASE("random layers refuse unknown words") {
  const Shape x{4, 4, 3};
  const std::span<const Shape> shapes(&x, 1);
  CHECK_THROWS_AS(static_cast<void>(RandomFlip{.mode = "sideways"}.output_shape(shapes)), OptionError);
  CHECK_THROWS_AS(static_cast<void>(RandomRotation{.fill_mode = "mirror"}.output_shape(shapes)), OptionError);
  CHECK_THROWS_AS(static_cast<void>(RandomTranslation{.interpolation = "cubic"}.output_shape(shapes)), OptionError);
  CHECK_THROWS_AS(static_cast<void>(RandomTranslation{.height_factor = -0.1}.output_shape(shapes)), OptionError);
}

TEST_CASE("random layers keep the contract of layers") {
  testing::check_layer(RandomFlip{}, {{3, 4, 2}});
  testing::check_layer(RandomRotation{.factor = 0.2}, {{4, 5, 2}});
  testing::check_layer(RandomRotation{.factor = 0.2, .fill_mode = "wrap", .interpolation = "nearest"}, {{4, 5, 2}});
  testing::check_layer(
      RandomTranslation{.height_factor = 0.4, .width_factor = 0.3, .fill_mode = "constant", .fill_value = 2},
      {{4, 5, 2}});
}
