#pragma once
// A 1x1 convolution of stride 1 without padding is a plain product of matrices: pixels x channels by channels x
// filters.

#include <cstddef>
#include <cstdint>

#include <mien/kernels/conv/algorithm.hpp>
#include <mien/kernels/gemm/gemm.hpp>

namespace mien::inline v0::kernels::gemm_1x1 {

inline const char* accepts(const ConvGeometry& g) {
  if (g.r != 1 || g.s != 1) return "the kernel is not 1x1";
  if (g.stride_h != 1 || g.stride_w != 1) return "the stride is not 1";
  if (g.oh != g.h || g.ow != g.w || g.pad_top != 0 || g.pad_left != 0) return "the input is padded";
  if (g.groups != 1) return "there are groups";
  return nullptr;
}

/// With a prepared kernel and few pixels the implicit product reads panels, one stream, where this one would read the
/// rows of w or pack them.
inline constexpr std::int64_t fewest_pixels = 256;
inline const char* loses_forward(const ConvGeometry& g) {
  return g.kernel_prepared && output_pixels(g) < fewest_pixels ? "the kernel's panels are prepared, and pixels are few"
                                                               : nullptr;
}

/// y = x w, dx = dy w', dw = x' dy
template <class T>
Gemm<T> product(const ConvCall<T>& call, ConvPass pass) {
  const ConvGeometry& g = call.geometry;
  const std::int64_t pixels = output_pixels(g);
  Gemm<T> gemm{.a = call.left, .b = call.right, .c = call.result, .epilogue = call.epilogue};
  if (pass == ConvPass::forward) {
    gemm.m = pixels, gemm.n = g.k, gemm.k = g.c;
    gemm.lda = g.c, gemm.ldb = g.k, gemm.ldc = g.k;
  } else if (pass == ConvPass::backward_input) {
    gemm.transpose_b = Transpose::yes;
    gemm.m = pixels, gemm.n = g.c, gemm.k = g.k;
    gemm.lda = g.k, gemm.ldb = g.k, gemm.ldc = g.c;
  } else {
    gemm.transpose_a = Transpose::yes;
    gemm.m = g.c, gemm.n = g.k, gemm.k = pixels;
    gemm.lda = g.c, gemm.ldb = g.k, gemm.ldc = g.k;
  }
  return gemm;
}

template <class T, ConvPass pass>
std::size_t workspace(const ConvGeometry& g, int threads) {
  return gemm_workspace(product<T>({g, nullptr, nullptr, nullptr, {}, threads, nullptr}, pass), threads);
}

template <class T, ConvPass pass>
void run(const ConvCall<T>& call) {
  gemm(product(call, pass), call.threads, call.workspace);
}

}  // namespace mien::inline v0::kernels::gemm_1x1
