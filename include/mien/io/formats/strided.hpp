#pragma once
// Tensors whose elements do not lie row-major: transposed views in PyTorch's files, Fortran order in numpy's.

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>

#include <mien/core/shape.hpp>

namespace mien::inline v0::detail {

/// The distance, in elements, from one index of an axis to the next.
using Strides = std::array<std::int64_t, Shape::max_rank>;

/// The strides of a row-major tensor.
[[nodiscard]] inline Strides row_major(const Shape& shape) {
  Strides strides{};
  std::int64_t step = 1;
  for (int axis = shape.rank() - 1; axis >= 0; --axis) {
    strides[static_cast<std::size_t>(axis)] = step;
    step *= shape[axis];
  }
  return strides;
}

/// The strides of a column-major tensor.
[[nodiscard]] inline Strides column_major(const Shape& shape) {
  Strides strides{};
  std::int64_t step = 1;
  for (int axis = 0; axis < shape.rank(); ++axis) {
    strides[static_cast<std::size_t>(axis)] = step;
    step *= shape[axis];
  }
  return strides;
}

/// Whether elements with these strides lie row-major without holes; the stride of an axis of one index means nothing.
[[nodiscard]] inline bool is_row_major(const Shape& shape, const Strides& strides) {
  const Strides plain = row_major(shape);
  for (int axis = 0; axis < shape.rank(); ++axis) {
    const auto a = static_cast<std::size_t>(axis);
    if (shape[axis] > 1 && shape.size() > 0 && strides[a] != plain[a]) return false;
  }
  return true;
}

/// Copies elements of `size` bytes with these strides to row-major ones. The caller has checked that the last element
/// lies in `from`.
inline void gather(std::span<const std::byte> from, std::size_t size, const Shape& shape, const Strides& strides,
                   std::span<std::byte> to) {
  std::array<std::int64_t, Shape::max_rank> index{};
  std::int64_t at = 0;
  for (std::size_t out = 0; out < to.size(); out += size) {
    std::memcpy(to.data() + out, from.data() + static_cast<std::size_t>(at) * size, size);
    for (int axis = shape.rank() - 1; axis >= 0; --axis) {
      const auto a = static_cast<std::size_t>(axis);
      at += strides[a];
      if (++index[a] < shape[axis]) break;
      at -= strides[a] * shape[axis];
      index[a] = 0;
    }
  }
}

}  // namespace mien::inline v0::detail
