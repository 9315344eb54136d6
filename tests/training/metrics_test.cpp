#include <doctest/doctest.h>

#include <vector>

#include <mien/losses/categorical_crossentropy.hpp>
#include <mien/metrics/accuracy.hpp>
#include <mien/metrics/confusion_matrix.hpp>

using namespace mien;

namespace {
double sum_over(const Metric& metric, std::int64_t samples, const std::vector<float>& p, const std::vector<float>& t) {
  return metric->sum_over(MetricBatch<float>{.samples = samples,
                                             .width = static_cast<std::int64_t>(p.size()) / samples,
                                             .prediction = p.data(),
                                             .target = t.data(),
                                             .target_width = static_cast<std::int64_t>(t.size()) / samples});
}
}  // namespace

TEST_CASE("accuracy counts by the shapes") {
  const std::vector<float> p{.1F, .7F, .2F, .6F, .3F, .1F, .2F, .2F, .1F};
  CHECK(sum_over(Accuracy{}, 3, p, {0, 1, 0, 0, 1, 0, 1, 0, 0}) == 2);
  CHECK(sum_over(Accuracy{}, 3, p, {1, 0, 1}) == 2);
  CHECK(sum_over(Accuracy{}, 4, {.6F, .5F, .4F, .9F}, {1, 0, 1, 0}) == 2);
  CHECK_THROWS_AS(sum_over(Accuracy{}, 3, p, {0, 1, 0, 0, 1, 0}), ShapeError);
  CHECK(Metric(Accuracy{})->name() == "accuracy");
  CHECK(Metric(Accuracy{})->higher_is_better());
}

TEST_CASE("a loss serves as a metric") {
  const Metric metric = CategoricalCrossentropy{};
  CHECK(metric->name() == "categorical_crossentropy");
  CHECK_FALSE(metric->higher_is_better());
  CHECK(sum_over(metric, 1, {.7F, .2F, .1F}, {1, 0, 0}) == doctest::Approx(0.35667494));
}

TEST_CASE("confusion matrix") {
  ConfusionMatrix matrix({"angry", "happy, or so", "sad"});
  matrix.add(0, 0, 3);
  matrix.add(0, 2);
  matrix.add(1, 1, 4);
  CHECK(matrix.total() == 8);
  CHECK(matrix.count(0, 2) == 1);
  CHECK(matrix.accuracy() == 7.0 / 8);
  CHECK(matrix.recall(0) == 3.0 / 4);
  CHECK(matrix.precision(0) == 1);
  CHECK(matrix.precision(2) == 0);
  CHECK(matrix.recall(2) == 0);  // no samples: 0, not NaN
  CHECK(matrix.f1(0) == 6.0 / 7);
  CHECK(matrix.to_csv() == "actual,angry,\"happy, or so\",sad\nangry,3,0,1\n\"happy, or so\",0,4,0\nsad,0,0,0\n");
  CHECK(matrix.to_string() ==
        "actual \\ predicted   angry  happy, or so   sad  recall\n"
        "angry                    3             0     1   75.0%\n"
        "happy, or so             0             4     0  100.0%\n"
        "sad                      0             0     0    0.0%\n"
        "precision           100.0%        100.0%  0.0%   87.5%\n");
  CHECK_THROWS_AS(matrix.add(3, 0), OptionError);
  CHECK_THROWS_AS(matrix.add(0, -1), OptionError);
  CHECK(ConfusionMatrix(2).names() == std::vector<std::string>{"0", "1"});
}
