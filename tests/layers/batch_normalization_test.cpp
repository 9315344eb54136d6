#include <doctest/doctest.h>

#include <cmath>
#include <vector>

#include <mien/layers/batch_normalization.hpp>
#include <mien/testing/check_layer.hpp>

#include "one_layer.hpp"

using namespace mien;
using mien::test::run;
using Values = std::vector<double>;

namespace {
// Mean 4, variance 5: with epsilon 4 the root is 3.
const Values four{1, 3, 5, 7};

void check_close(const Values& values, const Values& expected) {
  REQUIRE(values.size() == expected.size());
  for (std::size_t i = 0; i < values.size(); ++i) CHECK(values[i] == doctest::Approx(expected[i]).epsilon(1e-14));
}
}  // namespace

TEST_CASE("batch normalisation in training: batch statistics, moving ones follow") {
  const auto result =
      run(BatchNormalization{.momentum = 0.75, .epsilon = 4}, {2, 1}, four, {}, {}, {{6}, {1}, {10}, {3}});
  check_close(result.output, {-5, -1, 3, 7});
  CHECK(result.parameters[2] == Values{0.75 * 10 + 0.25 * 4});
  CHECK(result.parameters[3] == Values{0.75 * 3 + 0.25 * 5});
  CHECK(result.parameters[0] == Values{6});
}

TEST_CASE("with bessel, moving_variance takes n / (n - 1) of the variance") {
  const auto result = run(BatchNormalization{.momentum = 0.5, .epsilon = 4, .bessel = true}, {2, 1}, four, {}, {},
                          {{6}, {1}, {0}, {1}});
  check_close(result.output, {-5, -1, 3, 7});
  check_close(result.parameters[3], {0.5 + 0.5 * 5 * 4 / 3});
}

TEST_CASE("inference and frozen layers use moving statistics, and leave them") {
  const std::vector<Values> parameters{{6}, {1}, {3}, {5}};
  for (const testing::LayerSetup& setup :
       {testing::LayerSetup{.training = false}, testing::LayerSetup{.trainable = false}}) {
    const auto result = run(BatchNormalization{.epsilon = 4}, {2, 1}, four, {3, 6, 9, 12}, setup, parameters);
    check_close(result.output, {-3, 1, 5, 9});
    check_close(result.d_inputs[0], {6, 12, 18, 24});
    CHECK(result.parameters[2] == Values{3});
    CHECK(result.parameters[3] == Values{5});
  }
}

TEST_CASE("gradients of batch normalisation") {
  // dt = (1, 0, 0, 0): sums 1 and -3 over (x - mean) = (-3, -1, 1, 3); k = 6 / 3.
  const auto result = run(BatchNormalization{.epsilon = 4}, {2, 1}, four, {1, 0, 0, 0}, {}, {{6}, {1}, {0}, {1}});
  check_close(result.d_parameters[0], {-1});
  check_close(result.d_parameters[1], {1});
  const double k = 2, n = 4, s = -3.0 / 9;
  check_close(result.d_inputs[0], {k * (1 - 1 / n - -3 * s / n), k * (-1 / n - -1 * s / n), k * (-1 / n - 1 * s / n),
                                   k * (-1 / n - 3 * s / n)});
}

TEST_CASE("a fused relu is applied and differentiated") {
  const testing::LayerSetup setup{.activation = relu};
  const std::vector<Values> parameters{{6}, {1}, {0}, {1}};
  const auto fused = run(BatchNormalization{.epsilon = 4}, {2, 1}, four, {1, 2, 3, 4}, setup, parameters);
  const auto plain = run(BatchNormalization{.epsilon = 4}, {2, 1}, four, {0, 0, 3, 4}, {}, parameters);
  check_close(fused.output, {0, 0, 3, 7});
  CHECK(fused.d_inputs[0] == plain.d_inputs[0]);
  CHECK(fused.d_parameters[0] == plain.d_parameters[0]);
}

TEST_CASE("parameters are Keras's, absent ones are absent") {
  const Shape x{3, 3, 8};
  const auto names = [&](const BatchNormalization& options) {
    std::string all;
    for (const ParameterSpec& spec : options.make<float>(std::span(&x, 1))->parameters())
      all += spec.name + (spec.trainable ? "+ " : "- ");
    return all;
  };
  CHECK(names({}) == "gamma+ beta+ moving_mean- moving_variance- ");
  CHECK(names({.center = false}) == "gamma+ moving_mean- moving_variance- ");
  CHECK(names({.scale = false}) == "beta+ moving_mean- moving_variance- ");
  CHECK(names({.center = false, .scale = false}) == "moving_mean- moving_variance- ");
}

TEST_CASE("as_affine is inference") {
  const Shape x{2};
  const auto layer = BatchNormalization{.epsilon = 4}.make<double>(std::span(&x, 1));
  Tensor<double> gamma({2}, {6, 3}), beta({2}, {1, 2}), mean({2}, {3, -1}), variance({2}, {5, 0});
  const std::vector<TensorView<double>> parameters{gamma.view(), beta.view(), mean.view(), variance.view()};
  Values scale(2), shift(2);
  CHECK(layer->as_affine(parameters, scale, shift));
  check_close(scale, {2, 1.5});
  check_close(shift, {-5, 3.5});
  CHECK(layer->as_affine({}, {}, {}));
}

TEST_CASE("batch normalisation reads its output only for activations that it cannot work out again") {
  const Shape x{2};
  const auto layer = BatchNormalization{}.make<float>(std::span(&x, 1));
  CHECK_FALSE(layer->needs(relu).output);
  CHECK_FALSE(layer->needs(linear).output);
  CHECK(layer->needs(sigmoid).output);
  CHECK(layer->needs(relu).inputs);
}

TEST_CASE("batch normalisation refuses what it cannot do") {
  const Shape x{4, 4, 3};
  const auto shape = [&](const BatchNormalization& options) { return options.output_shape(std::span(&x, 1)); };
  CHECK(shape({.axis = 3}) == x);
  CHECK_THROWS_AS(shape({.axis = 1}), OptionError);
  CHECK_THROWS_AS(shape({.momentum = 1.5}), OptionError);
  CHECK_THROWS_AS(shape({.epsilon = 0}), OptionError);
}

TEST_CASE("batch normalisation keeps the contract of layers") {
  testing::check_layer(BatchNormalization{}, {{3, 2, 5}});
  testing::check_layer(BatchNormalization{.epsilon = 1.001e-5, .center = false, .bessel = true}, {{4, 3, 19}});
  testing::check_layer(BatchNormalization{.center = false, .scale = false}, {{7}});
}
