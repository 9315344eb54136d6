#include <doctest/doctest.h>

#include <cmath>
#include <string>
#include <vector>

#include <mien/kernels/conv/winograd/points.hpp>
#include <mien/kernels/conv/winograd/tiles.hpp>

using namespace mien::kernels;

namespace {

constexpr int all_sizes[] = {winograd::pair, 1, 2, 3, 4, winograd::wide + 4, winograd::wide + 5, winograd::wide + 6};

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

/// The inputs that a tile sees; around a pair there are zeros.
std::vector<double> cells(int size) {
  std::vector<double> d;
  for (int i = 0; i < winograd::cells_of(size); ++i) d.push_back(wave(i, 1.7));
  if (size == winograd::pair) d.front() = d.back() = 0;
  return d;
}

/// The products at the points.
std::vector<double> times(const std::vector<double>& a, const std::vector<double>& b, int points) {
  std::vector<double> products;
  for (std::size_t i = 0; i < static_cast<std::size_t>(points); ++i) products.push_back(a[i] * b[i]);
  return products;
}

}  // namespace

TEST_CASE("winograd: outputs + 2 products, 3 of a pair, give the outputs of three taps") {
  for (const int size : all_sizes) {
    CAPTURE(size);
    const winograd::Matrices m = winograd::matrices(size);
    REQUIRE(m.points == (size == winograd::pair ? 3 : winograd::outputs_of(size) + 2));
    const std::vector<double> d = cells(size);
    std::vector<double> g;
    for (int i = 0; i < winograd::taps; ++i) g.push_back(wave(i, 2.3));
    const std::vector<double> y = times(m.output, times(times(m.kernel, g), times(m.input, d), m.points));
    for (std::size_t i = 0; i + 2 < d.size(); ++i)
      CHECK(y[i] == doctest::Approx(g[0] * d[i] + g[1] * d[i + 1] + g[2] * d[i + 2]).epsilon(1e-13));
  }
}

TEST_CASE("winograd: the transposed algorithm gives the gradient of the taps") {
  for (const int size : all_sizes) {
    CAPTURE(size);
    const winograd::Matrices m = winograd::matrices(size);
    const std::vector<double> d = cells(size);
    std::vector<double> dy;
    for (int i = 0; i < m.outputs; ++i) dy.push_back(wave(i, 2.9));
    const std::vector<double> dg =
        times_transposed(m.kernel, times(times_transposed(m.output, dy), times(m.input, d), m.points));
    for (std::size_t r = 0; r < winograd::taps; ++r) {
      double expected = 0;
      for (std::size_t i = 0; i < dy.size(); ++i) expected += dy[i] * d[i + r];
      CHECK(dg[r] == doctest::Approx(expected).epsilon(1e-13));
    }
  }
}

TEST_CASE("winograd: a smaller tile's points and kernel transform are the first of the largest one's of its list") {
  for (const int size : all_sizes) {
    if (size == winograd::pair) continue;
    CAPTURE(size);
    const winograd::Matrices m = winograd::matrices(size);
    const winograd::Matrices largest = winograd::matrices(size > winograd::wide ? winograd::wide + 6 : 4);
    for (int i = 0; i < winograd::max_points; ++i)
      for (int r = 0; r < winograd::taps; ++r) CHECK(m.kernel[i][r] == (i < m.points ? largest.kernel[i][r] : 0));
  }
}

TEST_CASE("winograd: tiles cover an axis once, in order, with the fewest points") {
  for (std::int64_t number = 0; number <= 120; ++number) {
    const std::int64_t outputs = number / 2;
    const bool may_be_wide = number % 2 == 1;
    CAPTURE(outputs);
    CAPTURE(may_be_wide);
    const winograd::AxisTiles tiles(outputs, may_be_wide);
    const bool is_wide = tiles.size > winograd::wide;
    CHECK(is_wide == (may_be_wide && outputs >= 5 && outputs != 7 && outputs != 8));
    std::int64_t next = 0, points = 0;
    for (std::int64_t i = 0; i < tiles.count; ++i) {
      CHECK(tiles.first(i) == next);
      CHECK(winograd::outputs_of(tiles.size_of(i)) >= (is_wide ? 4 : 1));
      CHECK(winograd::outputs_of(tiles.size_of(i)) <= (is_wide ? 6 : 4));
      CHECK((tiles.size_of(i) == tiles.size || tiles.size_of(i) == tiles.size - 1));
      next += winograd::outputs_of(tiles.size_of(i));
      points += winograd::points_of(tiles.size_of(i));
    }
    CHECK(next == outputs);
    CHECK(tiles.first(tiles.count) == outputs);
    CHECK(points == tiles.total_points());
    CHECK(points == outputs + 2 * (is_wide ? (outputs + 5) / 6 : (outputs + 3) / 4));
  }
}

TEST_CASE("winograd: an axis is a pair where two outputs see two inputs between zeros, and only there") {
  using winograd::AxisTiles;
  for (const bool wide : {false, true}) {
    CHECK(AxisTiles(2, 2, 1, wide).size == winograd::pair);
    CHECK(AxisTiles(2, 2, 1, wide).total_points() == 3);
    for (const AxisTiles& tiles :
         {AxisTiles(2, 4, 0, wide), AxisTiles(2, 3, 1, wide), AxisTiles(2, 2, 2, wide), AxisTiles(2, 2, 0, wide)})
      CHECK(tiles.size == 2);
    CHECK(AxisTiles(4, 4, 1, wide).size == 4);
  }
}
