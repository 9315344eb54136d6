#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <initializer_list>
#include <limits>
#include <span>
#include <string>

#include <mien/core/error.hpp>

namespace mien::inline v0 {

/// The extents of a tensor, outermost first, row-major: a value without allocation.
/// Letters, once for the whole library: N batch; H W input rows and columns; C input channels; K filters;
/// R S kernel rows and columns; OH OW output rows and columns. Pictures are (N, H, W, C), convolution kernels (R, S, C,
/// K).
class Shape {
 public:
  static constexpr int max_rank = 6;

  constexpr Shape() = default;
  /// Throws ShapeError on more than max_rank extents, a negative one, or a product that overflows 63 bits.
  Shape(std::initializer_list<std::int64_t> extents) : Shape(std::span(extents.begin(), extents.size())) {}
  explicit Shape(std::span<const std::int64_t> extents);

  [[nodiscard]] constexpr int rank() const { return rank_; }
  [[nodiscard]] constexpr bool empty() const { return rank_ == 0; }
  /// The extent of an axis; a negative axis counts from the end, as in Python.
  [[nodiscard]] constexpr std::int64_t operator[](int axis) const {
    return extents_[static_cast<std::size_t>(axis < 0 ? axis + rank_ : axis)];
  }
  /// The number of elements: the product of the extents, 1 for rank 0.
  [[nodiscard]] constexpr std::int64_t size() const { return size_; }
  [[nodiscard]] constexpr const std::int64_t* begin() const { return extents_.data(); }
  [[nodiscard]] constexpr const std::int64_t* end() const { return extents_.data() + rank_; }

  /// This shape with another extent in front: a sample's shape becomes a batch's.
  [[nodiscard]] Shape with_batch(std::int64_t n) const;
  /// This shape without its first extent.
  [[nodiscard]] Shape without_batch() const { return Shape(std::span(begin() + std::min(1, rank_), end())); }

  /// As Python prints a tuple: "(48, 48, 3)", "(7,)", "()".
  [[nodiscard]] std::string to_string() const { return text("(", join(*this), rank_ == 1 ? ",)" : ")"); }

  friend constexpr bool operator==(const Shape& a, const Shape& b) {
    return std::equal(a.begin(), a.end(), b.begin(), b.end());
  }

 private:
  std::array<std::int64_t, max_rank> extents_{};
  std::int64_t size_ = 1;
  int rank_ = 0;
};

inline Shape::Shape(std::span<const std::int64_t> extents) {
  if (extents.size() > max_rank)
    throw ShapeError(text("a shape has at most ", max_rank, " extents, got ", extents.size(), ": ", join(extents)));
  for (const std::int64_t extent : extents) {
    if (extent < 0) throw ShapeError(text("a shape has no negative extents, got (", join(extents), ")"));
    if (extent > 0 && size_ > std::numeric_limits<std::int64_t>::max() / extent)
      throw ShapeError(text("the number of elements of (", join(extents), ") does not fit 63 bits"));
    size_ *= extent;
    extents_[static_cast<std::size_t>(rank_++)] = extent;
  }
}

inline Shape Shape::with_batch(std::int64_t n) const {
  std::array<std::int64_t, max_rank + 1> extents{n};
  std::copy(begin(), end(), extents.begin() + 1);
  return Shape(std::span(extents.data(), static_cast<std::size_t>(rank_) + 1));
}

}  // namespace mien::inline v0
