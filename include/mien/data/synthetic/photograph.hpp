#pragma once
// From a person and a scene to pixels: pose, light, blur, noise.

#include <algorithm>
#include <cstdint>
#include <vector>

#include <mien/data/picture.hpp>
#include <mien/data/synthetic/draw_face.hpp>

namespace mien::inline v0::detail {

/// The canvas seen through the camera: turned by scene.angle, and yaw and pitch move the features within the outline of
/// the head, which is what turning a rounded head does to first order.
[[nodiscard]] inline Canvas pose(const Scene& scene, int side) {
  const Fixed half_view = Fixed(0.84) / scene.scale, pixel = half_view * 2.0 / Fixed(side);
  const Fixed t = scene.angle, sine = t - t * t * t / 6.0, cosine = square_root(Fixed(1.0) - sine * sine);
  const auto place = [&](int column, int row) {
    const Fixed x = (Fixed(column) + 0.5) * pixel - half_view - scene.shift_x;
    const Fixed y = (Fixed(row) + 0.5) * pixel - half_view - scene.shift_y + 0.1;
    const Point p{cosine * x + sine * y, cosine * y - sine * x};
    const auto turned = [](Fixed at, Fixed by) { return at - by * greater(Fixed(1.0) - at * at, 0.0); };
    return Point{turned(p.x, scene.yaw), turned(p.y, scene.pitch)};
  };
  return Canvas(side, pixel, place);
}

/// Light from one side, a little darkness towards the rim, exposure, contrast, saturation.
inline void expose(Canvas& canvas, const Scene& scene) {
  auto& colours = canvas.colours();
  const Fixed middle = 118.0, gain = scene.exposure * scene.contrast;
  const Fixed offset = middle * (Fixed(1.0) - scene.contrast);
  for (std::size_t i = 0; i < colours.size(); ++i) {
    const Point p = canvas.points()[i];
    const Fixed light =
        bounded(Fixed(1.06) + p.x * scene.light_x + p.y * scene.light_y - (p.x * p.x + p.y * p.y) * 0.12, 0.3, 1.6) *
        gain;
    Colour& colour = colours[i];
    const std::int32_t grey = (77 * colour[0] + 150 * colour[1] + 29 * colour[2]) >> 8;
    colour = mix({grey, grey, grey}, colour, scene.saturation);
    colour = scaled(colour, light);
    for (auto& c : colour) c += offset.in_256ths();
  }
}

/// One pass along lines of `count` pixels `stride` apart: each pixel gives `share` to both neighbours.
inline void blur_line(Colour* line, std::size_t count, std::size_t stride, std::int32_t share) {
  Colour before = line[0];
  for (std::size_t i = 0; i < count; ++i) {
    const Colour here = line[i * stride], after = line[std::min(i + 1, count - 1) * stride];
    for (std::size_t c = 0; c < 3; ++c)
      line[i * stride][c] = here[c] + (((before[c] + after[c] - 2 * here[c]) * share) >> 8);
    before = here;
  }
}

inline void blur(Canvas& canvas, Fixed share) {
  const auto side = static_cast<std::size_t>(canvas.side());
  for (std::size_t i = 0; i < side; ++i) {
    blur_line(canvas.colours().data() + i * side, side, 1, share.in_256ths());
    blur_line(canvas.colours().data() + i, side, side, share.in_256ths());
  }
}

/// Grain of the given deviation, then rounding to uint8. A sum of four bytes has the deviation 147.8.
inline void develop(const Canvas& canvas, Fixed noise, Random& random, ColorMode mode, std::uint8_t* to) {
  const std::int64_t scale = noise.raw() / 148;  // 16 bits behind the point
  const auto level = [](std::int32_t c) { return static_cast<std::uint8_t>(std::clamp((c + 128) >> 8, 0, 255)); };
  for (const Colour& colour : canvas.colours()) {
    const std::uint32_t bits = random.bits();
    const auto sum =
        static_cast<std::int64_t>((bits & 255U) + (bits >> 8U & 255U) + (bits >> 16U & 255U) + (bits >> 24U));
    const auto grain = static_cast<std::int32_t>(((sum - 510) * scale) >> 8);
    const std::uint8_t red = level(colour[0] + grain), green = level(colour[1] + grain),
                       blue = level(colour[2] + grain);
    if (mode == ColorMode::grayscale) {
      *to++ = luminance(red, green, blue);
    } else {
      *to++ = red;
      *to++ = green;
      *to++ = blue;
    }
  }
}

}  // namespace mien::inline v0::detail
