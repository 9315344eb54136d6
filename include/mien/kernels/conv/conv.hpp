#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include <mien/kernels/conv/algorithm.hpp>
#include <mien/kernels/conv/kernel_pieces.hpp>
#include <mien/kernels/conv/select.hpp>
#include <mien/kernels/elementwise/activate.hpp>

namespace mien::inline v0::kernels {

// A batch of no pictures ends here: no algorithm is asked to share out nothing.

/// The bytes that a pass needs on that many threads. `algorithm` as in the calls below.
template <class T>
[[nodiscard]] std::size_t conv_workspace(const ConvGeometry& g, ConvPass pass, int threads,
                                         std::string_view algorithm = {}) {
  return g.n == 0 ? 0 : select_conv<T>(g, pass, algorithm).workspace(g, threads);
}

/// y = activation(conv(x, w) + bias): x (N, H, W, C), w (R, S, C/groups, K), y (N, OH, OW, K).
/// `workspace` has conv_workspace() bytes, aligned to the cache line. `algorithm`, for tests and benchmarks, names a
/// row of select.hpp's list; empty, or if that row does not accept the geometry: the best.
template <class T>
void conv_forward(const ConvGeometry& g, const T* x, const T* w, T* y, const Epilogue<T>& epilogue, int threads,
                  std::byte* workspace, std::string_view algorithm = {}) {
  if (g.n > 0) select_conv<T>(g, ConvPass::forward, algorithm).run({g, x, w, y, epilogue, threads, workspace});
}

/// y = activation(y + bias) over rows of `channels`, a stretch in cache after the other: for algorithms that do not do
/// so themselves.
template <class T>
void apply_epilogue(const Epilogue<T>& epilogue, std::int64_t rows, std::int64_t channels, T* y, int threads) {
  const std::int64_t step = std::max<std::int64_t>(1, elementwise_chunk / channels);
  for_each_chunk(rows, step, threads, [&](std::int64_t first, std::int64_t count) {
    T* const begin = y + first * channels;
    if (epilogue.bias != nullptr)
      for (T* row = begin; row < begin + count * channels; row += channels)
        for (std::int64_t k = 0; k < channels; ++k) row[k] += epilogue.bias[k];
    if (epilogue.activation != linear) activate(epilogue.activation, count * channels, begin, begin);
  });
}

/// dx, the gradient of the input, from dy (N, OH, OW, K) and w. Overwrites dx. For transposed convolutions, an epilogue
/// over dx's channels.
template <class T>
void conv_backward_input(const ConvGeometry& g, const T* dy, const T* w, T* dx, int threads, std::byte* workspace,
                         std::string_view algorithm = {}, const Epilogue<T>& epilogue = {}) {
  if (g.n == 0) return;
  const ConvAlgorithm<T>& chosen = select_conv<T>(g, ConvPass::backward_input, algorithm);
  const bool leaves_it = !chosen.applies_epilogue && (epilogue.bias != nullptr || epilogue.activation != linear);
  chosen.run({g, dy, w, dx, leaves_it ? Epilogue<T>{} : epilogue, threads, workspace});
  if (leaves_it) apply_epilogue(epilogue, g.n * g.h * g.w, g.c, dx, threads);
}

/// dw, the gradient of the kernel, from x and dy. Overwrites dw. A bias's gradient is the sum of dy over its pixels.
template <class T>
void conv_backward_kernel(const ConvGeometry& g, const T* x, const T* dy, T* dw, int threads, std::byte* workspace,
                          std::string_view algorithm = {}) {
  if (g.n == 0) return static_cast<void>(std::fill_n(dw, kernel_size(g), T(0)));
  select_conv<T>(g, ConvPass::backward_kernel, algorithm).run({g, x, dy, dw, {}, threads, workspace});
}

}  // namespace mien::inline v0::kernels
