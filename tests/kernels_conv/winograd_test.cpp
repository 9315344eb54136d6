#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include <every_isa.hpp>
#include <mien/core/memory.hpp>
#include <mien/kernels/conv/conv.hpp>

#include "accuracy.hpp"

using namespace mien;
using namespace mien::kernels;

namespace winograd_test {

using namespace accuracy;

constexpr ConvPass both_passes[] = {ConvPass::forward, ConvPass::backward_input};

/// One pass with He weights and normal inputs, and the same in double by the definition.
struct Case {
  ConvGeometry g;
  ConvPass pass;
  ActivationFunction activation = linear;
  std::vector<float> source, w, bias;

  Case(const ConvGeometry& geometry, ConvPass which)
      : g(geometry),
        pass(which),
        source(normal_values(which == ConvPass::forward ? g.n * g.h * g.w * g.c : output_pixels(g) * g.k, 1, 1)),
        w(normal_values(patch_size(g) * g.k, std::sqrt(2 / static_cast<double>(patch_size(g))), 2)),
        bias(normal_values(g.k, 1, 3)) {}

  template <class T>
  std::vector<T> run(std::string_view algorithm, int threads) const {
    const std::vector<T> x(source.begin(), source.end()), kernel(w.begin(), w.end()), b(bias.begin(), bias.end());
    const Buffer workspace(conv_workspace<T>(g, pass, threads, algorithm));
    if (workspace.size() > 0) std::memset(workspace.data(), 0xff, workspace.size());  // all NaN
    std::vector<T> result(
        static_cast<std::size_t>(pass == ConvPass::forward ? output_pixels(g) * g.k : g.n * g.h * g.w * g.c), T(77));
    if (pass == ConvPass::forward)
      conv_forward<T>(g, x.data(), kernel.data(), result.data(), {b.data(), activation}, threads, workspace.data(),
                      algorithm);
    else
      conv_backward_input(g, x.data(), kernel.data(), result.data(), threads, workspace.data(), algorithm);
    return result;
  }
};

/// 2, also the wide tiles', where an axis of outputs has room for one of 5 or 6 and sums are short enough.
int expected_rows(const ConvGeometry& g, ConvPass pass) {
  const bool back = pass == ConvPass::backward_input;
  return (has_wide_tile(back ? g.h : g.oh) || has_wide_tile(back ? g.w : g.ow)) && (back ? g.k : g.c) <= 256 ? 2 : 1;
}

/// The written bound of the documentation: docs/kernels.md.
void check_bound(const Case& one, int threads = 1) {
  const ConvGeometry& g = one.g;
  const std::string geometry = text(g.n, "x", g.h, "x", g.w, "x", g.c, " -> ", g.oh, "x", g.ow, "x", g.k, " pads ",
                                    g.pad_top, " ", g.pad_left, " ", to_string(one.pass));
  CAPTURE(geometry);
  const std::vector<double> expected = one.run<double>("im2col", 2);
  int rows = 0;
  for_each_winograd(g, one.pass, [&](const std::string& name) {
    const Errors errors = errors_of(one.run<float>(name, threads), expected);
    CHECK(errors.relative <= 1e-5);
    CHECK(errors.largest <= 5e-5);
    ++rows;
  });
  CHECK(rows == expected_rows(g, one.pass));
}

}  // namespace winograd_test

using namespace winograd_test;

TEST_CASE("winograd: every size of tile, any padding, channels and filters around the vectors' sizes") {
  for_each_isa([] {
    for (const ConvPass pass : both_passes)
      accuracy::for_each_small_geometry([&](const ConvGeometry& g) { check_bound(Case(g, pass)); });
    for (const std::int64_t c : {1, 15, 16, 17, 33})
      for (const std::int64_t k : {1, 16, 31, 32, 65, 100})
        for (const ConvPass pass : both_passes) check_bound(Case(same(1, 5, 6, c, k), pass));
  });
}

