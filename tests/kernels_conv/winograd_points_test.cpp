#include <doctest/doctest.h>

#include <cmath>
#include <string>
#include <vector>

#include <mien/kernels/conv/winograd/points.hpp>
#include <mien/kernels/conv/winograd/tiles.hpp>

using namespace mien::kernels;

namespace {

double wave(int i, double step) { return std::sin(1 + step * i); }

/// sum over j of matrix[i][j] * vector[j]
template <int rows, int columns>
std::vector<double> times(const double (&matrix)[rows][columns], const std::vector<double>& vector) {
  std::vector<double> result(rows);
  for (std::size_t i = 0; i < result.size(); ++i)
    for (std::size_t j = 0; j < vector.size(); ++j) result[i] += matrix[i][j] * vector[j];
  return result;
}

/// The same with the matrix transposed.
template <int rows, int columns>
std::vector<double> times_transposed(const double (&matrix)[rows][columns], const std::vector<double>& vector) {
  std::vector<double> result(columns);
  for (std::size_t i = 0; i < vector.size(); ++i)
    for (std::size_t j = 0; j < result.size(); ++j) result[j] += matrix[i][j] * vector[i];
  return result;
}

}  // namespace

TEST_CASE("winograd: outputs + 2 products give the outputs of three taps") {
  for (int outputs = 1; outputs <= winograd::max_outputs; ++outputs) {
    CAPTURE(outputs);
    const winograd::Matrices m = winograd::matrices(outputs);
    REQUIRE(m.points == outputs + 2);
    std::vector<double> d, g;
    for (int i = 0; i < m.points; ++i) d.push_back(wave(i, 1.7));
    for (int i = 0; i < winograd::taps; ++i) g.push_back(wave(i, 2.3));
    const std::vector<double> u = times(m.kernel, g), v = times(m.input, d);
    std::vector<double> products;
    for (std::size_t i = 0; i < d.size(); ++i) products.push_back(u[i] * v[i]);
    const std::vector<double> y = times(m.output, products);
    for (std::size_t i = 0; i + 2 < d.size(); ++i)
      CHECK(y[i] == doctest::Approx(g[0] * d[i] + g[1] * d[i + 1] + g[2] * d[i + 2]).epsilon(1e-13));
  }
}

TEST_CASE("winograd: the transposed algorithm gives the gradient of the taps") {
  for (int outputs = 1; outputs <= winograd::max_outputs; ++outputs) {
    CAPTURE(outputs);
    const winograd::Matrices m = winograd::matrices(outputs);
    std::vector<double> d, dy;
    for (int i = 0; i < m.points; ++i) d.push_back(wave(i, 1.7));
    for (int i = 0; i < outputs; ++i) dy.push_back(wave(i, 2.9));
    const std::vector<double> z = times_transposed(m.output, dy), v = times(m.input, d);
    std::vector<double> products;
    for (std::size_t i = 0; i < d.size(); ++i) products.push_back(z[i] * v[i]);
    const std::vector<double> dg = times_transposed(m.kernel, products);
    for (std::size_t r = 0; r < winograd::taps; ++r) {
      double expected = 0;
      for (std::size_t i = 0; i < dy.size(); ++i) expected += dy[i] * d[i + r];
      CHECK(dg[r] == doctest::Approx(expected).epsilon(1e-13));
    }
  }
}

TEST_CASE("winograd: a smaller tile's points and kernel transform are the first of a larger one's") {
  const winograd::Matrices largest = winograd::matrices(winograd::max_outputs);
  for (int outputs = 1; outputs < winograd::max_outputs; ++outputs) {
    const winograd::Matrices m = winograd::matrices(outputs);
    for (int i = 0; i < winograd::max_points; ++i)
      for (int r = 0; r < winograd::taps; ++r) CHECK(m.kernel[i][r] == (i < m.points ? largest.kernel[i][r] : 0));
  }
}

TEST_CASE("winograd: tiles cover an axis once, in order, with the fewest points") {
  for (std::int64_t outputs = 0; outputs <= 60; ++outputs) {
    CAPTURE(outputs);
    const winograd::AxisTiles tiles(outputs);
    std::int64_t next = 0, points = 0;
    for (std::int64_t i = 0; i < tiles.count; ++i) {
      CHECK(tiles.first(i) == next);
      CHECK(tiles.outputs(i) >= 1);
      CHECK(tiles.outputs(i) <= winograd::max_outputs);
      CHECK((tiles.outputs(i) == tiles.size || tiles.outputs(i) == tiles.size - 1));
      next += tiles.outputs(i);
      points += winograd::points_of(tiles.outputs(i));
    }
    CHECK(next == outputs);
    CHECK(tiles.first(tiles.count) == outputs);
    CHECK(points == tiles.total_points());
    CHECK(points == outputs + 2 * ((outputs + 3) / 4));
  }
}
