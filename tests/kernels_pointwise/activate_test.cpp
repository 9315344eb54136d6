#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <vector>

#include <mien/kernels/elementwise/activate.hpp>
#include <mien/testing/fills.hpp>

#include <every_isa.hpp>

using namespace mien;

namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();
constexpr double not_a_number = std::numeric_limits<double>::quiet_NaN();

const ActivationFunction functions[] = {linear, relu, leaky_relu(0.1), leaky_relu(-0.3), elu(0.7), elu(-0.4),
                                        gelu,   silu, sigmoid,         mien::tanh};

double value(const ActivationFunction& f, double x) {
  using Kind = ActivationFunction::Kind;
  switch (f.kind) {
    case Kind::relu:
      return x > 0 ? x : 0;
    case Kind::leaky_relu:
      return x > 0 ? x : f.alpha * x;
    case Kind::elu:
      return x > 0 ? x : f.alpha * std::expm1(x);
    case Kind::gelu:
      return x * 0.5 * std::erfc(-x / std::sqrt(2.0));
    case Kind::silu:
      return x / (1 + std::exp(-x));
    case Kind::sigmoid:
      return 1 / (1 + std::exp(-x));
    case Kind::tanh:
      return std::tanh(x);
    default:
      return x;
  }
}

double slope(const ActivationFunction& f, double x) {
  using Kind = ActivationFunction::Kind;
  const double s = 1 / (1 + std::exp(-x));
  switch (f.kind) {
    case Kind::relu:
      return x > 0 ? 1 : 0;
    case Kind::leaky_relu:
      return x > 0 ? 1 : f.alpha;
    case Kind::elu:
      return x > 0 ? 1 : f.alpha * std::exp(x);
    case Kind::gelu:
      return 0.5 * std::erfc(-x / std::sqrt(2.0)) + x * std::exp(-x * x / 2) / std::sqrt(2 * std::acos(-1.0));
    case Kind::silu:
      return s * (1 + x * (1 - s));
    case Kind::sigmoid:
      return s * (1 - s);
    case Kind::tanh:
      return 1 - std::tanh(x) * std::tanh(x);
    default:
      return 1;
  }
}

/// |got - expected| in units of the last place of a float of that size.
double ulps(float got, double expected) {
  int exponent = 0;
  static_cast<void>(std::frexp(expected, &exponent));
  return std::abs(static_cast<double>(got) - expected) / std::ldexp(1.0, std::max(exponent - 24, -149));
}

/// The largest error in ulp over a fine grid.
double worst_error(const ActivationFunction& f, double low, double high) {
  std::vector<float> x(100003), y(x.size());
  for (std::size_t i = 0; i < x.size(); ++i)
    x[i] = static_cast<float>(low + (high - low) * static_cast<double>(i) / static_cast<double>(x.size()));
  kernels::activate<float>(f, static_cast<std::int64_t>(x.size()), x.data(), y.data());
  double worst = 0;
  for (std::size_t i = 0; i < x.size(); ++i) worst = std::max(worst, ulps(y[i], value(f, static_cast<double>(x[i]))));
  return worst;
}

float at(const ActivationFunction& f, double x) {
  float y = static_cast<float>(x);
  kernels::activate<float>(f, 1, &y, &y);
  return y;
}

}  // namespace

TEST_CASE("activate: relu and leaky_relu are exact, the others within a few units of the last place") {
  for_each_isa([] {
    CHECK(worst_error(relu, -3, 3) == 0);
    CHECK(worst_error(leaky_relu(0.25), -3, 3) == 0);
    CHECK(worst_error(elu(1.0), -110, 3) < 1.5);
    CHECK(worst_error(sigmoid, -80, 110) < 3);
    CHECK(worst_error(silu, -80, 110) < 3);
    CHECK(worst_error(mien::tanh, -20, 20) < 3);
    CHECK(worst_error(mien::tanh, -1e-3, 1e-3) < 3);
    CHECK(worst_error(gelu, -10, 10) < 1);
  });
}

TEST_CASE("activate: the ends of the number line, and NaN") {
  for_each_isa([] {
    CHECK(at(sigmoid, -infinity) == 0);
    CHECK(at(sigmoid, -1000) == 0);
    CHECK(at(sigmoid, infinity) == 1);
    CHECK(at(mien::tanh, infinity) == 1);
    CHECK(at(mien::tanh, -infinity) == -1);
    CHECK(at(mien::tanh, 0) == 0);
    CHECK(at(elu, -infinity) == -1);
    CHECK(at(elu, infinity) == std::numeric_limits<float>::infinity());
    CHECK(at(silu, 1000) == 1000);
    CHECK(at(silu, -1000) == 0);
    CHECK(at(gelu, -50) == 0);
    CHECK(at(gelu, 50) == 50);
    for (const ActivationFunction& f : functions) CHECK(std::isnan(at(f, not_a_number)));
  });
}

