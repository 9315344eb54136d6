#pragma once
// Expressions as a handful of facial actions, after the Facial Action Coding System (Ekman and Friesen, 1978).

#include <array>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include <mien/core/error.hpp>
#include <mien/data/synthetic/fixed.hpp>

namespace mien::inline v0::detail {

/// What the muscles do, 0 at rest, 1 (or -1) as far as a lively face goes.
struct Actions {
  Fixed brow_inner;    ///< inner ends up (action unit 1), down (4)
  Fixed brow_outer;    ///< outer ends up (2), down
  Fixed brow_pinch;    ///< brows together, frown lines (4)
  Fixed upper_lid;     ///< wide (5), drooping (43)
  Fixed lower_lid;     ///< raised with the cheeks (6, 7)
  Fixed nose_wrinkle;  ///< (9)
  Fixed upper_lip;     ///< raised (10)
  Fixed corner;        ///< mouth corners up (12), down (15)
  Fixed width;         ///< mouth stretched (20), narrowed (18)
  Fixed opening;       ///< jaw dropped (26)
  Fixed press;         ///< lips pressed thin (24)

  static constexpr std::array members{&Actions::brow_inner, &Actions::brow_outer, &Actions::brow_pinch,
                                      &Actions::upper_lid,  &Actions::lower_lid,  &Actions::nose_wrinkle,
                                      &Actions::upper_lip,  &Actions::corner,     &Actions::width,
                                      &Actions::opening,    &Actions::press};
};

struct Expression {
  std::string_view name;
  Actions actions;
};

/// The seven classes of FER-2013. An angry mouth is pressed here; `draw_actions` opens some of them.
inline constexpr std::array<Expression, 7> expressions{{
    // name        inner outer pinch  lid  lower wrinkle lip corner width open press
    {"angry", {-0.9, 0.2, 1.0, -0.1, 0.6, 0.4, 0.1, -0.4, -0.3, 0.0, 0.9}},
    {"disgust", {-0.5, -0.4, 0.5, -0.4, 0.7, 1.0, 1.0, -0.4, 0.0, 0.1, 0.0}},
    {"fear", {0.9, 0.2, 0.5, 0.9, 0.2, 0.0, 0.1, -0.3, 0.6, 0.4, 0.2}},
    {"happy", {0.1, 0.2, 0.0, 0.0, 0.8, 0.0, 0.4, 1.0, 0.6, 0.45, 0.0}},
    {"neutral", {0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0}},
    {"sad", {0.8, -0.6, 0.4, -0.5, 0.1, 0.0, 0.0, -0.8, -0.1, 0.0, 0.2}},
    {"surprise", {0.9, 1.0, 0.0, 1.0, -0.1, 0.0, 0.1, 0.0, -0.4, 1.0, 0.0}},
}};

/// Throws OptionError on a name that is no expression.
[[nodiscard]] inline const Expression& expression_named(std::string_view name) {
  std::vector<std::string_view> names;
  for (const Expression& expression : expressions) {
    if (expression.name == name) return expression;
    names.push_back(expression.name);
  }
  throw OptionError(text("synthetic_faces: there is no expression \"", name, "\"; expected one of ", join(names)));
}

/// An expression at a random intensity, each action more or less of it and a little off; now and then speaking.
/// Low intensities with large offsets are the ambiguous faces that real collections have.
[[nodiscard]] inline Actions draw_actions(const Actions& expression, Random& random) {
  const Fixed weak = draw(random, 0.15, 1.0), lively = draw(random, 0.0, 0.7);
  const Fixed intensity = mix(weak, 1.0, lively);
  Actions actions;
  for (const auto member : Actions::members) {
    const Fixed gain = draw(random, 0.6, 1.2) * intensity;
    actions.*member = expression.*member * gain + draw_bell(random, 0.1);
  }
  const bool speaks = draw_chance(random, 0.25);
  const Fixed word = draw(random, 0.1, 0.7);
  if (speaks) {
    actions.opening = greater(actions.opening, word);
    actions.press = actions.press * 0.3;
  }
  return actions;
}

}  // namespace mien::inline v0::detail
