#include <doctest/doctest.h>

#include <cmath>
#include <cstring>
#include <string_view>
#include <vector>

#include <every_isa.hpp>
#include <mien/core/memory.hpp>
#include <mien/kernels/conv/conv.hpp>

#include "accuracy.hpp"

using namespace mien;
using namespace mien::kernels;

namespace winograd_kernel_gradient_test {

using namespace accuracy;

constexpr ConvPass kernel_pass = ConvPass::backward_kernel;

/// Normal inputs and gradients, and the gradient of the kernel, in memory that was full of NaN.
struct KernelGradient {
  ConvGeometry g;
  std::vector<float> x, dy;

  explicit KernelGradient(const ConvGeometry& geometry)
      : g(geometry), x(normal_values(g.n * g.h * g.w * g.c, 1, 5)), dy(normal_values(output_pixels(g) * g.k, 1, 6)) {}

  template <class T>
  std::vector<T> run(std::string_view algorithm, int threads) const {
    const std::vector<T> inputs(x.begin(), x.end()), gradients(dy.begin(), dy.end());
    const Buffer workspace(conv_workspace<T>(g, kernel_pass, threads, algorithm));
    if (workspace.size() > 0) std::memset(workspace.data(), 0xff, workspace.size());
    std::vector<T> dw(static_cast<std::size_t>(patch_size(g) * g.k), T(77));
    conv_backward_kernel(g, inputs.data(), gradients.data(), dw.data(), threads, workspace.data(), algorithm);
    return dw;
  }
};

/// The written bound: docs/kernels.md.
void check_bound(const ConvGeometry& g, int threads = 1) {
  const std::string geometry =
      text(g.n, "x", g.h, "x", g.w, "x", g.c, " -> ", g.oh, "x", g.ow, "x", g.k, " pads ", g.pad_top, " ", g.pad_left);
  CAPTURE(geometry);
  const KernelGradient one(g);
  const std::vector<double> expected = one.run<double>("im2col", 2);
  int rows = 0;
  for_each_winograd(g, kernel_pass, [&](const std::string& name) {
    const Errors errors = errors_of(one.run<float>(name, threads), expected);
    CHECK(errors.relative <= 1e-4);
    CHECK(errors.largest <= 5e-5);
    ++rows;
  });
  CHECK(rows == (has_wide_tile(g.oh) || has_wide_tile(g.ow) ? 2 : 1));
}

/// One for each way of cutting: pieces with blocks of one and of several, all tiles at once, and in rounds.
const ConvGeometry many_tiles = same(6, 23, 22, 24, 40), many_tiles_and_blocks = same(4, 31, 30, 70, 100),
                   few_tiles = same(1, 7, 5, 130, 200), in_rounds = same(6, 31, 30, 1000, 40);

}  // namespace winograd_kernel_gradient_test

using namespace winograd_kernel_gradient_test;

TEST_CASE("winograd, gradient of the kernel: the geometries of these tests are cut in each of the ways") {
  for (const bool wide : {false, true}) {
    CAPTURE(wide);
    const auto plan = [&](const ConvGeometry& g) { return winograd::KernelGradientPlan<float>(g, nullptr, wide); };
    CHECK(plan(many_tiles).pieces > 1);
    CHECK(plan(many_tiles).blocks() == 1);
    CHECK(plan(many_tiles_and_blocks).pieces > 1);
    CHECK(plan(many_tiles_and_blocks).blocks() > 1);
    CHECK_FALSE(plan(few_tiles).by_pieces());
    CHECK(plan(few_tiles).rounds == 1);
    CHECK_FALSE(plan(in_rounds).by_pieces());
    CHECK(plan(in_rounds).rounds > 1);
  }
}

