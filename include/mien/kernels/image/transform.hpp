#pragma once
// Moving the pixels of pictures (H, W, C): borders, mirrors, affine maps, and the transposes of these linear maps.
// Pictures are small and these functions far from the hot path: plain code, one task a picture.

#include <algorithm>
#include <cmath>
#include <cstdint>

namespace mien::inline v0::kernels {

/// Extents of one picture.
struct Picture {
  std::int64_t h, w, c;
  [[nodiscard]] constexpr std::int64_t size() const { return h * w * c; }
};

/// y, of extents `larger`, is zero but for x, of extents `p`, whose first pixel is at (top, left).
template <class T>
void pad_picture(const Picture& p, const Picture& larger, std::int64_t top, std::int64_t left, const T* x, T* y) {
  const std::int64_t row = p.w * p.c, wide = larger.w * larger.c, before = left * p.c;
  std::fill(y, y + top * wide, T{0});
  for (std::int64_t h = 0; h < p.h; ++h) {
    T* to = y + (top + h) * wide;
    std::fill(to, to + before, T{0});
    std::copy(x + h * row, x + (h + 1) * row, to + before);
    std::fill(to + before + row, to + wide, T{0});
  }
  std::fill(y + (top + p.h) * wide, y + larger.size(), T{0});
}

/// The transpose of pad_picture: x, of extents `p`, is the part of y that begins at (top, left).
template <class T>
void crop_picture(const Picture& p, const Picture& larger, std::int64_t top, std::int64_t left, const T* y, T* x) {
  const std::int64_t row = p.w * p.c;
  for (std::int64_t h = 0; h < p.h; ++h) {
    const T* from = y + ((top + h) * larger.w + left) * p.c;
    std::copy(from, from + row, x + h * row);
  }
}

/// y is x mirrored; its own transpose.
template <class T>
void flip_picture(const Picture& p, bool horizontally, bool vertically, const T* x, T* y) {
  for (std::int64_t h = 0; h < p.h; ++h)
    for (std::int64_t w = 0; w < p.w; ++w) {
      const std::int64_t from_h = vertically ? p.h - 1 - h : h, from_w = horizontally ? p.w - 1 - w : w;
      const T* from = x + (from_h * p.w + from_w) * p.c;
      std::copy(from, from + p.c, y + (h * p.w + w) * p.c);
    }
}

/// Output pixel (row, column) comes from input position (row_0 + row_h row + row_w column, column_0 + ...).
struct AffineMap {
  double row_0 = 0, row_h = 1, row_w = 0;
  double column_0 = 0, column_h = 0, column_w = 1;
};

/// What lies outside the picture: (d c b a | a b c d | d c b a), a constant, (a b c d | a b c d | a b c d), or the
/// nearest pixel.
enum class Fill : int { reflect, constant, wrap, nearest };

/// How an affine map reads its input.
struct Sampling {
  Fill fill = Fill::reflect;
  bool bilinear = true;   ///< false: the nearest pixel
  double fill_value = 0;  ///< for Fill::constant
};

/// A position outside 0 ... n-1 brought back onto the axis, unless a constant lies there.
[[nodiscard]] inline double position_on_axis(double at, std::int64_t n, Fill fill) {
  const auto length = static_cast<double>(n);
  if (fill == Fill::constant) return at;
  if (fill == Fill::wrap) at -= length * std::floor(at / length);
  if (fill == Fill::reflect) {
    const double along = at + 0.5 - 2 * length * std::floor((at + 0.5) / (2 * length));
    at = std::min(along, 2 * length - along) - 0.5;
  }
  return std::clamp(at, 0.0, length - 1);
}

/// The four pixels around a position and their weights: rows h, h + 1, columns w, w + 1. A weight of 0 stands for
/// a pixel that must not be read, or need not.
struct Taps {
  std::int64_t h, w;
  double below, right;
};

[[nodiscard]] inline Taps taps_at(const Picture& p, const AffineMap& map, const Sampling& sampling, std::int64_t h,
                                  std::int64_t w) {
  const auto y = static_cast<double>(h), x = static_cast<double>(w);
  double row = position_on_axis(map.row_0 + map.row_h * y + map.row_w * x, p.h, sampling.fill);
  double column = position_on_axis(map.column_0 + map.column_h * y + map.column_w * x, p.w, sampling.fill);
  if (!sampling.bilinear) row = std::round(row), column = std::round(column);
  const double top = std::floor(row), left = std::floor(column);
  return {static_cast<std::int64_t>(top), static_cast<std::int64_t>(left), row - top, column - left};
}

/// Calls use(pixel or -1 for outside, weight) for the pixels that an output pixel is made of.
template <class Use>
void for_each_tap(const Picture& p, const Taps& taps, const Use& use) {
  for (std::int64_t r = 0; r < 2; ++r)
    for (std::int64_t s = 0; s < 2; ++s) {
      const double weight = (r == 0 ? 1 - taps.below : taps.below) * (s == 0 ? 1 - taps.right : taps.right);
      const std::int64_t h = taps.h + r, w = taps.w + s;
      if (weight != 0) use(h >= 0 && h < p.h && w >= 0 && w < p.w ? h * p.w + w : -1, weight);
    }
}

/// y[h, w] = x[map(h, w)].
template <class T>
void affine_forward(const Picture& p, const AffineMap& map, const Sampling& sampling, const T* x, T* y) {
  for (std::int64_t h = 0; h < p.h; ++h)
    for (std::int64_t w = 0; w < p.w; ++w, y += p.c) {
      std::fill(y, y + p.c, T{0});
      for_each_tap(p, taps_at(p, map, sampling, h, w), [&](std::int64_t pixel, double weight) {
        for (std::int64_t c = 0; c < p.c; ++c)
          y[c] += static_cast<T>(weight) * (pixel < 0 ? static_cast<T>(sampling.fill_value) : x[pixel * p.c + c]);
      });
    }
}

/// dx = the transpose of affine_forward applied to dy.
template <class T>
void affine_backward(const Picture& p, const AffineMap& map, const Sampling& sampling, const T* dy, T* dx) {
  std::fill(dx, dx + p.size(), T{0});
  for (std::int64_t h = 0; h < p.h; ++h)
    for (std::int64_t w = 0; w < p.w; ++w, dy += p.c)
      for_each_tap(p, taps_at(p, map, sampling, h, w), [&](std::int64_t pixel, double weight) {
        for (std::int64_t c = 0; pixel >= 0 && c < p.c; ++c) dx[pixel * p.c + c] += static_cast<T>(weight) * dy[c];
      });
}

}  // namespace mien::inline v0::kernels
