#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <vector>

#include <every_isa.hpp>
#include <mien/core/random.hpp>
#include <mien/optimizers/adam.hpp>
#include <mien/optimizers/adamw.hpp>
#include <mien/optimizers/clipping.hpp>
#include <mien/optimizers/sgd.hpp>

using namespace mien;

namespace {

/// Parameters with gradients and state of their own, and steps over them.
template <class T>
struct Fixture {
  struct Parameter {
    std::vector<T> w, g;
    std::vector<T> slots[3];
  };
  std::vector<Parameter> parameters;
  std::vector<ParameterSegment<T>> segments;

  explicit Fixture(const std::vector<std::int64_t>& sizes) : parameters(sizes.size()) {
    Random random({.seed = 5});
    for (std::size_t i = 0; i < sizes.size(); ++i) {
      Parameter& p = parameters[i];
      const auto n = static_cast<std::size_t>(sizes[i]);
      for (auto* values : {&p.w, &p.g, &p.slots[0], &p.slots[1], &p.slots[2]}) values->resize(n);
      for (T& x : p.w) x = static_cast<T>(random.uniform(-1, 1));
      for (T& x : p.g) x = static_cast<T>(random.uniform(-1, 1));
      segments.push_back({.n = sizes[i],
                          .value = p.w.data(),
                          .gradient = p.g.data(),
                          .slots = {p.slots[0].data(), p.slots[1].data(), p.slots[2].data()}});
    }
  }

  void step(const Optimizer& optimizer, int threads = 1, int steps = 1) {
    for (int i = 1; i <= steps; ++i) {
      OptimizerStep step{.iteration = i, .learning_rate = optimizer->learning_rate()};
      apply_clipping<T>(optimizer->clipping(), step, segments, threads);
      optimizer->update(step, segments, threads);
    }
  }
};

/// The values after each of `steps` steps of one parameter with value 1 and a constant gradient.
std::vector<double> run(const Optimizer& optimizer, double gradient, int steps, double l1 = 0, double l2 = 0) {
  Fixture<double> fixture({1});
  fixture.parameters[0].w = {1};
  fixture.parameters[0].g = {gradient};
  fixture.segments[0].l1 = l1;
  fixture.segments[0].l2 = l2;
  std::vector<double> values;
  for (int i = 1; i <= steps; ++i) {
    OptimizerStep step{.iteration = i, .learning_rate = optimizer->learning_rate()};
    apply_clipping<double>(optimizer->clipping(), step, fixture.segments, 1);
    optimizer->update(step, fixture.segments, 1);
    values.push_back(fixture.parameters[0].w[0]);
  }
  return values;
}

void check_close(const std::vector<double>& values, const std::vector<double>& expected) {
  REQUIRE(values.size() == expected.size());
  for (std::size_t i = 0; i < values.size(); ++i) CHECK(std::abs(values[i] - expected[i]) < 1e-15);
}

}  // namespace

TEST_CASE("Adam has Keras's values") {
  check_close(run(Adam{}, 0.1, 3), {0.9990000316217766, 0.9980000539875484, 0.9970000722537659});
}

TEST_CASE("AMSGrad keeps the largest v") {
  // A gradient of 1, then of 0: v falls, its maximum does not.
  Fixture<double> fixture({1});
  fixture.parameters[0].w = {1};
  fixture.parameters[0].g = {1};
  const Optimizer optimizer = Adam{.learning_rate = 0.1, .beta_1 = 0.5, .beta_2 = 0.5, .epsilon = 0, .amsgrad = true};
  REQUIRE(optimizer->slots() == 3);
  optimizer->update({.iteration = 1, .learning_rate = 0.1}, fixture.segments, 1);
  fixture.parameters[0].g = {0};
  optimizer->update({.iteration = 2, .learning_rate = 0.1}, fixture.segments, 1);
  CHECK(fixture.parameters[0].slots[1][0] == 0.25);
  CHECK(fixture.parameters[0].slots[2][0] == 0.5);
  const double second = 0.1 * std::sqrt(0.75) / 0.75 * 0.25 / std::sqrt(0.5);
  CHECK(fixture.parameters[0].w[0] == doctest::Approx(1 - 0.1 - second).epsilon(1e-14));
}

TEST_CASE("SGD: plain, momentum, Nesterov") {
  check_close(run(SGD{.learning_rate = 0.5}, 0.25, 2), {0.875, 0.75});
  check_close(run(SGD{.learning_rate = 0.5, .momentum = 0.5}, 0.25, 3), {0.875, 0.6875, 0.46875});
  check_close(run(SGD{.learning_rate = 0.5, .momentum = 0.5, .nesterov = true}, 0.25, 2), {0.8125, 0.59375});
  CHECK(Optimizer(SGD{})->slots() == 0);
  CHECK(Optimizer(SGD{.momentum = 0.9})->slots() == 1);
}