TEST_CASE("winograd, gradient of the kernel: every size of tile, any padding, any numbers of channels and filters") {
  for_each_isa([] {
    accuracy::for_each_small_geometry([](const ConvGeometry& g) { check_bound(g); });
    for (const std::int64_t c : {1, 15, 16, 17, 33, 65})
      for (const std::int64_t k : {1, 16, 31, 32, 65, 100}) check_bound(same(1, 5, 6, c, k));
    check_bound(many_tiles);
    check_bound(many_tiles_and_blocks);
  });
}

TEST_CASE("winograd, gradient of the kernel: pictures of 2x2 are summed exactly where the numbers are whole") {
  for_each_isa([] {
    for (const ConvGeometry& g : {same(3, 2, 2, 5, 7), same(200, 2, 2, 33, 70)}) {
      KernelGradient one(g);
      for (std::vector<float>* values : {&one.x, &one.dy})
        for (float& v : *values) v = std::round(3 * v);
      CHECK(one.run<float>("winograd", 2) == one.run<float>("reference", 1));
    }
  });
}

TEST_CASE("winograd, gradient of the kernel: the error on real shapes is within its bound") {
  for (const ConvGeometry& g : {same(2, 48, 48, 64, 64), same(1, 24, 24, 128, 128), same(1, 12, 12, 256, 256),
                                same(2, 3, 3, 512, 512), same(8, 2, 2, 512, 512), in_rounds})
    check_bound(g, 2);
}

TEST_CASE("winograd, gradient of the kernel: the same bits for any number of threads, however it is cut") {
  for_each_isa([] {
    for (const ConvGeometry& g : {many_tiles, many_tiles_and_blocks, few_tiles, same(9, 2, 2, 70, 70)}) {
      const KernelGradient one(g);
      for_each_winograd(g, kernel_pass, [&](const std::string& name) {
        const std::vector<float> expected = one.run<float>(name, 1);
        for (const int threads : {2, 3, 7}) {
          const std::vector<float> result = one.run<float>(name, threads);
          CHECK(std::memcmp(expected.data(), result.data(), expected.size() * sizeof(float)) == 0);
        }
      });
    }
  });
  const KernelGradient one(in_rounds);
  for_each_winograd(in_rounds, kernel_pass,
                    [&](const std::string& name) { CHECK(one.run<float>(name, 1) == one.run<float>(name, 3)); });
}

TEST_CASE("winograd, gradient of the kernel: nothing comes of nothing") {
  const KernelGradient one(same(0, 8, 8, 16, 16));
  CHECK(one.run<float>("winograd", 2) == std::vector<float>(9 * 16 * 16, 0.0F));
}

TEST_CASE("winograd, gradient of the kernel: chosen where it saves time, with a bounded workspace") {
  const auto chosen = [](const ConvGeometry& g) { return std::string_view(select_conv<float>(g, kernel_pass).name); };
  CHECK(chosen(same(32, 48, 48, 64, 64)) == "winograd_6x6");
  CHECK(chosen(same(32, 8, 8, 256, 256)) == "winograd");
  CHECK(chosen(same(32, 3, 3, 512, 512)) == "winograd");
  CHECK(chosen(same(32, 2, 2, 512, 512)) == "implicit_gemm");
  CHECK(chosen(same(1, 3, 3, 512, 512)) == "implicit_gemm");
  CHECK(chosen(same(32, 48, 48, 3, 64)) == "strips");
  CHECK(std::string_view(select_conv<double>(same(32, 48, 48, 64, 64), kernel_pass).name) == "implicit_gemm");
  ConvGeometry strict = same(32, 48, 48, 64, 64);
  strict.arithmetic = Arithmetic::strict;
  CHECK(chosen(strict) == "implicit_gemm");
  for (const ConvGeometry& g : {same(32, 48, 48, 64, 64), same(32, 24, 24, 128, 128), same(32, 12, 12, 256, 256),
                                same(32, 6, 6, 512, 512), same(32, 3, 3, 512, 512)})
    CHECK(conv_workspace<float>(g, kernel_pass, 2) < (std::size_t{32} << 20));
}
