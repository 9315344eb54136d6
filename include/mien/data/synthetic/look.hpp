#pragma once
// Every random number is drawn in a statement of its own: the order of arguments is the compiler's to choose.
// What does not change with the expression: who it is (Look), and how the picture was taken (Scene).

#include <array>
#include <cstdint>

#include <mien/data/synthetic/canvas.hpp>

namespace mien::inline v0::detail {

/// A person. Lengths are in head heights / 2: the head reaches from y = -1 to y = 1.
struct Look {
  Colour skin, hair, iris, lip;
  Fixed head_width, jaw_width, ear_size;
  Fixed eye_distance, eye_y, eye_width, eye_opening;
  Fixed brow_height, brow_thickness, brow_slope, brow_arch;
  Fixed nose_length, nose_width;
  Fixed mouth_y, mouth_width, lip_thickness, mouth_curve;
  Fixed hairline, hair_length, beard, moustache, age;
  bool is_bald = false, has_fringe = false, has_glasses = false;
  Fixed glasses_size, glasses_tint;
};

/// A photograph: pose, light, camera, and what else is in the picture.
struct Scene {
  Fixed angle, scale, shift_x, shift_y, yaw, pitch;
  Fixed light_x, light_y, exposure, contrast, saturation;
  Fixed blur, noise, gaze_x, gaze_y;
  Colour background_top, background_bottom, clothes, mask;
  Fixed mask_top;
};

[[nodiscard]] inline Colour draw_skin(Random& random) {
  constexpr std::array<Colour, 5> tones{rgb(240, 205, 182), rgb(226, 180, 145), rgb(196, 146, 108), rgb(148, 100, 70),
                                        rgb(92, 60, 44)};
  const auto i = static_cast<std::size_t>(random.below(4));
  const Fixed share = draw(random, 0.0, 1.0), brightness = draw(random, 0.92, 1.04);
  return scaled(mix(tones[i], tones[i + 1], share), brightness);
}

/// Dark hair on all; fair, red and grey hair less often on dark skin.
[[nodiscard]] inline Colour draw_hair(Random& random, const Colour& skin) {
  constexpr std::array<Colour, 7> tones{rgb(22, 18, 16),    rgb(40, 28, 20),  rgb(78, 52, 32),   rgb(122, 84, 48),
                                        rgb(206, 170, 110), rgb(140, 66, 34), rgb(176, 174, 172)};
  const std::uint32_t any = random.below(7), dark = random.below(3);
  const bool is_dark = skin[1] < rgb(0, 130, 0)[1] && draw_chance(random, 0.85);
  return scaled(tones[is_dark ? dark : any], draw(random, 0.8, 1.15));
}

[[nodiscard]] inline Colour draw_colour(Random& random, Fixed low, Fixed high) {
  Colour colour{};
  for (auto& c : colour) c = draw(random, low, high).in_256ths();
  return colour;
}

[[nodiscard]] inline Look draw_look(Random& random) {
  Look look;
  look.skin = draw_skin(random);
  look.hair = draw_hair(random, look.skin);
  look.iris = mix(rgb(56, 36, 22), rgb(88, 122, 140), draw_chance(random, 0.35) ? draw(random, 0.4, 1.0) : 0.0);
  look.lip = mix(scaled(look.skin, 0.82), rgb(168, 50, 56), draw(random, 0.35, 0.8));
  look.head_width = draw(random, 0.70, 0.82);
  look.jaw_width = draw(random, 0.78, 0.98);
  look.ear_size = draw(random, 0.14, 0.2);
  look.eye_distance = draw(random, 0.29, 0.36);
  look.eye_y = draw(random, -0.15, -0.09);
  look.eye_width = draw(random, 0.14, 0.18);
  look.eye_opening = draw(random, 0.055, 0.085);
  look.brow_height = draw(random, 0.17, 0.23);
  look.brow_thickness = draw(random, 0.065, 0.11);
  look.brow_slope = draw_bell(random, 0.017);
  look.brow_arch = draw(random, 0.0, 0.05);
  look.nose_length = draw(random, 0.32, 0.42);
  look.nose_width = draw(random, 0.1, 0.15);
  look.mouth_y = draw(random, 0.51, 0.57);
  look.mouth_width = draw(random, 0.26, 0.32);
  look.lip_thickness = draw(random, 0.055, 0.09);
  look.mouth_curve = draw_bell(random, 0.017);
  look.hairline = draw(random, -0.72, -0.5);
  look.hair_length = draw(random, -0.3, 1.2);
  look.beard = draw_chance(random, 0.18) ? draw(random, 0.25, 0.9) : 0.0;
  look.moustache = draw_chance(random, 0.15) ? draw(random, 0.4, 0.9) : 0.0;
  look.age = draw(random, 0.0, 1.0);
  look.is_bald = draw_chance(random, 0.1);
  look.has_fringe = draw_chance(random, 0.3);
  look.has_glasses = draw_chance(random, 0.18);
  look.glasses_size = draw(random, 0.19, 0.25);
  look.glasses_tint = draw_chance(random, 0.15) ? draw(random, 0.2, 0.45) : 0.05;
  return look;
}

[[nodiscard]] inline Scene draw_scene(Random& random) {
  Scene scene;
  scene.angle = draw_bell(random, 0.055);
  scene.scale = draw(random, 0.94, 1.1);
  scene.shift_x = draw_bell(random, 0.045);
  scene.shift_y = draw_bell(random, 0.045);
  scene.yaw = draw_bell(random, 0.08);
  scene.pitch = draw_bell(random, 0.04);
  scene.light_x = draw_bell(random, 0.2);
  scene.light_y = draw_bell(random, 0.15) - 0.08;
  scene.exposure = draw(random, 0.8, 1.15);
  scene.contrast = draw(random, 0.85, 1.2);
  scene.saturation = draw_chance(random, 0.25) ? 0.0 : draw(random, 0.5, 1.1);
  scene.blur = draw(random, 0.0, 0.22);
  scene.noise = draw(random, 0.5, 6.0);
  scene.gaze_x = draw_bell(random, 0.25);
  scene.gaze_y = draw_bell(random, 0.12);
  scene.background_top = draw_colour(random, 20.0, 235.0);
  const Colour other = draw_colour(random, 20.0, 235.0);
  scene.background_bottom = mix(scene.background_top, other, draw(random, 0.0, 0.6));
  scene.clothes = draw_colour(random, 15.0, 220.0);
  constexpr std::array<Colour, 4> masks{rgb(226, 232, 236), rgb(150, 190, 214), rgb(34, 34, 38), rgb(188, 204, 190)};
  const Colour cloth = masks[random.below(4)], tint = draw_colour(random, 30.0, 230.0);
  scene.mask = mix(cloth, tint, draw(random, 0.0, 0.25));
  scene.mask_top = draw(random, 0.1, 0.2);
  return scene;
}

}  // namespace mien::inline v0::detail