TEST_CASE("winograd: pictures of 2x2 are summed exactly where the numbers are whole") {
  for_each_isa([] {
    for (const ConvGeometry& g : {same(3, 2, 2, 5, 7), same(1, 2, 2, 64, 64), same(40, 2, 2, 33, 100)})
      for (const ConvPass pass : both_passes) {
        Case one(g, pass);
        for (std::vector<float>* values : {&one.source, &one.w, &one.bias})
          for (float& v : *values) v = std::round(3 * v);
        CHECK(one.run<float>("winograd", 2) == one.run<float>("reference", 1));
      }
  });
}

TEST_CASE("winograd: the error on real shapes with He weights is within its bound") {
  const auto padded = [](std::int64_t size, std::int64_t c, std::int64_t k, std::int64_t pad) {
    return with_output({.n = 4,
                        .h = size,
                        .w = size,
                        .c = c,
                        .k = k,
                        .r = 3,
                        .s = 3,
                        .pad_top = pad,
                        .pad_left = pad,
                        .pad_bottom = pad,
                        .pad_right = pad});
  };
  for (const ConvGeometry& g :
       {same(1, 48, 48, 64, 64), same(1, 24, 24, 128, 128), same(1, 12, 12, 256, 256), same(1, 6, 6, 512, 512),
        same(2, 3, 3, 512, 512), same(1, 14, 14, 512, 64), same(8, 2, 2, 512, 512), same(1, 6, 6, 256, 256),
        padded(6, 64, 256, 0), padded(6, 64, 512, 0), padded(4, 256, 64, 2), padded(11, 32, 256, 0)})
    for (const ConvPass pass : both_passes) {
      Case one(g, pass);
      std::fill(one.bias.begin(), one.bias.end(), 0.0F);  // which would make the error look smaller
      check_bound(one, 2);
    }
}

TEST_CASE("winograd: the same bits for any number of threads, tiles or filters shared out") {
  for_each_isa([] {
    for (const ConvGeometry& g : {same(3, 22, 23, 24, 40), same(1, 18, 18, 16, 130), same(1, 7, 7, 40, 200),
                                  same(9, 2, 2, 70, 70), same(1, 12, 12, 16, 256), same(1, 12, 12, 256, 16)})
      for (const ConvPass pass : both_passes) {
        const Case one(g, pass);
        for_each_winograd(g, pass, [&](const std::string& name) {
          const std::vector<float> expected = one.run<float>(name, 1);
          for (const int threads : {2, 3, 7}) {
            const std::vector<float> result = one.run<float>(name, threads);
            CHECK(std::memcmp(expected.data(), result.data(), expected.size() * sizeof(float)) == 0);
          }
        });
      }
  });
}

TEST_CASE("winograd: activations, in registers and not, with and without a bias") {
  for_each_isa([] {
    for (const ActivationFunction& f : {relu, leaky_relu(0.5), mien::tanh}) {
      Case one(same(2, 9, 10, 20, 37), ConvPass::forward);
      one.activation = f;
      check_bound(one);
    }
  });
}

TEST_CASE("winograd: a large output, stored past the caches") {
  for_each_isa([] {
    for (const ConvPass pass : both_passes) check_bound(Case(same(1, 132, 132, 64, 64), pass), 2);
  });
}

TEST_CASE("winograd: an infinity or NaN in the input spreads no further than its tile's outputs") {
  Case one(same(1, 16, 16, 16, 16), ConvPass::forward);
  one.source[0] = std::nanf("");
  for_each_winograd(one.g, one.pass, [&](const std::string& name) {
    const std::vector<float> result = one.run<float>(name, 1);
    CHECK(std::isnan(result[0]));
    for (std::size_t i = result.size() / 2; i < result.size(); ++i) CHECK(std::isfinite(result[i]));
  });
}

