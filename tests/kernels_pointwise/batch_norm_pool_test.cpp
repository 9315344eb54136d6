#include <doctest/doctest.h>

#include <vector>

#include <every_isa.hpp>
#include <mien/kernels/norm/batch_norm_pool.hpp>
#include <small_integers.hpp>

using namespace mien;
using kernels::ConvGeometry;

namespace {

struct PooledNorm {
  std::vector<float> y, dx;
  std::vector<double> sum_dt, sum_dt_x;
  bool operator==(const PooledNorm&) const = default;
};

struct Case {
  ConvGeometry g;
  std::vector<float> x, dy, mean, scale, shift, offset, slant, factor;
  float slope;
  [[nodiscard]] kernels::NormChannels<float> norm() const { return {mean.data(), scale.data(), shift.data(), slope}; }
  [[nodiscard]] kernels::NormGradient<float> gradient() const { return {offset.data(), slant.data(), factor.data()}; }
};

Case make_case(const ConvGeometry& g, float slope) {
  const auto channels = [&](std::uint32_t purpose) { return small_integers<float>(g.c, purpose, 4); };
  return {g,
          small_integers<float>(g.n * g.h * g.w * g.c, 0, 4),
          small_integers<float>(output_pixels(g) * g.c, 1, 4),
          channels(2),
          channels(3),
          channels(4),
          channels(5),
          channels(6),
          channels(7),
          slope};
}

/// Normalise, activate and pool one after the other, and back.
PooledNorm separately(const Case& k) {
  const ConvGeometry& g = k.g;
  const std::int64_t rows = g.n * g.h * g.w;
  PooledNorm out{std::vector<float>(k.dy.size()), std::vector<float>(k.x.size()), {}, {}};
  out.sum_dt.resize(static_cast<std::size_t>(g.c)), out.sum_dt_x.resize(out.sum_dt.size());
  std::vector<float> between(k.x.size()), d_between(k.x.size()),
      partial(static_cast<std::size_t>(kernels::norm_partial_size(rows, g.c)));
  std::vector<std::byte> indices(k.dy.size());
  kernels::norm_apply(rows, g.c, k.norm(), k.x.data(), between.data());
  kernels::max_pool_forward(g, between.data(), out.y.data(), indices.data(), 1);
  kernels::max_pool_backward(g, k.dy.data(), indices.data(), d_between.data(), 1);
  kernels::norm_gradient_sums(rows, g.c, k.norm(), k.x.data(), d_between.data(), partial.data(), out.sum_dt.data(),
                              out.sum_dt_x.data(), 1);
  kernels::norm_backward(rows, g.c, k.norm(), k.gradient(), k.x.data(), d_between.data(), out.dx.data());
  return out;
}

PooledNorm together(const Case& k, int threads) {
  const ConvGeometry& g = k.g;
  PooledNorm out{std::vector<float>(k.dy.size(), 77), std::vector<float>(k.x.size(), 77), {}, {}};
  out.sum_dt.resize(static_cast<std::size_t>(g.c)), out.sum_dt_x.resize(out.sum_dt.size());
  std::vector<float> partial(static_cast<std::size_t>(kernels::norm_partial_size(g.n * g.h * g.w, g.c)));
  kernels::norm_pool_forward(g, k.norm(), k.x.data(), out.y.data(), threads);
  kernels::norm_pool_gradient_sums(g, k.norm(), k.x.data(), k.dy.data(), partial.data(), out.sum_dt.data(),
                                   out.sum_dt_x.data(), threads);
  kernels::norm_pool_backward(g, k.norm(), k.gradient(), k.x.data(), k.dy.data(), out.dx.data(), threads);
  return out;
}

ConvGeometry windows(std::int64_t n, std::int64_t h, std::int64_t w, std::int64_t c, std::int64_t r, std::int64_t s) {
  return kernels::with_output({.n = n, .h = h, .w = w, .c = c, .k = c, .r = r, .s = s, .stride_h = r, .stride_w = s});
}

}  // namespace

TEST_CASE("normalisation, activation and pooling in one pass are the three passes, bit for bit") {
  for (const std::int64_t c : {1, 3, 16, 37})
    for (const ConvGeometry& g : {windows(3, 6, 8, c, 2, 2), windows(2, 5, 5, c, 2, 2), windows(2, 7, 4, c, 3, 1),
                                  windows(1, 3, 5, c, 1, 2), windows(4, 2, 2, c, 2, 2), windows(5, 40, 33, c, 2, 3)})
      for (const float slope : {1.0F, 0.0F, 0.25F}) {
        CAPTURE(g.h);
        CAPTURE(g.c);
        CAPTURE(slope);
        const Case k = make_case(g, slope);
        for_each_isa([&] {
          const PooledNorm expected = separately(k);
          for (const int threads : {1, 2, 3, 7}) CHECK(together(k, threads) == expected);
        });
      }
}

TEST_CASE("which windows tile a picture") {
  CHECK(kernels::windows_tile(windows(1, 5, 5, 3, 2, 2)));
  CHECK_FALSE(
      kernels::windows_tile(kernels::with_output({.h = 5, .w = 5, .r = 3, .s = 3, .stride_h = 2, .stride_w = 2})));
  CHECK_FALSE(kernels::windows_tile(
      kernels::with_same_padding({.h = 5, .w = 5, .r = 2, .s = 2, .stride_h = 2, .stride_w = 2})));
  CHECK_FALSE(
      kernels::windows_tile(kernels::with_output({.h = 8, .w = 8, .r = 1, .s = 1, .stride_h = 2, .stride_w = 2})));
}

TEST_CASE("blocks of windows are no more than blocks of rows") {
  for (const std::int64_t c : {1, 3, 64, 300, 5000})
    for (const ConvGeometry& g :
         {windows(32, 44, 44, c, 2, 2), windows(7, 5, 5, c, 2, 2), windows(3, 300, 300, c, 3, 3)})
      CHECK(kernels::ceil_div(g.n * g.oh, kernels::norm_pool_block(g)) <= kernels::norm_blocks(g.n * g.h * g.w, c));
}
