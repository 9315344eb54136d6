#pragma once
// A 1x1 convolution without padding is a plain product of matrices: pixels x channels by channels x filters. With a
// stride, the pixels that the kernel meets are gathered before it, or scattered behind it.

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include <mien/core/parallel.hpp>
#include <mien/kernels/conv/algorithm.hpp>
#include <mien/kernels/elementwise/activate.hpp>
#include <mien/kernels/gemm/gemm.hpp>
#include <mien/kernels/isa/isa.hpp>

namespace mien::inline v0::kernels::gemm_1x1 {

inline bool strided(const ConvGeometry& g) { return g.stride_h != 1 || g.stride_w != 1; }

inline const char* accepts(const ConvGeometry& g) {
  if (g.r != 1 || g.s != 1) return "the kernel is not 1x1";
  if (g.pad_top != 0 || g.pad_left != 0 || (g.oh - 1) * g.stride_h >= g.h || (g.ow - 1) * g.stride_w >= g.w)
    return "the input is padded";
  if (g.groups != 1) return "there are groups";
  return nullptr;
}

/// With a prepared kernel and few pixels the rows below read panels, one stream, where this one would read the
/// rows of w or pack them.
inline constexpr std::int64_t fewest_pixels = 256;

inline const char* loses_forward(const ConvGeometry& g) {
  return g.kernel_prepared && output_pixels(g) < fewest_pixels ? "the kernel's panels are prepared, and pixels are few"
                                                               : nullptr;
}
/// Gathered or where they lie (the implicit product), Zen 4, two threads, GFLOP/s: rn.3.1s2 forward 208, 204, gradient
/// of the input 193, 192, of the kernel 179, 202; rn.4.1s2, whose pixels fall on each other in the first cache, 193,
/// 170; 192, 161; 195, 202. With AVX2, whose tiles read 6 values of a pixel at a time, the gradient of the kernel wants
/// pixels together: Zen 3, ms, one thread 1.02, 1.32 and 0.99, 1.29, two 0.66, 0.78 and 0.79, 0.83.
inline const char* loses_backward_kernel(const ConvGeometry& g) {
  return strided(g) && active_isa() == Isa::avx512 ? "the stride is not 1" : nullptr;
}

/// y = x w, dx = dy w', dw = x' dy. With a stride, x or dx are the gathered pixels.
template <class T>
Gemm<T> product(const ConvCall<T>& call, ConvPass pass, T* gathered) {
  const ConvGeometry& g = call.geometry;
  const std::int64_t pixels = output_pixels(g), ld = strided(g) ? copied_ld(g.c) : g.c;
  Gemm<T> gemm{.a = call.left, .b = call.right, .c = call.result, .epilogue = call.epilogue};
  if (pass == ConvPass::forward) {
    gemm.m = pixels, gemm.n = g.k, gemm.k = g.c;
    gemm.lda = ld, gemm.ldb = g.k, gemm.ldc = g.k;
  } else if (pass == ConvPass::backward_input) {
    gemm.transpose_b = Transpose::yes;
    gemm.m = pixels, gemm.n = g.c, gemm.k = g.k;
    gemm.lda = g.k, gemm.ldb = g.k, gemm.ldc = ld;
  } else {
    gemm.transpose_a = Transpose::yes;
    gemm.m = g.c, gemm.n = g.k, gemm.k = pixels;
    gemm.lda = ld, gemm.ldb = g.k, gemm.ldc = g.k;
  }
  if (!strided(g)) return gemm;
  if (pass == ConvPass::backward_input)
    gemm.c = gathered;
  else
    gemm.a = gathered;
  return gemm;
}

inline std::int64_t gathered_size(const ConvGeometry& g) { return strided(g) ? output_pixels(g) * copied_ld(g.c) : 0; }

template <class T, ConvPass pass>
std::size_t workspace(const ConvGeometry& g, int threads) {
  Scratch scratch;
  static_cast<void>(scratch.array<T>(gathered_size(g)));
  return scratch.bytes() +
         gemm_workspace(product<T>({g, nullptr, nullptr, nullptr, {}, threads, nullptr}, pass, nullptr), threads);
}

/// The pixels of x that the kernel meets, one row each.
template <class T>
void gather(const ConvCall<T>& call, T* to) {
  const ConvGeometry& g = call.geometry;
  parallel_for(call.threads, g.n * g.oh, [&](std::int64_t row, int) {
    const T* from = call.left + (row / g.oh * g.h + row % g.oh * g.stride_h) * g.w * g.c;
    T* pixel = to + row * g.ow * copied_ld(g.c);
    for (std::int64_t j = 0; j < g.ow; ++j, from += g.stride_w * g.c, pixel += copied_ld(g.c))
      std::copy_n(from, g.c, pixel);
  });
}

/// The other way: into dx, whose other pixels get what an epilogue makes of zero.
template <class T>
void scatter(const ConvCall<T>& call, const T* from) {
  const ConvGeometry& g = call.geometry;
  parallel_for(call.threads, g.n * g.h, [&](std::int64_t row, int) {
    const std::int64_t n = row / g.h, i = row % g.h;
    const bool met = i % g.stride_h == 0 && i / g.stride_h < g.oh;
    const T* const pixels = from + (n * g.oh + i / g.stride_h) * g.ow * copied_ld(g.c);
    T* to = call.result + row * g.w * g.c;
    for (std::int64_t j = 0; j < g.w; ++j, to += g.c) {
      if (met && j % g.stride_w == 0 && j / g.stride_w < g.ow) {
        std::copy_n(pixels + j / g.stride_w * copied_ld(g.c), g.c, to);
        continue;
      }
      if (call.epilogue.bias != nullptr)
        std::copy_n(call.epilogue.bias, g.c, to);
      else
        std::fill_n(to, g.c, T(0));
      if (call.epilogue.activation != linear) activate(call.epilogue.activation, g.c, to, to);
    }
  });
}

template <class T, ConvPass pass>
void run(const ConvCall<T>& call) {
  Scratch scratch(call.workspace);
  T* const gathered = scratch.array<T>(gathered_size(call.geometry));
  const bool apart = strided(call.geometry);
  if (apart && pass != ConvPass::backward_input) gather(call, gathered);
  gemm(product(call, pass, gathered), call.threads, call.workspace + scratch.bytes());
  if (apart && pass == ConvPass::backward_input) scatter(call, gathered);
}

}  // namespace mien::inline v0::kernels::gemm_1x1
