#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <vector>

#include <mien/kernels/elementwise/activate.hpp>
#include <mien/testing/fills.hpp>

#include <every_isa.hpp>

using namespace mien;

namespace {

std::vector<double> softmax_of(const std::vector<float>& x) {
  double highest = -std::numeric_limits<double>::infinity(), sum = 0;
  for (const float value : x) highest = std::max(highest, static_cast<double>(value));
  std::vector<double> y;
  for (const float value : x) sum += y.emplace_back(std::exp(static_cast<double>(value) - highest));
  for (double& value : y) value /= sum;
  return y;
}

void softmax_in_place(std::vector<float>& x) {
  kernels::activate<float>(softmax, static_cast<std::int64_t>(x.size()), x.data(), x.data());
}

}  // namespace

TEST_CASE("softmax of rows of every length") {
  for_each_isa([] {
    for (std::size_t n = 1; n < 70; ++n) {
      std::vector<float> y(n);
      mien::testing::fill_uniform<float>(y, n, -20, 20);
      const std::vector<double> expected = softmax_of(y);
      softmax_in_place(y);
      for (std::size_t i = 0; i < n; ++i)
        CHECK(std::abs(static_cast<double>(y[i]) / expected[i] - 1) < 3e-6);  // x - max rounds to half of 2^-18
    }
  });
}

TEST_CASE("softmax is stable") {
  for_each_isa([] {
    std::vector<float> y{1e30F, 1e30F, -1e30F};
    softmax_in_place(y);
    CHECK(y == std::vector<float>{0.5F, 0.5F, 0});
    y = {-std::numeric_limits<float>::infinity(), -1000, -1000, -1000, -1000};
    softmax_in_place(y);
    CHECK(y == std::vector<float>{0, 0.25F, 0.25F, 0.25F, 0.25F});
    y = {0, std::numeric_limits<float>::quiet_NaN(), 1};
    softmax_in_place(y);
    for (const float value : y) CHECK(std::isnan(value));
  });
}

TEST_CASE("softmax's gradient is y (dy - sum dy y)") {
  for_each_isa([] {
    for (std::size_t n = 1; n < 40; ++n) {
      std::vector<float> y(n), dy(n);
      mien::testing::fill_uniform<float>(y, n, -2, 2);
      mien::testing::fill_uniform<float>(dy, n + 100);
      softmax_in_place(y);
      double mean = 0;
      for (std::size_t i = 0; i < n; ++i) mean += static_cast<double>(y[i]) * static_cast<double>(dy[i]);
      std::vector<float> dx = dy;
      kernels::activate_backward<float>(softmax, static_cast<std::int64_t>(n), nullptr, y.data(), dx.data(), dx.data());
      for (std::size_t i = 0; i < n; ++i)
        CHECK(std::abs(static_cast<double>(dx[i]) - static_cast<double>(y[i]) * (static_cast<double>(dy[i]) - mean)) <
              2e-7);
    }
  });
}
