#pragma once
// A picture from a file.

#include <string>

#include <mien/core/compiled.hpp>
#include <mien/core/tensor.hpp>
#include <mien/data/picture.hpp>

namespace mien::inline v0 {

struct LoadImageOptions {
  ImageSize size{};  ///< (height, width); {} keeps the picture's own
  ColorMode color_mode = ColorMode::rgb;
  Interpolation interpolation = Interpolation::bilinear;
};

/// The picture in a JPEG, PNG or BMP file as (H, W, C), values 0 ... 255; one picture needs no batch dimension.
///
///     Tensor<float> x = load_image("photo.jpg", {.size = {48, 48}, .color_mode = ColorMode::grayscale});
///
/// Resizes as Keras's `image_dataset_from_directory` does, so that prediction sees what training saw (`load_img` of
/// Keras takes the nearest pixel: `.interpolation = Interpolation::nearest`). Channels as in `decode_image`.
/// Throws FileError with the path and the reason, OptionError on a size without pixels.
[[nodiscard]] MIEN_INLINE Tensor<float> load_image(const std::string& path, const LoadImageOptions& options = {});

}  // namespace mien::inline v0

#if MIEN_DEFINES
#  include <mien/data/images/image_impl.hpp>
#endif
