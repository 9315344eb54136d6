#pragma once

#include <mien/graph/node.hpp>
#include <mien/layers/random_flip.hpp>
#include <mien/layers/random_rotation.hpp>
#include <mien/layers/random_translation.hpp>

namespace mien::inline v0 {

/// Faces mirrored, moved by up to 8 % and turned by up to 11 degrees; in training only.
template <class = void>
[[nodiscard]] Node face_augmentation(const Node& pictures) {
  Node y = RandomFlip{.mode = "horizontal"}(pictures);
  y = RandomTranslation{.height_factor = 0.08, .width_factor = 0.08}(y);
  return RandomRotation{.factor = 0.03}(y);
}

}  // namespace mien::inline v0
