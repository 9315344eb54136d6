#include <doctest/doctest.h>

#include <cmath>
#include <vector>

#include <every_isa.hpp>
#include <mien/core/random.hpp>
#include <mien/core/shape.hpp>
#include <mien/kernels/norm/batch_norm.hpp>

using namespace mien;

namespace {

struct Moments {
  std::vector<double> mean, variance;
  bool operator==(const Moments&) const = default;
};

template <class T>
Moments moments(std::int64_t rows, std::int64_t channels, const std::vector<T>& x, int threads) {
  const auto c = static_cast<std::size_t>(channels);
  Moments out{std::vector<double>(c), std::vector<double>(c)};
  std::vector<T> partial(static_cast<std::size_t>(kernels::norm_partial_size(rows, channels)));
  kernels::norm_moments(rows, channels, x.data(), partial.data(), out.mean.data(), out.variance.data(), threads);
  return out;
}

/// Numbers whose channels have means from -100 to 100 and deviation about 0.6.
std::vector<float> numbers(std::int64_t rows, std::int64_t channels) {
  Random random({.seed = 2});
  std::vector<float> x(static_cast<std::size_t>(rows * channels));
  for (std::size_t i = 0; i < x.size(); ++i) {
    const auto c = static_cast<std::int64_t>(i) % channels;
    x[i] = static_cast<float>(random.uniform(-1, 1) +
                              200.0 * (static_cast<double>(c) / static_cast<double>(channels) - .5));
  }
  return x;
}

}  // namespace

TEST_CASE("moments of small integers are exact") {
  const std::vector<float> x{1, 10, 3, 10, 5, 10, 7, 14};
  const Moments m = moments<float>(4, 2, x, 1);
  CHECK(m.mean == std::vector<double>{4, 11});
  CHECK(m.variance == std::vector<double>{5, 3});
}

TEST_CASE("moments are accurate where the mean is large, and the same for any number of threads") {
  for (const Shape& shape : {Shape{5000, 3}, Shape{1000, 37}, Shape{300, 64}, Shape{17, 700}}) {
    const std::int64_t rows = shape[0], channels = shape[1];
    const std::vector<float> x = numbers(rows, channels);
    std::vector<double> wide(x.begin(), x.end());
    const Moments exact = moments<double>(rows, channels, wide, 1);
    for_each_isa([&] {
      const Moments one = moments<float>(rows, channels, x, 1);
      for (std::size_t c = 0; c < one.mean.size(); ++c) {
        CHECK(std::abs(one.mean[c] - exact.mean[c]) < 2e-5);
        CHECK(std::abs(one.variance[c] - exact.variance[c]) < 2e-5 * exact.variance[c]);
      }
      for (const int threads : {2, 3, 7}) CHECK(moments<float>(rows, channels, x, threads) == one);
    });
  }
}

TEST_CASE("normalising and its gradient, element by element") {
  constexpr std::int64_t rows = 3, channels = 19;
  const std::vector<float> x = numbers(rows, channels), dy(x.rbegin(), x.rend());
  std::vector<float> mean(channels), scale(channels), shift(channels), factor(channels), offset(channels),
      slant(channels);
  for (std::size_t c = 0; c < channels; ++c) {
    const auto k = static_cast<float>(c);
    mean[c] = k - 9, scale[c] = 1 + k / 4, shift[c] = k / 2 - 4;
    factor[c] = 2 - k / 8, offset[c] = k / 16, slant[c] = k / 64;
  }
  for_each_isa([&] {
    for (const float slope : {1.0F, 0.0F, 0.25F}) {
      std::vector<float> y(x.size()), dx(x.size());
      const kernels::NormChannels<float> norm{mean.data(), scale.data(), shift.data(), slope};
      kernels::norm_apply<float>(rows, channels, norm, x.data(), y.data());
      kernels::norm_backward<float>(rows, channels, norm, {offset.data(), slant.data(), factor.data()}, x.data(),
                                    dy.data(), dx.data());
      for (std::size_t i = 0; i < x.size(); ++i) {
        const std::size_t c = i % channels;
        const double t = (static_cast<double>(x[i]) - mean[c]) * scale[c] + shift[c];
        const double dt = t > 0 ? dy[i] : static_cast<double>(slope * dy[i]);
        CHECK(static_cast<double>(y[i]) == doctest::Approx(t > 0 ? t : slope * t).epsilon(1e-5));
        CHECK(static_cast<double>(dx[i]) ==
              doctest::Approx((dt - offset[c] - (static_cast<double>(x[i]) - mean[c]) * slant[c]) * factor[c])
                  .epsilon(1e-5));
      }
    }
  });
}
