// Few pixels: the implicit product goes tap by tap where there are panels for all threads, and by regions where not.
// The bits are the same.

#include <doctest/doctest.h>

#include <cmath>
#include <cstdint>
#include <string>
#include <vector>

#include <mien/core/memory.hpp>
#include <mien/kernels/conv/conv.hpp>

#include "accuracy.hpp"

using namespace mien;
using namespace mien::kernels;

namespace {

std::vector<float> implicit_gemm_on(int threads, const ConvGeometry& g, ConvPass pass, ActivationFunction activation) {
  const bool forward = pass == ConvPass::forward;
  const std::int64_t inputs = g.n * g.h * g.w * g.c, outputs = output_pixels(g) * g.k;
  const std::vector<float> from = accuracy::normal_values(forward ? inputs : outputs, 1, 1),
                           w = accuracy::normal_values(patch_size(g) * g.k, 1, 2),
                           bias = accuracy::normal_values(forward ? g.k : g.c, 1, 3);
  std::vector<float> result(static_cast<std::size_t>(forward ? outputs : inputs), NAN);
  const Buffer workspace(conv_workspace<float>(g, pass, threads, "implicit_gemm"));
  const Epilogue<float> epilogue{bias.data(), activation};
  if (forward)
    conv_forward<float>(g, from.data(), w.data(), result.data(), epilogue, threads, workspace.data(), "implicit_gemm");
  else
    conv_backward_input<float>(g, from.data(), w.data(), result.data(), threads, workspace.data(), "implicit_gemm",
                               epilogue);
  return result;
}

bool tap_by_tap(const ConvGeometry& g, ConvPass pass, int threads) {
  const implicit_gemm::Problem problem(g, pass == ConvPass::backward_input);
  const Buffer workspace(conv_workspace<float>(g, pass, threads, "implicit_gemm"));
  implicit_gemm::Plan<float> plan(problem, workspace.data());
  plan.find_regions(problem);
  return implicit_gemm::goes_tap_by_tap(problem, plan, threads);
}

}  // namespace

TEST_CASE("few pixels have the same bits tap by tap as by regions") {
  constexpr int many = 40;  // threads: more than panels
  const ConvGeometry geometries[] = {
      accuracy::same(1, 3, 3, 40, 80),
      accuracy::same(1, 2, 2, 33, 70),
      accuracy::same(1, 1, 1, 20, 64),
      accuracy::same(1, 6, 6, 64, 96),
      accuracy::same(5, 3, 3, 24, 72),
      with_same_padding({.n = 1, .h = 7, .w = 5, .c = 48, .k = 65, .r = 3, .s = 5, .stride_h = 2, .stride_w = 2}),
      with_output({.n = 1,
                   .h = 4,
                   .w = 5,
                   .c = 70,
                   .k = 66,
                   .r = 3,
                   .s = 2,
                   .dilation_h = 2,
                   .pad_top = 3,
                   .pad_left = 1,
                   .pad_bottom = 2,
                   .pad_right = 2})};
  for (const ConvGeometry& g : geometries)
    for (const ConvPass pass : {ConvPass::forward, ConvPass::backward_input})
      for (const ActivationFunction activation : {linear, relu, leaky_relu(0.1), mien::tanh}) {
        CAPTURE(g.h);
        CAPTURE(g.c);
        CAPTURE(std::string(to_string(pass)));
        CHECK(tap_by_tap(g, pass, 1) == (g.h * g.w > 1));  // one pixel is one region
        CHECK(!tap_by_tap(g, pass, many));
        CHECK(implicit_gemm_on(1, g, pass, activation) == implicit_gemm_on(many, g, pass, activation));
        CHECK(implicit_gemm_on(2, g, pass, activation) == implicit_gemm_on(many, g, pass, activation));
      }
}
