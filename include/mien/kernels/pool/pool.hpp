#pragma once
// Max and average pooling over NHWC, vectorised over channels. Forward, a task is a row of outputs; backward, windows
// may overlap, so a task is a picture. (Tried and lost, 3 to 8 times slower: rows of the input that ask the windows
// over them.)

#include <cstddef>
#include <cstdint>

#include <mien/core/parallel.hpp>
#include <mien/kernels/conv/geometry.hpp>
#include <mien/kernels/isa/registers.hpp>

namespace mien::inline v0::kernels {

/// Indices first ... end-1.
struct IndexRange {
  std::int64_t first, end;
};

/// The taps of output `o` that fall on the axis' `cells`. Never none for Keras's paddings: they are shorter than the
/// window.
[[nodiscard]] constexpr IndexRange taps_inside(std::int64_t o, std::int64_t cells, std::int64_t taps,
                                               std::int64_t stride, std::int64_t before) {
  const std::int64_t start = o * stride - before, end = cells - start;
  return {start < 0 ? -start : 0, end < taps ? end : taps};
}

static_assert(taps_inside(0, 5, 3, 2, 1).first == 1 && taps_inside(2, 5, 3, 2, 1).end == 2);

/// Whether windows stand side by side: no padding, no overlap, no gap. Rows and columns behind the last whole window
/// belong to none.
[[nodiscard]] constexpr bool windows_tile(const ConvGeometry& g) {
  return g.stride_h == g.r && g.stride_w == g.s && g.pad_top == 0 && g.pad_left == 0 && g.oh * g.r <= g.h &&
         g.ow * g.s <= g.w;
}

/// Bytes of one saved index of a maximum within its window (row * s + column).
[[nodiscard]] constexpr std::size_t pool_index_size(const ConvGeometry& g) {
  return g.r * g.s < 256 ? sizeof(std::uint8_t) : sizeof(std::int32_t);
}

}  // namespace mien::inline v0::kernels

#define MIEN_KERNEL_TEXT <mien/kernels/pool/pool.inl>
#include <mien/kernels/isa/for_each_isa.inl>

namespace mien::inline v0::kernels {

/// y[n,i,j,c] = max over the window of x[n, i stride_h - pad_top + r, j stride_w - pad_left + s, c]; padding never
/// wins, of equals the first does. `indices`: where each maximum was, n oh ow c of pool_index_size(g) bytes; or null.
template <class T>
void max_pool_forward(const ConvGeometry& g, const T* x, T* y, std::byte* indices, int threads) {
  const auto row = MIEN_SELECT_ISA(T, max_pool_forward_row);
  const std::int64_t indices_row = g.ow * g.c * static_cast<std::int64_t>(pool_index_size(g));
  parallel_for(threads, g.n * g.oh, [&](std::int64_t task, int) {
    row(g, task % g.oh, x + task / g.oh * g.h * g.w * g.c, y + task * g.ow * g.c,
        indices == nullptr ? nullptr : indices + task * indices_row);
  });
}

/// dx[n,h,w,c] = sum of dy over the windows whose maximum was there.
template <class T>
void max_pool_backward(const ConvGeometry& g, const T* dy, const std::byte* indices, T* dx, int threads) {
  const auto picture = MIEN_SELECT_ISA(T, max_pool_backward_picture);
  const std::int64_t outputs = g.oh * g.ow * g.c, bytes = outputs * static_cast<std::int64_t>(pool_index_size(g));
  parallel_for(threads, g.n, [&](std::int64_t n, int) {
    picture(g, dy + n * outputs, indices + n * bytes, dx + n * g.h * g.w * g.c);
  });
}

/// y[n,i,j,c] = mean over the cells of the window that lie on the picture.
template <class T>
void average_pool_forward(const ConvGeometry& g, const T* x, T* y, int threads) {
  const auto row = MIEN_SELECT_ISA(T, average_pool_forward_row);
  parallel_for(threads, g.n * g.oh, [&](std::int64_t task, int) {
    row(g, task % g.oh, x + task / g.oh * g.h * g.w * g.c, y + task * g.ow * g.c);
  });
}

/// dx[n,h,w,c] = sum of dy / (cells of the window on the picture) over the windows that cover it.
template <class T>
void average_pool_backward(const ConvGeometry& g, const T* dy, T* dx, int threads) {
  const auto picture = MIEN_SELECT_ISA(T, average_pool_backward_picture);
  parallel_for(threads, g.n,
               [&](std::int64_t n, int) { picture(g, dy + n * g.oh * g.ow * g.c, dx + n * g.h * g.w * g.c); });
}

}  // namespace mien::inline v0::kernels
