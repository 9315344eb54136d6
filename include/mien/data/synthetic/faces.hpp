#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include <mien/core/parallel.hpp>
#include <mien/data/dataset.hpp>
#include <mien/data/synthetic/photograph.hpp>

namespace mien::inline v0 {

struct SyntheticFacesOptions {
  /// Of angry, disgust, fear, happy, neutral, sad, surprise; the order is that of the class indices.
  std::vector<std::string> classes{"angry", "happy", "sad"};
  std::int64_t image_size = 48;           ///< height and width, 16 to 512
  double mask_probability = 0;            ///< of wearing a mask over mouth and nose
  std::int64_t samples_per_identity = 4;  ///< pictures of one person, in a row
  ColorMode color_mode = ColorMode::rgb;
  int threads = 0;  ///< that draw; 0: those allowed to the process. Changes nothing but the time
};

namespace detail {

inline void check_synthetic_options(std::int64_t n, const SyntheticFacesOptions& options) {
  if (n < 0) throw OptionError(text("synthetic_faces: n must be at least 0, got ", n));
  if (options.classes.empty()) throw OptionError("synthetic_faces: classes is empty; expected at least one expression");
  if (options.image_size < 16 || options.image_size > 512)
    throw OptionError(text("synthetic_faces: image_size must be 16 to 512, got ", options.image_size));
  if (!(options.mask_probability >= 0 && options.mask_probability <= 1))
    throw OptionError(text("synthetic_faces: mask_probability must be 0 to 1, got ", options.mask_probability));
  if (options.samples_per_identity < 1)
    throw OptionError(
        text("synthetic_faces: samples_per_identity must be at least 1, got ", options.samples_per_identity));
}

/// Picture i of the person `identity`. People and photographs have streams of their own, so that a person looks the
/// same in all pictures, and a mask changes nothing else.
inline void photograph(std::uint64_t seed, std::int64_t i, std::int64_t identity, const Expression& expression,
                       const SyntheticFacesOptions& options, std::uint8_t* to) {
  const auto stream = [seed](std::int64_t index, int kind) {
    return Random({.seed = seed,
                   .purpose = random_purpose::data,
                   .step = 2 * static_cast<std::uint64_t>(index) + static_cast<std::uint64_t>(kind)});
  };
  Random person = stream(identity, 0), moment = stream(i, 1);
  const Look look = draw_look(person);
  const Scene scene = draw_scene(moment);
  const Actions actions = draw_actions(expression.actions, moment);
  const bool masked = draw_chance(moment, options.mask_probability);
  Canvas canvas = pose(scene, static_cast<int>(options.image_size));
  draw_face(canvas, look, scene, actions, masked);
  expose(canvas, scene);
  blur(canvas, scene.blur);
  develop(canvas, scene.noise, moment, options.color_mode, to);
}

}  // namespace detail

/// n drawn faces, uint8 (image_size, image_size, 3 or 1), each class equally often, whose expression is a handful of
/// facial actions at random intensities, some of them ambiguous; with identity, skin, hair, glasses, pose, light, blur
/// and noise varying. A function of n, the seed and the options alone: the same bytes on every machine. Picture i is
/// the same for any larger n.
///
///     Dataset faces = synthetic_faces(6000, 7, {.classes = {"angry", "happy", "neutral", "sad"}});
///     auto [train, validation] = faces.split(0.2);       // no person is in both
///
/// Hard enough to be worth a network: a linear classifier on the pixels gets 50 to 80 % of the three default classes
/// right, custom model 2 more than 90 %. Throws OptionError on options out of range.
[[nodiscard]] inline Dataset synthetic_faces(std::int64_t n, std::uint64_t seed,
                                             const SyntheticFacesOptions& options = {}) {
  detail::check_synthetic_options(n, options);
  std::vector<detail::Expression> chosen;
  for (const std::string& name : options.classes) chosen.push_back(detail::expression_named(name));
  const Shape shape{options.image_size, options.image_size, channels(options.color_mode)};
  const auto count = static_cast<std::size_t>(n);
  std::vector<std::uint8_t> pixels(count * static_cast<std::size_t>(shape.size()));
  std::vector<int> labels(count);
  std::vector<std::int64_t> identities(count);
  for (std::size_t i = 0; i < count; ++i) {
    labels[i] = static_cast<int>(i % chosen.size());
    identities[i] = static_cast<std::int64_t>(i) / options.samples_per_identity;
  }
  parallel_for(options.threads > 0 ? options.threads : available_threads(), n, [&](std::int64_t i, int) {
    const auto at = static_cast<std::size_t>(i);
    detail::photograph(seed, i, identities[at], chosen[static_cast<std::size_t>(labels[at])], options,
                       pixels.data() + at * static_cast<std::size_t>(shape.size()));
  });
  return Dataset::from_pictures(std::move(pixels), shape, std::move(labels), options.classes, {},
                                std::move(identities));
}

}  // namespace mien::inline v0
