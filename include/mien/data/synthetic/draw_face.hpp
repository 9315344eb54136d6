#pragma once
// A face on a canvas, from the back to the front.

#include <algorithm>
#include <array>

#include <mien/data/synthetic/canvas.hpp>
#include <mien/data/synthetic/expression.hpp>
#include <mien/data/synthetic/look.hpp>

namespace mien::inline v0::detail {

inline constexpr std::array<double, 2> sides{-1.0, 1.0};

/// A curve as seen from the other side: u becomes side * u.
[[nodiscard]] constexpr Curve mirrored(const Curve& curve, Fixed side) { return {curve.a, curve.b * side, curve.c}; }

inline void draw_background(Canvas& canvas, const Scene& scene) {
  const int side = canvas.side();
  auto pixel = canvas.colours().begin();
  for (int row = 0; row < side; ++row)
    pixel = std::fill_n(pixel, side, mix(scene.background_top, scene.background_bottom, Fixed(row) / Fixed(side)));
}

inline void draw_head(Canvas& canvas, const Look& look, const Scene& scene) {
  const Fixed w = look.head_width;
  const Colour shadow = scaled(look.skin, 0.62);
  if (!look.is_bald) {
    canvas.fill(Ellipse{{0.0, -0.25}, w + 0.13, 0.9}, look.hair);
    if (look.hair_length > 0)
      canvas.fill(Band{{0.0, -0.2}, w + 0.1, {0.0, 0.0, 0.0}, {look.hair_length, 0.0, -0.2}}, look.hair);
  }
  canvas.fill(Ellipse{{0.0, 1.75}, 1.25, 0.75}, scene.clothes);
  canvas.fill(Band{{0.0, 0.6}, w * 0.6, {0.0, 0.0, 0.0}, {0.62, 0.0, -0.15}}, shadow);
  for (const Fixed side : sides) {
    canvas.fill(Ellipse{{side * w, 0.02}, look.ear_size * 0.6, look.ear_size}, scaled(look.skin, 0.85));
    canvas.fill(Ellipse{{side * w, 0.02}, look.ear_size * 0.3, look.ear_size * 0.6}, shadow);
  }
  canvas.fill(Ellipse{{0.0, -0.2}, w, 0.8}, look.skin);
  canvas.fill(Ellipse{{0.0, 0.2}, w * look.jaw_width, 0.8}, look.skin);
}

/// Hollows and bumps that a face has at rest, deeper with age.
inline void draw_relief(Canvas& canvas, const Look& look, const Actions& actions) {
  const Colour shadow = scaled(look.skin, 0.6), light = mix(look.skin, rgb(255, 245, 235), 0.35);
  for (const Fixed side : sides) {
    const Fixed x = side * look.eye_distance;
    canvas.fill(Ellipse{{x, look.eye_y - 0.02}, 0.22, 0.15}, shadow, 0.22);
    const Fixed cheek = bounded(actions.lower_lid, 0.0, 1.0);
    canvas.fill(Ellipse{{side * 0.4, 0.24 - cheek * 0.05}, 0.17, 0.12}, light, cheek * 0.4 + 0.12);
    const Fixed bag = look.age * 0.25 + cheek * 0.4;
    canvas.fill(stroke({x, look.eye_y + 0.14}, 0.13, {0.0, 0.0, -0.04}, 0.035), shadow, bag);
  }
  canvas.fill(Ellipse{{0.0, 0.86}, 0.16, 0.08}, light, 0.2);
  canvas.fill(Ellipse{{0.0, 0.77}, 0.14, 0.03}, shadow, 0.3);
}

/// Frown lines, wrinkles beside the nose, folds from the nose to the corners of the mouth.
inline void draw_folds(Canvas& canvas, const Look& look, const Actions& actions) {
  const Colour fold = scaled(look.skin, 0.5);
  const Fixed frown = bounded(actions.brow_pinch, 0.0, 1.0), smile = bounded(actions.corner, 0.0, 1.0);
  const Fixed wrinkle = bounded(actions.nose_wrinkle, 0.0, 1.0), raised = bounded(actions.upper_lip, 0.0, 1.0);
  const Fixed forehead = bounded((actions.brow_inner + actions.brow_outer) * 0.5, 0.0, 1.0);
  for (const Fixed side : sides) {
    canvas.fill(Ellipse{{side * 0.055, look.eye_y - 0.16}, 0.026, 0.1}, fold, frown * 0.85);
    canvas.fill(stroke({side * 0.1, look.eye_y + 0.12}, 0.08, mirrored({0.0, -0.04, 0.0}, side), 0.03), fold,
                wrinkle * 0.7);
    const Fixed depth = look.age * 0.15 + greater(smile, raised) * 0.5;
    canvas.fill(
        stroke({side * (smile * 0.05 + 0.3), look.mouth_y - 0.12}, 0.09, mirrored({0.0, 0.13, 0.03}, side), 0.06), fold,
        depth);
  }
  for (const Fixed y : {Fixed(-0.56), Fixed(-0.47)})
    canvas.fill(stroke({0.0, y}, 0.3, {0.0, 0.0, 0.04}, 0.03), fold, forehead * 0.5 + look.age * 0.1);
}

inline void draw_nose(Canvas& canvas, const Look& look, const Scene& scene, const Actions& actions) {
  const Colour shadow = scaled(look.skin, 0.5), light = mix(look.skin, rgb(255, 245, 235), 0.4);
  const Fixed tip = look.eye_y + look.nose_length - bounded(actions.nose_wrinkle, 0.0, 1.0) * 0.04;
  const Fixed side = scene.light_x < 0 ? 1.0 : -1.0;
  canvas.fill(Ellipse{{side * look.nose_width * 0.75, tip - 0.15}, 0.035, 0.17}, shadow, 0.3);
  canvas.fill(Ellipse{{0.0, tip - 0.16}, 0.045, 0.2}, light, 0.3);
  canvas.fill(Ellipse{{0.0, tip}, look.nose_width * 0.55, 0.06}, light, 0.35);
  canvas.fill(stroke({0.0, tip + 0.055}, look.nose_width, {0.0, 0.0, -0.035}, 0.04), shadow, 0.5);
  for (const Fixed s : sides)
    canvas.fill(Ellipse{{s * look.nose_width * 0.55, tip + 0.045}, look.nose_width * 0.28, 0.024},
                scaled(look.skin, 0.25), 0.8);
}

inline void draw_eye(Canvas& canvas, const Look& look, const Scene& scene, const Actions& actions, Fixed side) {
  const Fixed upper = greater(look.eye_opening * (actions.upper_lid * 0.75 + 1.0), 0.004);
  const Fixed raised = bounded(actions.lower_lid, -0.5, 1.1);
  const Fixed lower = greater(look.eye_opening * (Fixed(0.75) - raised * 0.65), 0.002);
  const Fixed droop = bounded(-actions.upper_lid, 0.0, 1.0) * 0.05;  // a sad lid falls outwards
  const Point centre{side * look.eye_distance, look.eye_y};
  const Band white{centre, look.eye_width, mirrored({-upper, droop, upper}, side),
                   mirrored({lower, 0.0, -lower}, side)};
  canvas.fill(white, rgb(232, 226, 220));
  const Point pupil{centre.x + scene.gaze_x * 0.16, centre.y + scene.gaze_y * 0.12 - upper * 0.12};
  canvas.fill(Both{Ellipse{pupil, 0.078, 0.078}, white}, look.iris);
  canvas.fill(Both{Ellipse{pupil, 0.04, 0.04}, white}, rgb(12, 10, 10));
  canvas.fill(Both{Ellipse{{pupil.x - 0.03, pupil.y - 0.03}, 0.02, 0.02}, white}, rgb(250, 250, 250), 0.8);
  const Colour lash = scaled(look.skin, 0.22);
  canvas.fill(Band{centre, look.eye_width + 0.015, mirrored({-upper - 0.022, droop, upper + 0.01}, side),
                   mirrored({-upper + 0.012, droop, upper}, side)},
              lash, 0.9);
  canvas.fill(stroke({centre.x, centre.y + lower}, look.eye_width, mirrored({0.0, 0.0, -lower}, side), 0.022), lash,
              0.4);
  canvas.fill(stroke({centre.x, centre.y - upper - 0.05}, look.eye_width, mirrored({0.0, droop, 0.05}, side), 0.025),
              scaled(look.skin, 0.5), 0.45);
}

inline void draw_brow(Canvas& canvas, const Look& look, const Actions& actions, Fixed side) {
  const Fixed inner = actions.brow_inner * 0.14, outer = actions.brow_outer * 0.11;
  const Fixed lowered = bounded(actions.brow_pinch, 0.0, 1.0) * 0.03;
  const Point centre{side * (look.eye_distance + 0.01 - bounded(actions.brow_pinch, -0.3, 1.0) * 0.045),
                     look.eye_y - look.brow_height + lowered - (inner + outer) * 0.5};
  const Curve line{look.brow_arch * -0.6, (inner - outer) * 0.5 + look.brow_slope, look.brow_arch};
  const Colour colour = mix(mix(look.hair, rgb(24, 18, 14), 0.5), look.skin, 0.05);
  canvas.fill(stroke(centre, look.eye_width + 0.045, mirrored(line, side), look.brow_thickness), colour, 0.92);
}

inline void draw_mouth(Canvas& canvas, const Look& look, const Actions& actions) {
  const Fixed width = look.mouth_width * bounded(actions.width * 0.26 + 1.0, 0.6, 1.5);
  const Fixed bend = actions.corner * 0.16 + look.mouth_curve;  // the corners rise by this
  const Fixed opening = bounded(actions.opening, 0.0, 1.2) * 0.25;
  const Fixed lips = look.lip_thickness * (Fixed(1.0) - bounded(actions.press, 0.0, 1.0) * 0.6);
  const Fixed lift = bounded(actions.upper_lip, 0.0, 1.0) * 0.035;
  const Point centre{0.0, look.mouth_y};
  // Both edges of the opening meet at the corners, at the height -bend; the middle stays where the teeth are.
  const Fixed top = bend * 0.4 - lift - opening * 0.2, bottom = bend * 0.4 + opening * 0.8;
  const Curve upper_edge{top, 0.0, -bend - top + bend * 0.4}, lower_edge{bottom, 0.0, -bend - bottom + bend * 0.4};
  const Fixed fade = lips * 0.9;
  const Band inside{centre, width, upper_edge, lower_edge};
  const Band upper_lip{centre, width, {top - fade, 0.0, upper_edge.c + fade}, upper_edge};
  const Band lower_lip{centre, width * 0.94, lower_edge, {bottom + lips * 1.15, 0.0, lower_edge.c - lips * 1.15}};
  canvas.fill(upper_lip, scaled(look.lip, 0.88));
  canvas.fill(lower_lip, look.lip);
  canvas.fill(inside, rgb(46, 16, 18));
  const Fixed teeth = lesser(opening * 0.4 + bounded(actions.corner + actions.upper_lip, 0.0, 1.0) * 0.05, 0.085);
  canvas.fill(Both{Band{centre, width * 0.86, upper_edge, {top + teeth, 0.0, upper_edge.c}}, inside},
              rgb(220, 212, 200), 0.9);
  canvas.fill(stroke(centre, width + 0.02, {(top + bottom) * 0.5, 0.0, (upper_edge.c + lower_edge.c) * 0.5}, 0.03),
              scaled(look.skin, 0.28), Fixed(0.85) - bounded(opening * 6.0, 0.0, 0.85));
  for (const Fixed side : sides)  // the corners' own little shadows
    canvas.fill(Ellipse{{side * width, look.mouth_y - bend * 0.6}, 0.035, 0.03}, scaled(look.skin, 0.4), 0.5);
  canvas.fill(stroke({0.0, look.mouth_y + bottom + lips * 1.15 + 0.03}, width * 0.5, {0.0, 0.0, -0.02}, 0.035),
              scaled(look.skin, 0.6), 0.4);
}

inline void draw_facial_hair(Canvas& canvas, const Look& look) {
  if (look.beard > 0) {
    const Ellipse jaw{{0.0, 0.2}, look.head_width * look.jaw_width, 0.81};
    canvas.fill(Both{Band{{0.0, look.mouth_y}, look.head_width, {0.17, 0.0, -0.75}, {0.7, 0.0, 0.0}}, jaw}, look.hair,
                look.beard);
  }
  if (look.moustache > 0)
    canvas.fill(stroke({0.0, look.mouth_y - 0.11}, look.mouth_width * 0.85, {0.0, 0.0, 0.05}, 0.08), look.hair,
                look.moustache);
}

inline void draw_glasses(Canvas& canvas, const Look& look) {
  const Colour frame = rgb(28, 26, 26);
  for (const Fixed side : sides) {
    const Ellipse glass{{side * look.eye_distance, look.eye_y + 0.02}, look.glasses_size, look.glasses_size * 0.8};
    canvas.fill(glass, rgb(20, 24, 28), look.glasses_tint);
    canvas.fill(Ring{glass, 0.035}, frame, 0.9);
    canvas.fill(Band{{side * 0.68, look.eye_y}, 0.12, {-0.02, 0.0, 0.0}, {0.02, 0.0, 0.0}}, frame, 0.8);
  }
  canvas.fill(stroke({0.0, look.eye_y}, look.eye_distance - look.glasses_size + 0.02, {-0.01, 0.0, 0.03}, 0.04), frame);
}

inline void draw_fringe(Canvas& canvas, const Look& look) {
  if (look.is_bald) return;
  const Fixed low = look.has_fringe ? look.hairline + 0.1 : look.hairline;
  const Ellipse skull{{0.0, -0.22}, look.head_width + 0.04, 0.84};
  canvas.fill(
      Both{Band{{0.0, 0.0}, look.head_width + 0.05, {-1.2, 0.0, 0.0}, {low, look.brow_slope * 5.0, 0.42}}, skull},
      look.hair);
}

/// A mask over mouth and nose, with its folds and the bands to the ears.
inline void draw_mask(Canvas& canvas, const Look& look, const Scene& scene) {
  const Fixed w = look.head_width * look.jaw_width;
  const Ellipse jaw{{0.0, 0.2}, w + 0.02, 0.83};
  const Fixed top = scene.mask_top;
  for (const Fixed side : sides)
    canvas.fill(
        Band{{side * w * 0.9, top}, 0.13, mirrored({0.02, -0.05, 0.0}, side), mirrored({0.06, -0.05, 0.0}, side)},
        scaled(scene.mask, 0.8), 0.8);
  const Band cloth{{0.0, 0.0}, w, {top - 0.06, 0.0, 0.14}, {1.05, 0.0, 0.0}};
  canvas.fill(Both{cloth, jaw}, scene.mask);
  canvas.fill(Both{stroke({0.0, top}, w, {-0.04, 0.0, 0.14}, 0.05), jaw}, scaled(scene.mask, 0.75), 0.7);
  for (const Fixed y : {Fixed(0.42), Fixed(0.56), Fixed(0.70)})
    canvas.fill(Both{stroke({0.0, y}, w * 0.9, {0.0, 0.0, 0.04}, 0.03), jaw}, scaled(scene.mask, 0.72), 0.6);
}

inline void draw_face(Canvas& canvas, const Look& look, const Scene& scene, const Actions& actions, bool masked) {
  draw_background(canvas, scene);
  draw_head(canvas, look, scene);
  draw_relief(canvas, look, actions);
  draw_folds(canvas, look, actions);
  draw_nose(canvas, look, scene, actions);
  for (const Fixed side : sides) draw_eye(canvas, look, scene, actions, side);
  draw_facial_hair(canvas, look);
  draw_mouth(canvas, look, actions);
  if (masked) draw_mask(canvas, look, scene);
  for (const Fixed side : sides) draw_brow(canvas, look, actions, side);
  if (look.has_glasses) draw_glasses(canvas, look);
  draw_fringe(canvas, look);
}

}  // namespace mien::inline v0::detail