TEST_CASE("weight decay comes before the step, and can be excluded") {
  check_close(run(SGD{.learning_rate = 0.5, .weight_decay = 0.5}, 0.25, 1), {0.625});
  const double adam = run(Adam{}, 0.1, 1)[0];
  CHECK(run(AdamW{}, 0.1, 1)[0] == doctest::Approx(adam - 0.004 * 0.001).epsilon(1e-15));
  Fixture<double> fixture({1});
  fixture.parameters[0].w = {1};
  fixture.parameters[0].g = {0.1};
  fixture.segments[0].decays = false;
  fixture.step(AdamW{});
  CHECK(fixture.parameters[0].w[0] == adam);

  const Optimizer some = AdamW{.exclude_from_weight_decay = "bias,gamma"};
  CHECK_FALSE(some->decays("conv_1/bias"));
  CHECK_FALSE(some->decays("bn/gamma"));
  CHECK(some->decays("conv_1/kernel"));
  CHECK(Optimizer(AdamW{})->decays("conv_1/bias"));
}

TEST_CASE("the regularizer's gradient is part of the gradient") {
  check_close(run(SGD{.learning_rate = 1}, 0.25, 1, 0.125, 0.0625), {1 - 0.25 - 0.125 - 0.125});
  check_close(run(SGD{.learning_rate = 1, .clipvalue = 0.375}, 0.25, 1, 0.125, 0.0625), {0.625});
  check_close(run(SGD{.learning_rate = 1, .clipnorm = 0.25}, 0.25, 1, 0.125, 0.0625), {0.75});
}

TEST_CASE("clipping by norm: each parameter, or all together") {
  Fixture<double> fixture({2, 1});
  const auto step = [&](const Optimizer& optimizer) {
    fixture.parameters[0].w = {0, 0};
    fixture.parameters[0].g = {3, 4};
    fixture.parameters[1].w = {0};
    fixture.parameters[1].g = {12};
    for (auto& segment : fixture.segments) segment.gradient_scale = 1;
    fixture.step(optimizer);
  };
  step(SGD{.learning_rate = 1, .clipnorm = 10});
  CHECK(fixture.parameters[0].w == std::vector<double>{-3, -4});
  CHECK(fixture.parameters[1].w == std::vector<double>{-10});
  step(SGD{.learning_rate = 1, .global_clipnorm = 6.5});
  CHECK(fixture.parameters[0].w == std::vector<double>{-1.5, -2});
  CHECK(fixture.parameters[1].w == std::vector<double>{-6});
  step(SGD{.learning_rate = 1, .clipvalue = 3.5});
  CHECK(fixture.parameters[0].w == std::vector<double>{-3, -3.5});
  CHECK_THROWS_AS(Optimizer(Adam{.clipnorm = 1, .clipvalue = 1}), OptionError);
  CHECK_THROWS_AS(Optimizer(Adam{.clipnorm = -1}), OptionError);
}

TEST_CASE("optimizers refuse options out of their range") {
  for (const double rate : {-1.0, std::nan(""), std::numeric_limits<double>::infinity()})
    CHECK_THROWS_WITH_AS(Optimizer(Adam{.learning_rate = rate}),
                         doctest::Contains("optimizer Adam: learning_rate is a finite number of at least 0, got "),
                         OptionError);
  CHECK_THROWS_WITH_AS(Optimizer(AdamW{.beta_2 = 1}), doctest::Contains("optimizer AdamW: beta_2 is in [0, 1), got 1"),
                       OptionError);
  CHECK_THROWS_WITH_AS(Optimizer(SGD{.momentum = -0.5}), doctest::Contains("momentum is in [0, 1), got -0.5"),
                       OptionError);
  CHECK_NOTHROW(Optimizer(SGD{.learning_rate = 0}));
}

TEST_CASE("a NaN gradient is not hidden by clipvalue") {
  CHECK(std::isnan(run(SGD{.clipvalue = 1}, std::numeric_limits<double>::quiet_NaN(), 1)[0]));
}

TEST_CASE("any number of threads gives the same bits, any instruction set nearly so") {
  // 1, 17 and 40000: vector tails, and parameters that share or cross pieces.
  const std::vector<std::int64_t> sizes{1, 40000, 17, 16384, 3, 33333};
  for (const Optimizer& optimizer :
       {Optimizer(Adam{.global_clipnorm = 1}), Optimizer(Adam{.amsgrad = true, .clipnorm = 0.5}),
        Optimizer(AdamW{.clipvalue = 0.3}), Optimizer(SGD{.momentum = 0.9, .nesterov = true}), Optimizer(SGD{})}) {
    Fixture<double> exact(sizes);
    exact.step(optimizer, 1, 3);
    for_each_isa([&] {
      Fixture<float> one(sizes);
      one.step(optimizer, 1, 3);
      double worst = 0;
      for (std::size_t p = 0; p < sizes.size(); ++p)
        for (std::size_t i = 0; i < one.parameters[p].w.size(); ++i)
          worst = std::max(worst, std::abs(exact.parameters[p].w[i] - static_cast<double>(one.parameters[p].w[i])));
      CHECK(worst < 2e-6);
      for (const int threads : {2, 3, 7}) {
        Fixture<float> many(sizes);
        many.step(optimizer, threads, 3);
        for (std::size_t p = 0; p < sizes.size(); ++p) CHECK(many.parameters[p].w == one.parameters[p].w);
      }
    });
  }
}

TEST_CASE("a parameter's bits do not depend on its neighbours") {
  Fixture<float> alone({1000}), behind({1000, 7});
  alone.step(Adam{}, 1, 2);
  behind.step(Adam{}, 3, 2);
  CHECK(alone.parameters[0].w == behind.parameters[0].w);
}
