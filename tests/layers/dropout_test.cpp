#include <doctest/doctest.h>

#include <limits>

#include <mien/layers/dropout.hpp>
#include <mien/layers/input.hpp>
#include <mien/testing/check_layer.hpp>

using namespace mien;
using mien::testing::check_layer;

namespace {

/// Ones through Dropout in training.
Tensor<float> dropped(const Dropout& options, const RandomKey& random, std::int64_t n = 40000) {
  const Shape shape{n};
  Tensor<float> x({1, n});
  std::fill(x.begin(), x.end(), 1.0F);
  const TensorView<const float> inputs[] = {x};
  options.make<float>({&shape, 1})->forward({{.batch = 1, .training = true, .random = random}, inputs, x, {}});
  return x;
}

}  // namespace

TEST_CASE("Dropout keeps what a layer promises") {
  for (const double rate : {0.0, 0.25, 0.9, 1.0}) check_layer(Dropout{rate}, {{3, 5}});
  check_layer(Dropout{.rate = 0.5, .seed = 11}, {{2, 3, 4}});
}

TEST_CASE("Dropout drops its share and scales the rest") {
  const Tensor<float> y = dropped({0.25}, {.seed = 1});
  std::int64_t dropped_ones = 0;
  for (const float value : y) {
    dropped_ones += value == 0 ? 1 : 0;
    CHECK_UNARY(value == 0 || value == 1 / 0.75F);
  }
  CHECK(std::abs(static_cast<double>(dropped_ones) / 40000 - 0.25) < 0.01);  // 4.6 deviations
}

TEST_CASE("Dropout's ends: nothing, everything") {
  for (const float value : dropped({0.0}, {}, 100)) CHECK(value == 1);
  for (const float value : dropped({1.0}, {}, 100)) CHECK(value == 0);
}

TEST_CASE("Dropout's mask is a function of seed, layer and step") {
  const auto same = [](const Tensor<float>& a, const Tensor<float>& b) {
    return std::equal(a.begin(), a.end(), b.begin());
  };
  const RandomKey key{.seed = 1, .purpose = 2, .step = 3}, other{.seed = 9, .purpose = 2, .step = 3};
  CHECK(same(dropped({0.5}, key, 200), dropped({0.5}, key, 200)));
  CHECK_FALSE(same(dropped({0.5}, key, 200), dropped({0.5}, other, 200)));
  CHECK_FALSE(same(dropped({0.5}, key, 200), dropped({0.5}, {.seed = 1, .purpose = 4, .step = 3}, 200)));
  CHECK_FALSE(same(dropped({0.5}, key, 200), dropped({0.5}, {.seed = 1, .purpose = 2, .step = 4}, 200)));
  CHECK(same(dropped({.rate = 0.5, .seed = 6}, key, 200), dropped({.rate = 0.5, .seed = 6}, other, 200)));
}

TEST_CASE("Dropout says what is wrong") {
  const Node x = Input({4});
  CHECK_THROWS_WITH_AS(static_cast<void>(Dropout{1.5}(x)), "layer Dropout expected a rate in 0 ... 1, got 1.5",
                       OptionError);
  CHECK_THROWS_WITH_AS(static_cast<void>(Dropout{.name = "d"}(x)),
                       "layer 'd' (Dropout) expected a rate in 0 ... 1, got -1", OptionError);
  CHECK_THROWS_AS(static_cast<void>(Dropout{std::numeric_limits<double>::quiet_NaN()}(x)), OptionError);
}
