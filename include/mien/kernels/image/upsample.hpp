#pragma once
// Pictures made larger by whole factors, nearest or bilinear, and the transpose. Vectors run over the channels.
// Forward, a task is a row of outputs; backward, a picture, whose outputs add to it in order.

#include <algorithm>
#include <cstdint>

#include <mien/core/parallel.hpp>
#include <mien/kernels/isa/registers.hpp>

namespace mien::inline v0::kernels {

struct Upsampling {
  std::int64_t h, w, c;             ///< the smaller picture
  std::int64_t factor_h, factor_w;  ///< rows and columns that one becomes
  bool bilinear;                    ///< false: nearest
};

/// The one or two cells of an axis that an output is made of.
template <class T>
struct UpsamplingTaps {
  std::int64_t count;
  std::int64_t cell[2];
  T weight[2];
};

/// Output o lies at (o + 1/2) / factor - 1/2; outside of the picture the border's cell counts.
template <class T>
[[nodiscard]] constexpr UpsamplingTaps<T> upsampling_taps(std::int64_t o, std::int64_t cells, std::int64_t factor,
                                                          bool bilinear) {
  if (!bilinear) return {1, {o / factor}, {T(1)}};
  const std::int64_t place = 2 * o + 1 + factor;  // one cell further on, in units of 1 / (2 factor): never negative
  const std::int64_t below = place / (2 * factor) - 1, above = below + 1;
  const std::int64_t part = place % (2 * factor);
  if (below < 0 || part == 0 || above >= cells) return {1, {std::clamp<std::int64_t>(below, 0, cells - 1)}, {T(1)}};
  const T weight = static_cast<T>(part) / static_cast<T>(2 * factor);
  return {2, {below, above}, {T(1) - weight, weight}};
}

static_assert(upsampling_taps<double>(0, 3, 2, true).count == 1 && upsampling_taps<double>(5, 3, 2, true).cell[0] == 2);
static_assert(upsampling_taps<double>(1, 3, 2, true).weight[1] == 0.25);
static_assert(upsampling_taps<double>(4, 3, 3, true).count == 1 && upsampling_taps<double>(4, 3, 3, true).cell[0] == 1);

}  // namespace mien::inline v0::kernels

#define MIEN_KERNEL_TEXT <mien/kernels/image/upsample.inl>
#include <mien/kernels/isa/for_each_isa.inl>

namespace mien::inline v0::kernels {

/// y (N, H factor_h, W factor_w, C) from x (N, H, W, C).
template <class T>
void upsample_forward(const Upsampling& p, std::int64_t n, const T* x, T* y, int threads) {
  const auto row = MIEN_SELECT_ISA(T, upsample_row);
  const std::int64_t rows = p.h * p.factor_h, row_size = p.w * p.factor_w * p.c;
  parallel_for(threads, n * rows, [&](std::int64_t task, int) {
    row(p, task % rows, x + task / rows * p.h * p.w * p.c, y + task * row_size);
  });
}

/// dx, the transpose applied to dy.
template <class T>
void upsample_backward(const Upsampling& p, std::int64_t n, const T* dy, T* dx, int threads) {
  const auto row = MIEN_SELECT_ISA(T, upsample_row_backward);
  const std::int64_t rows = p.h * p.factor_h, row_size = p.w * p.factor_w * p.c, size = p.h * p.w * p.c;
  parallel_for(threads, n, [&](std::int64_t i, int) {
    std::fill_n(dx + i * size, size, T(0));
    for (std::int64_t o = 0; o < rows; ++o) row(p, o, dy + (i * rows + o) * row_size, dx + i * size);
  });
}

}  // namespace mien::inline v0::kernels
