#pragma once
// Bytes of a JPEG, PNG or BMP file -> a picture of uint8.

#include <cstddef>
#include <cstdint>
#include <span>

#include <mien/core/compiled.hpp>
#include <mien/core/tensor.hpp>
#include <mien/data/picture.hpp>

namespace mien::inline v0 {

/// The picture in the bytes of a JPEG, PNG or BMP file, as (H, W, C), values 0 ... 255. Grey becomes three equal
/// channels, colour becomes grey as PIL's convert("L") does it; an alpha channel is dropped; EXIF orientation is not
/// applied (as in Keras). Throws FileError on anything else, truncated files included.
[[nodiscard]] MIEN_INLINE Tensor<std::uint8_t> decode_image(std::span<const std::byte> bytes,
                                                            ColorMode mode = ColorMode::rgb);

}  // namespace mien::inline v0

#if MIEN_DEFINES
#  include <mien/data/images/decode_impl.hpp>
#endif
