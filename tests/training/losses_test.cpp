#include <doctest/doctest.h>

#include <cmath>
#include <vector>

#include <mien/core/random.hpp>
#include <mien/losses/categorical_crossentropy.hpp>
#include <mien/losses/mean_squared_error.hpp>
#include <mien/losses/sparse_categorical_crossentropy.hpp>

using namespace mien;

namespace {

template <class T>
LossBatch<T> batch_of(std::int64_t samples, const std::vector<T>& p, const std::vector<T>& t) {
  return {.samples = samples,
          .width = static_cast<std::int64_t>(p.size()) / samples,
          .prediction = p.data(),
          .target = t.data(),
          .target_width = static_cast<std::int64_t>(t.size()) / samples};
}

double value(const Loss& loss, const std::vector<double>& p, const std::vector<double>& t, bool logits = false) {
  LossBatch<double> batch = batch_of<double>(1, p, t);
  batch.logits = logits;
  return loss->compute(batch);
}

/// Compares d_prediction with central differences of the mean loss.
void check_gradient(const Loss& loss, std::vector<double> p, const std::vector<double>& t,
                    const std::vector<double>& weight, bool logits) {
  const auto samples = static_cast<std::int64_t>(weight.size());
  std::vector<double> dp(p.size(), 99);
  LossBatch<double> batch = batch_of<double>(samples, p, t);
  batch.sample_weight = weight.data();
  batch.logits = logits;
  batch.d_prediction = dp.data();
  static_cast<void>(loss->compute(batch));
  batch.d_prediction = nullptr;
  for (std::size_t i = 0; i < p.size(); ++i) {
    const double h = 1e-6, at = p[i];
    p[i] = at + h;
    const double above = loss->compute(batch);
    p[i] = at - h;
    const double below = loss->compute(batch);
    p[i] = at;
    CAPTURE(i);
    CHECK(std::abs(dp[i] - (above - below) / (2 * h) / static_cast<double>(samples)) < 1e-6);
  }
}

std::vector<double> numbers(std::size_t n, double low, double high) {
  Random random({.seed = 3});
  std::vector<double> out(n);
  for (double& x : out) x = random.uniform(low, high);
  return out;
}

}  // namespace

TEST_CASE("categorical cross-entropy has Keras's values") {
  const Loss plain = CategoricalCrossentropy{}, smooth = CategoricalCrossentropy{.label_smoothing = 0.1};
  const std::vector<double> p{.7, .2, .1}, t{1, 0, 0};
  CHECK(value(plain, p, t) == doctest::Approx(0.35667494).epsilon(1e-8));
  CHECK(value(smooth, p, t) == doctest::Approx(0.46329738).epsilon(1e-8));
  CHECK(value(plain, {1.4, .4, .2}, t) == doctest::Approx(0.35667494).epsilon(1e-8));  // renormalised
  CHECK(value(plain, {0, 1, 0}, t) == doctest::Approx(16.1180957).epsilon(1e-8));      // clipped
  CHECK(value(SparseCategoricalCrossentropy{}, p, {0}) == doctest::Approx(0.35667494).epsilon(1e-6));
}

TEST_CASE("logits and probabilities agree, also for huge logits") {
  const std::vector<double> z{2, -1, 0.5}, t{0, 0, 1};
  std::vector<double> p(3);
  for (std::size_t k = 0; k < 3; ++k) p[k] = std::exp(z[k]) / (std::exp(2.0) + std::exp(-1.0) + std::exp(0.5));
  const double expected = value(CategoricalCrossentropy{}, p, t);
  CHECK(value(CategoricalCrossentropy{.from_logits = true}, z, t) == doctest::Approx(expected).epsilon(1e-12));
  CHECK(value(CategoricalCrossentropy{}, z, t, true) == doctest::Approx(expected).epsilon(1e-12));
  CHECK(value(SparseCategoricalCrossentropy{}, z, {2}, true) == doctest::Approx(expected).epsilon(1e-12));
  CHECK(value(SparseCategoricalCrossentropy{.from_logits = true}, {1000, 0, -1000}, {2}) == 2000);
}

TEST_CASE("only a loss that takes probabilities fuses the softmax") {
  CHECK(Loss(CategoricalCrossentropy{})->fuses_softmax());
  CHECK_FALSE(Loss(CategoricalCrossentropy{.from_logits = true})->fuses_softmax());
  CHECK_FALSE(Loss(MeanSquaredError{})->fuses_softmax());
  CHECK(Loss(SparseCategoricalCrossentropy{})->target_width(7) == 1);
  CHECK(Loss(CategoricalCrossentropy{})->target_width(7) == 7);
}

