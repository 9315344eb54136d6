#pragma once
// The two transforms that only the gradient of the kernel has: what they are given. The arithmetic is in
// gradient_transform.inl. Places are those of transform.hpp.

#include <cstdint>

#include <mien/kernels/conv/winograd/transform.hpp>

namespace mien::inline v0::kernels::winograd {

/// Z = A dY A' of a tile of the sizes rows x columns: output (i, j) of filter k is from[i * row + j * column + k].
/// Writes whole vectors of filters.
template <class T>
struct GradientTile {
  const T* from;
  std::int64_t row, column;
  int rows, columns;
  std::int64_t filters;
  T* to;
  const PointPlaces& places;
  std::int64_t ahead;  ///< from a pixel to the one that is fetched into the caches meanwhile
};

/// dw = G' dU G of one channel. dU of filter k at point p = i * (points of a row) + j is the sum, in order, of
/// from[piece * `piece` + p * point + k]; tap (r, s) goes to to[(r * 3 + s) * tap + k]. Reads whole vectors of filters.
template <class T>
struct PointSums {
  const T* from;
  std::int64_t pieces, piece, point;
  int rows, columns;  ///< the largest tile's sizes
  std::int64_t filters;
  T* to;
  std::int64_t tap;
  std::int64_t ahead;  ///< from a tap to the one that is fetched into the caches meanwhile, to be written next
};

template <class T>
struct GradientTransforms {
  void (*spread)(const GradientTile<T>&);
  void (*gather)(const PointSums<T>&);
};

}  // namespace mien::inline v0::kernels::winograd

#define MIEN_KERNEL_TEXT <mien/kernels/conv/winograd/gradient_transform.inl>
#include <mien/kernels/isa/for_each_isa.inl>

namespace mien::inline v0::kernels::winograd {

/// The transforms of the active instruction set (double: the portable ones).
template <class T>
[[nodiscard]] const GradientTransforms<T>& active_gradient_transforms() {
  return *MIEN_SELECT_ISA(T, winograd_gradient_transforms);
}

}  // namespace mien::inline v0::kernels::winograd