TEST_CASE("winograd: denormal inputs give what zeros give") {
  Case one(same(1, 12, 12, 16, 16), ConvPass::forward);
  for (float& v : one.source) v = 1e-40F;
  for_each_winograd(one.g, one.pass, [&](const std::string& name) {
    const std::vector<float> result = one.run<float>(name, 2);
    for (std::size_t i = 0; i < result.size(); ++i) CHECK(result[i] == one.bias[i % 16]);
  });
}

TEST_CASE("winograd: chosen where it saves time, never in strict arithmetic, never by the number of threads") {
  ConvGeometry large = same(32, 48, 48, 64, 64);
  for (const ConvPass pass : both_passes) {
    CHECK(std::string_view(select_conv<float>(large, pass).name) == "winograd_6x6");
    CHECK(std::string_view(select_conv<float>(same(32, 8, 8, 64, 64), pass).name) == "winograd");
    CHECK(std::string_view(select_conv<double>(large, pass).name) == "implicit_gemm");
    CHECK_FALSE(std::string_view(select_conv<float>(same(32, 48, 48, 3, 64), pass).name).starts_with("winograd"));
    CHECK(std::string_view(select_conv<float>(same(32, 2, 2, 512, 512), pass).name) == "winograd");
    CHECK(explain_choice(same(4, 2, 2, 512, 512), pass).find("not winograd: its transforms") != std::string::npos);
  }
  large.arithmetic = Arithmetic::strict;
  for (const ConvPass pass : both_passes) {
    CHECK(std::string_view(select_conv<float>(large, pass).name) == "implicit_gemm");
    for (const char* const name : {"winograd", "winograd_6x6"})
      CHECK(std::string_view(select_conv<float>(large, pass, name).name) == "implicit_gemm");
    for (const char* const reason :
         {"not winograd: the arithmetic is to be", "not winograd_6x6: the arithmetic is to be"})
      CHECK(explain_choice(large, pass).find(reason) != std::string::npos);
  }
}

TEST_CASE("winograd: tiles of 6x6 are refused where no axis has one, and where their sums would err too far") {
  const auto chosen = [](const ConvGeometry& g, ConvPass pass) {
    return std::string(select_conv<float>(g, pass, "winograd_6x6").name);
  };
  for (const ConvPass pass : both_passes) {
    CHECK(chosen(same(2, 12, 3, 64, 64), pass) == "winograd_6x6");
    CHECK(chosen(same(32, 8, 7, 64, 64), pass) == "winograd");
    CHECK(explain_choice(same(32, 8, 7, 64, 64), pass).find("no axis is cut") != std::string::npos);
    CHECK(explain_choice(same(32, 20, 20, 256, 256), pass).find("third cache") != std::string::npos);
  }
  CHECK(chosen(same(32, 12, 12, 257, 64), ConvPass::forward) == "winograd");
  CHECK(chosen(same(32, 12, 12, 257, 64), ConvPass::backward_input) == "winograd_6x6");
  CHECK(chosen(same(32, 12, 12, 64, 257), ConvPass::backward_input) == "winograd");
  CHECK(chosen(same(32, 12, 12, 257, 257), ConvPass::backward_kernel) == "winograd_6x6");
}

TEST_CASE("winograd: a batch between one and the largest reads a form of the kernel that one of these reads") {
  for (const ConvGeometry& layer :
       {same(1, 12, 12, 256, 256), same(1, 20, 20, 256, 256), same(1, 14, 14, 512, 512), same(1, 6, 6, 512, 512),
        same(1, 6, 6, 128, 128), same(1, 9, 9, 128, 256), same(1, 48, 48, 64, 64)}) {
    const auto chosen = [&](std::int64_t batch) {
      ConvGeometry g = layer;
      g.n = batch, g.kernel_prepared = true;
      return std::string(select_conv<float>(g, ConvPass::forward).name);
    };
    CAPTURE(layer.h);
    CAPTURE(layer.c);
    for (std::int64_t batch = 2; batch < 32; ++batch)
      CHECK((chosen(batch) == chosen(1) || chosen(batch) == chosen(32)));
  }
}
