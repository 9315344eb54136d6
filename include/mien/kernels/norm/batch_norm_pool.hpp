#pragma once
// Batch normalisation, activation and the max pooling behind them in one pass, for windows that tile the picture: what
// stands between the three never exists. The maximum of the normalised values is the pooled value, since the activation
// is monotone; backward finds it again from x, which costs less than to store where it was.

#include <algorithm>
#include <cstdint>

#include <mien/kernels/conv/geometry.hpp>
#include <mien/kernels/norm/batch_norm.hpp>
#include <mien/kernels/pool/pool.hpp>

#define MIEN_KERNEL_TEXT <mien/kernels/norm/batch_norm_pool.inl>
#include <mien/kernels/isa/for_each_isa.inl>

namespace mien::inline v0::kernels {

/// Rows of windows in one block of sums: at least as many cells as a block of the plain sums has, so that there are no
/// more blocks, and norm_partial_size() is enough for both.
[[nodiscard]] constexpr std::int64_t norm_pool_block(const ConvGeometry& g) {
  return ceil_div(norm_block_rows(g.c), g.r * g.w);
}

/// y[n,i,j,c] = max over the window of the normalised and activated x. g: windows_tile.
template <class T>
void norm_pool_forward(const ConvGeometry& g, const NormChannels<T>& norm, const T* x, T* y, int threads) {
  const auto row = MIEN_SELECT_ISA(T, norm_pool_forward_row);
  parallel_for(threads, g.n * g.oh, [&](std::int64_t task, int) {
    row(g, norm, x + (task / g.oh * g.h + task % g.oh * g.r) * g.w * g.c, y + task * g.ow * g.c);
  });
}

/// As norm_gradient_sums(), dy being the gradient by the pooled values.
template <class T>
void norm_pool_gradient_sums(const ConvGeometry& g, const NormChannels<T>& norm, const T* x, const T* dy, T* partial,
                             double* sum_dt, double* sum_dt_x, int threads) {
  const auto row = MIEN_SELECT_ISA(T, norm_pool_gradient_sums_row);
  const std::int64_t step = norm_pool_block(g), rows = g.n * g.oh, blocks = ceil_div(rows, step);
  parallel_for(threads, blocks, [&](std::int64_t block, int) {
    T* own = partial + 2 * g.c * block;
    std::fill(own, own + 2 * g.c, T{0});
    for (std::int64_t i = block * step; i < std::min(rows, (block + 1) * step); ++i)
      row(g, norm, x + (i / g.oh * g.h + i % g.oh * g.r) * g.w * g.c, dy + i * g.ow * g.c, own, own + g.c);
  });
  add_norm_partials(blocks, g.c, partial, sum_dt, sum_dt_x);
}

/// dx from x and the gradient by the pooled values; cells in no window see only the sums' part.
template <class T>
void norm_pool_backward(const ConvGeometry& g, const NormChannels<T>& norm, const NormGradient<T>& gradient, const T* x,
                        const T* dy, T* dx, int threads) {
  const auto row = MIEN_SELECT_ISA(T, norm_pool_backward_row);
  parallel_for(threads, g.n * g.oh, [&](std::int64_t task, int) {
    const std::int64_t at = (task / g.oh * g.h + task % g.oh * g.r) * g.w * g.c;
    row(g, task % g.oh, norm, gradient, x + at, dy + task * g.ow * g.c, dx + at);
  });
}

}  // namespace mien::inline v0::kernels
