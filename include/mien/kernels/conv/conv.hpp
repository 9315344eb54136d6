#pragma once

#include <cstddef>
#include <string_view>

#include <mien/kernels/conv/algorithm.hpp>
#include <mien/kernels/conv/select.hpp>

namespace mien::inline v0::kernels {

/// The bytes that a pass needs on that many threads. `algorithm` as in the calls below.
template <class T>
[[nodiscard]] std::size_t conv_workspace(const ConvGeometry& g, ConvPass pass, int threads,
                                         std::string_view algorithm = {}) {
  return select_conv<T>(g, pass, algorithm).workspace(g, threads);
}

/// y = activation(conv(x, w) + bias): x (N, H, W, C), w (R, S, C/groups, K), y (N, OH, OW, K).
/// `workspace` has conv_workspace() bytes, aligned to the cache line. `algorithm`, for tests and benchmarks, names a
/// row of select.hpp's list; empty, or if that row does not accept the geometry: the best.
template <class T>
void conv_forward(const ConvGeometry& g, const T* x, const T* w, T* y, const Epilogue<T>& epilogue, int threads,
                  std::byte* workspace, std::string_view algorithm = {}) {
  select_conv<T>(g, ConvPass::forward, algorithm).run({g, x, w, y, epilogue, threads, workspace});
}

/// dx, the gradient of the input, from dy (N, OH, OW, K) and w. Overwrites dx.
template <class T>
void conv_backward_input(const ConvGeometry& g, const T* dy, const T* w, T* dx, int threads, std::byte* workspace,
                         std::string_view algorithm = {}) {
  select_conv<T>(g, ConvPass::backward_input, algorithm).run({g, dy, w, dx, {}, threads, workspace});
}

/// dw, the gradient of the kernel, from x and dy. Overwrites dw. A bias's gradient is the sum of dy over its pixels.
template <class T>
void conv_backward_kernel(const ConvGeometry& g, const T* x, const T* dy, T* dw, int threads, std::byte* workspace,
                          std::string_view algorithm = {}) {
  select_conv<T>(g, ConvPass::backward_kernel, algorithm).run({g, x, dy, dw, {}, threads, workspace});
}

}  // namespace mien::inline v0::kernels
