#pragma once
// A convolution as its definition says it, one output after the other, any geometry: what every other algorithm is
// tested against, and the last row of every list.

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include <mien/core/parallel.hpp>
#include <mien/kernels/conv/algorithm.hpp>
#include <mien/kernels/elementwise/activate.hpp>

namespace mien::inline v0::kernels::reference {

inline const char* accepts(const ConvGeometry&) { return nullptr; }
inline std::size_t workspace(const ConvGeometry&, int) { return 0; }

/// Calls body(x offset of channel 0 of the group, w offset of the tap's first channel) for each tap of output pixel
/// (n, i, j) that falls on the picture.
template <class Body>
void for_each_tap(const ConvGeometry& g, std::int64_t n, std::int64_t i, std::int64_t j, std::int64_t group,
                  const Body& body) {
  for (std::int64_t r = 0; r < g.r; ++r)
    for (std::int64_t s = 0; s < g.s; ++s) {
      const std::int64_t row = i * g.stride_h - g.pad_top + r * g.dilation_h;
      const std::int64_t column = j * g.stride_w - g.pad_left + s * g.dilation_w;
      if (row < 0 || row >= g.h || column < 0 || column >= g.w) continue;
      body(((n * g.h + row) * g.w + column) * g.c + group * group_channels(g), (r * g.s + s) * group_channels(g) * g.k);
    }
}

/// y[n,i,j,k] = activation(bias[k] + sum over r,s,c of x[n, i*stride + r*dilation - pad, ..., c] * w[r,s,c,k])
template <class T>
void forward(const ConvCall<T>& call) {
  const ConvGeometry& g = call.geometry;
  parallel_for(call.threads, g.n * g.oh, [&](std::int64_t row, int) {
    const std::int64_t n = row / g.oh, i = row % g.oh;
    for (std::int64_t j = 0; j < g.ow; ++j) {
      T* const y = call.result + (row * g.ow + j) * g.k;
      for (std::int64_t k = 0; k < g.k; ++k) {
        T sum = 0;
        for_each_tap(g, n, i, j, k / group_filters(g), [&](std::int64_t x, std::int64_t w) {
          for (std::int64_t c = 0; c < group_channels(g); ++c) sum += call.left[x + c] * call.right[w + c * g.k + k];
        });
        y[k] = call.epilogue.bias != nullptr ? sum + call.epilogue.bias[k] : sum;
      }
      activate(call.epilogue.activation, g.k, y, y);
    }
    call.epilogue.finished(row * g.ow, g.ow, g.k);
  });
}

/// dx[n,h,w,c] = sum of dy[n,i,j,k] * w[r,s,c,k] over all outputs (i, j), taps (r, s) and filters k that read
/// x[n,h,w,c]
template <class T>
void backward_input(const ConvCall<T>& call) {
  const ConvGeometry& g = call.geometry;
  parallel_for(call.threads, g.n, [&](std::int64_t n, int) {
    std::fill_n(call.result + n * g.h * g.w * g.c, g.h * g.w * g.c, T(0));
    for (std::int64_t i = 0; i < g.oh; ++i)
      for (std::int64_t j = 0; j < g.ow; ++j)
        for (std::int64_t k = 0; k < g.k; ++k) {
          const T dy = call.left[((n * g.oh + i) * g.ow + j) * g.k + k];
          for_each_tap(g, n, i, j, k / group_filters(g), [&](std::int64_t x, std::int64_t w) {
            for (std::int64_t c = 0; c < group_channels(g); ++c) call.result[x + c] += dy * call.right[w + c * g.k + k];
          });
        }
  });
}

/// dw[r,s,c,k] = sum over n, i, j of x[n, i*stride + r*dilation - pad, ..., c] * dy[n,i,j,k]
template <class T>
void backward_kernel(const ConvCall<T>& call) {
  const ConvGeometry& g = call.geometry;
  parallel_for(call.threads, g.k, [&](std::int64_t k, int) {
    for (std::int64_t t = 0; t < patch_size(g); ++t) call.result[t * g.k + k] = 0;
    for (std::int64_t n = 0; n < g.n; ++n)
      for (std::int64_t i = 0; i < g.oh; ++i)
        for (std::int64_t j = 0; j < g.ow; ++j) {
          const T dy = call.right[((n * g.oh + i) * g.ow + j) * g.k + k];
          for_each_tap(g, n, i, j, k / group_filters(g), [&](std::int64_t x, std::int64_t w) {
            for (std::int64_t c = 0; c < group_channels(g); ++c) call.result[w + c * g.k + k] += dy * call.left[x + c];
          });
        }
  });
}

}  // namespace mien::inline v0::kernels::reference
