#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

#include <mien/core/tensor.hpp>
#include <mien/data/picture.hpp>

namespace mien::inline v0 {

namespace detail {

/// The two input rows (or columns) that one output row is mixed from: (1 - weight) * first + weight * second.
struct ResizeTap {
  std::int64_t first = 0, second = 0;
  float weight = 0;
};

/// Half-pixel centres: output i lies at (i + 0.5) n / m - 0.5 of the input; beyond the edge is the edge.
[[nodiscard]] inline std::vector<ResizeTap> resize_taps(std::int64_t from, std::int64_t to, Interpolation how) {
  std::vector<ResizeTap> taps(static_cast<std::size_t>(to));
  const float scale = static_cast<float>(from) / static_cast<float>(to);
  for (std::int64_t i = 0; i < to; ++i) {
    ResizeTap& tap = taps[static_cast<std::size_t>(i)];
    if (how == Interpolation::nearest) {
      tap.first = tap.second = (2 * i + 1) * from / (2 * to);
    } else {
      const float at = (static_cast<float>(i) + 0.5F) * scale - 0.5F, below = std::floor(at);
      tap.first = std::max<std::int64_t>(static_cast<std::int64_t>(below), 0);
      tap.second = std::min(static_cast<std::int64_t>(below) + 1, from - 1);
      tap.weight = at - below;
    }
  }
  return taps;
}

}  // namespace detail

/// The picture (H, W, C) at another size, as `tf.image.resize`, and with it Keras's `Resizing` and
/// `image_dataset_from_directory`, does it: half-pixel centres, bilinear between the four nearest pixels, no
/// antialiasing, the aspect ratio not kept, values not rounded. `nearest` takes the pixel at floor((i + 0.5) n / m),
/// as `load_img` does. Throws ShapeError or OptionError on pictures or sizes without pixels.
template <class T>
[[nodiscard]] Tensor<float> resize_image(TensorView<T> picture, ImageSize size,
                                         Interpolation how = Interpolation::bilinear) {
  const Shape& shape = picture.shape();
  if (shape.rank() != 3 || shape.size() == 0)
    throw ShapeError(text("resize_image: a picture's shape is (height, width, channels), got ", shape));
  if (size.keeps()) size = {shape[0], shape[1]};
  if (size.height < 1 || size.width < 1)
    throw OptionError(text("resize_image: height and width must be at least 1, got ", size));
  const auto rows = detail::resize_taps(shape[0], size.height, how);
  const auto columns = detail::resize_taps(shape[1], size.width, how);
  const std::int64_t depth = shape[2];
  Tensor<float> out({size.height, size.width, depth});
  float* to = out.data();
  for (const detail::ResizeTap& row : rows) {
    const T *above = picture.data() + row.first * shape[1] * depth,
            *below = picture.data() + row.second * shape[1] * depth;
    for (const detail::ResizeTap& column : columns) {
      const std::int64_t left = column.first * depth, right = column.second * depth;
      for (std::int64_t c = 0; c < depth; ++c) {
        const auto at = [c](const T* line, std::int64_t pixel) { return static_cast<float>(line[pixel + c]); };
        const float top = at(above, left) + (at(above, right) - at(above, left)) * column.weight;
        const float bottom = at(below, left) + (at(below, right) - at(below, left)) * column.weight;
        *to++ = top + (bottom - top) * row.weight;
      }
    }
  }
  return out;
}

}  // namespace mien::inline v0
