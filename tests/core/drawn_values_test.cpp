#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include <mien/initializers/initializer.hpp>

using namespace mien;

namespace {

std::vector<double> values_of(const Initializer& initializer, const Shape& shape) {
  std::vector<double> values(static_cast<std::size_t>(shape.size()));
  initialize(initializer, shape, {.seed = 11}, std::span<double>(values));
  return values;
}

double largest(const std::vector<double>& values) {
  double most = 0;
  for (const double value : values) most = std::max(most, std::abs(value));
  return most;
}

double mean_square(const std::vector<double>& values) {
  double sum = 0;
  for (const double value : values) sum += value * value;
  return sum / static_cast<double>(values.size());
}

}  // namespace

TEST_CASE("fans are counted as Keras counts them") {
  CHECK(compute_fans({3, 3, 3, 64}).in == 27);
  CHECK(compute_fans({3, 3, 3, 64}).out == 576);
  CHECK(compute_fans({100, 10}).in == 100);
  CHECK(compute_fans({100, 10}).out == 10);
  CHECK(compute_fans({5}).in == 5);
}

TEST_CASE("glorot_uniform of (3, 3, 3, 64): within its limit, up to it, and even") {
  const double limit = std::sqrt(6.0 / (27 + 576));
  const std::vector<double> values = values_of(glorot_uniform, {3, 3, 3, 64});
  CHECK(largest(values) <= limit);
  CHECK(largest(values) > 0.99 * limit);
  // 1728 values: the mean square of U(-L, L) is L^2 / 3, its relative deviation sqrt(4 / 5 / 1728) = 2.2 %.
  CHECK(mean_square(values) == doctest::Approx(limit * limit / 3).epsilon(0.1));
}

TEST_CASE("he_normal: variance 2 / fan_in after the cut at two deviations") {
  const std::vector<double> values = values_of(he_normal, {3, 3, 32, 128});
  const double variance = 2.0 / (9 * 32);
  CHECK(mean_square(values) == doctest::Approx(variance).epsilon(0.03));
  const double cut = 2 * std::sqrt(variance) / 0.87962566103423978;
  CHECK(largest(values) <= cut);
  CHECK(largest(values) > 0.98 * cut);
}