TEST_CASE("activate: in place, every tail, the same bits wherever an element stands") {
  for_each_isa([] {
    std::vector<float> x(71);
    mien::testing::fill_uniform<float>(x, 1, -4, 4);
    for (const ActivationFunction& f : functions)
      for (std::int64_t n = 0; n < 70; ++n) {
        std::vector<float> y = x;
        kernels::activate<float>(f, n, y.data(), y.data());
        for (std::int64_t i = 0; i < n; ++i)
          CHECK(y[static_cast<std::size_t>(i)] == at(f, static_cast<double>(x[static_cast<std::size_t>(i)])));
        CHECK(y[static_cast<std::size_t>(n)] == x[static_cast<std::size_t>(n)]);
      }
  });
}

TEST_CASE("activate_backward is the derivative, from the output where that suffices") {
  for_each_isa([] {
    std::vector<float> x(100), y(x.size()), dy(x.size()), dx(x.size());
    mien::testing::fill_uniform<float>(x, 2, -5, 5);
    mien::testing::fill_uniform<float>(dy, 3);
    for (const ActivationFunction& f : functions) {
      const bool from_output = differentiable_from_output(f);
      kernels::activate<float>(f, 100, x.data(), y.data());
      kernels::activate_backward<float>(f, 99, from_output ? nullptr : x.data(), from_output ? y.data() : nullptr,
                                        dy.data(), dx.data());
      for (std::size_t i = 0; i < 99; ++i)
        CHECK(std::abs(static_cast<double>(dx[i]) - static_cast<double>(dy[i]) * slope(f, static_cast<double>(x[i]))) <
              4e-7);
      std::vector<float> in_place = dy;
      kernels::activate_backward<float>(f, 99, x.data(), y.data(), in_place.data(), in_place.data());
      dx.back() = dy.back();
      CHECK(in_place == dx);
    }
  });
}

TEST_CASE("activate in double has the standard library's accuracy") {
  std::vector<double> x(1001), y(x.size()), dx(x.size());
  const std::vector<double> ones(x.size(), 1.0);
  mien::testing::fill_uniform<double>(x, 4, -30, 30);
  for (const ActivationFunction& f : functions) {
    kernels::activate<double>(f, 1001, x.data(), y.data());
    kernels::activate_backward<double>(f, 1001, x.data(), y.data(), ones.data(), dx.data());
    for (std::size_t i = 0; i < x.size(); ++i) {
      // gelu's tail magnifies the rounding of x / sqrt 2, here and there
      const double size = f == gelu ? std::abs(x[i]) : std::abs(value(f, x[i]));
      CHECK(std::abs(y[i] - value(f, x[i])) <= 1e-15 * size);
      CHECK(std::abs(dx[i] - slope(f, x[i])) <= 1e-15);
    }
  }
}

TEST_CASE("activate over a matrix: the same bits for any number of threads; softmax row by row") {
  for_each_isa([] {
    constexpr std::int64_t rows = 300, columns = 123;
    std::vector<float> x(rows * columns), dy(x.size());
    mien::testing::fill_uniform<float>(x, 5, -6, 6);
    mien::testing::fill_uniform<float>(dy, 6);
    for (const ActivationFunction& f : {elu, gelu, softmax}) {
      std::vector<float> expected(x.size()), gradient(x.size());
      kernels::activate<float>(f, rows, columns, x.data(), expected.data(), 1);
      kernels::activate_backward<float>(f, rows, columns, x.data(), expected.data(), dy.data(), gradient.data(), 1);
      for (const int threads : {2, 3, 7}) {
        std::vector<float> y = x, dx = dy;
        kernels::activate<float>(f, rows, columns, y.data(), y.data(), threads);
        CHECK(y == expected);
        kernels::activate_backward<float>(f, rows, columns, x.data(), y.data(), dx.data(), dx.data(), threads);
        CHECK(dx == gradient);
      }
      std::vector<float> row(x.begin() + 7 * columns, x.begin() + 8 * columns);
      kernels::activate<float>(f, columns, row.data(), row.data());
      CHECK(std::equal(row.begin(), row.end(), expected.begin() + 7 * columns));
    }
  });
}