TEST_CASE("gradients of losses") {
  const std::vector<double> weight{1, 0.5, 2}, one_hot{0, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 1}, classes{1, 0, 3};
  const std::vector<double> p = numbers(12, 0.05, 0.6), z = numbers(12, -3, 3);
  for (const double a : {0.0, 0.1}) {
    check_gradient(CategoricalCrossentropy{.label_smoothing = a}, p, one_hot, weight, false);
    check_gradient(CategoricalCrossentropy{.label_smoothing = a}, z, one_hot, weight, true);
    check_gradient(CategoricalCrossentropy{.from_logits = true, .label_smoothing = a}, z, one_hot, weight, false);
  }
  check_gradient(CategoricalCrossentropy{}, z, numbers(12, 0, 1), weight, true);  // soft targets of any sum
  check_gradient(SparseCategoricalCrossentropy{}, p, classes, weight, false);
  check_gradient(SparseCategoricalCrossentropy{}, z, classes, weight, true);
  check_gradient(MeanSquaredError{}, z, p, weight, false);
  // Clipped probabilities take no gradient through the clip.
  check_gradient(CategoricalCrossentropy{}, {-0.1, 0.5, 0.3, 0.2}, {1, 0, 0, 0}, {1}, false);
  check_gradient(SparseCategoricalCrossentropy{}, {-0.5, 0.5, 1.3, 0.2}, {1}, {1}, false);
}

TEST_CASE("the gradient of a fused softmax is p - t") {
  std::vector<float> z{0, 0, 0, 0}, t{0, 0, 1, 0}, dz(4);
  LossBatch<float> batch = batch_of<float>(1, z, t);
  batch.logits = true;
  batch.d_prediction = dz.data();
  CHECK(Loss(CategoricalCrossentropy{})->compute(batch) == doctest::Approx(std::log(4.0)));
  CHECK(dz == std::vector<float>{.25F, .25F, -.75F, .25F});
}

TEST_CASE("losses have the same bits for any number of threads") {
  const std::vector<double> z = numbers(1001 * 40, -3, 3), t = numbers(1001 * 40, 0, 1);
  for (const Loss& loss : {Loss(CategoricalCrossentropy{.from_logits = true}), Loss(MeanSquaredError{})}) {
    LossBatch<double> batch = batch_of<double>(1001, z, t);
    const double one = loss->compute(batch);
    for (const int threads : {2, 3, 7}) {
      batch.threads = threads;
      CHECK(loss->compute(batch) == one);
    }
  }
}

TEST_CASE("losses refuse targets that do not fit") {
  CHECK_THROWS_AS(value(CategoricalCrossentropy{}, {.5, .5}, {1}), ShapeError);
  CHECK_THROWS_AS(value(SparseCategoricalCrossentropy{}, {.5, .5}, {1, 0}), ShapeError);
  CHECK_THROWS_WITH_AS(value(SparseCategoricalCrossentropy{}, {.5, .5}, {2}),
                       doctest::Contains("class numbers from 0 to 1, got 2 for sample 0"), OptionError);
  CHECK_THROWS_AS(value(SparseCategoricalCrossentropy{}, {.5, .5}, {-1}), OptionError);
  CHECK_THROWS_AS(value(SparseCategoricalCrossentropy{}, {.5, .5}, {0.5}), OptionError);
  CHECK_THROWS_AS(value(SparseCategoricalCrossentropy{}, {.5, .5}, {std::nan("")}), OptionError);
}

namespace {
struct TotalError {
  static constexpr const char* type = "TotalError";
  static constexpr const char* name = "total_error";
  template <class T>
  double compute(const LossBatch<T>& batch) const {
    double sum = 0;
    for (std::int64_t i = 0; i < batch.samples * batch.width; ++i)
      sum += std::abs(static_cast<double>(batch.prediction[i] - batch.target[i]));
    return sum;
  }
};
}  // namespace

TEST_CASE("losses refuse options out of their range") {
  for (const double smoothing : {-0.1, 1.5, std::nan("")})
    CHECK_THROWS_WITH_AS(Loss(CategoricalCrossentropy{.label_smoothing = smoothing}),
                         doctest::Contains("loss CategoricalCrossentropy: label_smoothing is in [0, 1], got "),
                         OptionError);
  CHECK_NOTHROW(Loss(CategoricalCrossentropy{.label_smoothing = 1}));
}

TEST_CASE("a user's struct is a loss") {
  const Loss loss = TotalError{};
  CHECK(loss->type() == "TotalError");
  CHECK(value(loss, {1, 2}, {3, 5}) == 5);
  CHECK(loss->target_width(2) == 2);
}
