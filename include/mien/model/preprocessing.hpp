#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include <mien/core/error.hpp>
#include <mien/core/shape.hpp>

namespace mien::inline v0 {

/// What a model expects of its pictures, and what is done to their pixels before its first layer. It travels in the
/// model's file and is applied by fit, evaluate and predict alike:
///
///     x' = (x - mean[c]) * scale / deviation[c]         for pixel values x in 0 ... 255 of channel c
struct Preprocessing {
  std::vector<std::string> classes{};  ///< the names of the outputs, in their order
  std::string color_mode =
      "rgb";  ///< "rgb", "grayscale", or "bgr": the channels are reversed before mean and deviation
  double scale = 1;
  std::vector<double> mean{};       ///< per channel, or empty
  std::vector<double> deviation{};  ///< per channel, or empty

  [[nodiscard]] bool changes_pixels() const {
    return scale != 1 || !mean.empty() || !deviation.empty() || color_mode == "bgr";
  }
  friend bool operator==(const Preprocessing&, const Preprocessing&) = default;
};

/// Throws ShapeError on an input without an axis, OptionError unless the preprocessing fits inputs of that shape
/// (without the batch).
inline void check(const Preprocessing& preprocessing, const Shape& input) {
  if (input.empty()) throw ShapeError("a model's input has at least one extent beside the batch, got ()");
  const std::string& mode = preprocessing.color_mode;
  if (mode != "rgb" && mode != "grayscale" && mode != "bgr")
    throw OptionError(text("preprocessing: color_mode is 'rgb', 'grayscale' or 'bgr', got '", mode, "'"));
  const auto channels = static_cast<std::size_t>(input[-1]);
  for (const auto* list : {&preprocessing.mean, &preprocessing.deviation})
    if (!list->empty() && list->size() != channels)
      throw OptionError(
          text("preprocessing: mean and deviation have one number per channel (", channels, "), got ", list->size()));
  if (mode == "bgr" && channels != 3)
    throw OptionError(text("preprocessing: 'bgr' takes 3 channels, the input has shape ", input));
}

/// Applies the preprocessing in place to n values with the channels innermost.
template <class T>
void preprocess(const Preprocessing& preprocessing, std::int64_t channels, std::int64_t n, T* x) {
  if (!preprocessing.changes_pixels()) return;
  const auto of = [](const std::vector<double>& list, std::int64_t c, double otherwise) {
    return list.empty() ? otherwise : list[static_cast<std::size_t>(c)];
  };
  for (std::int64_t i = 0; i < n; i += channels) {
    if (preprocessing.color_mode == "bgr") std::swap(x[i], x[i + 2]);
    for (std::int64_t c = 0; c < channels; ++c) {
      const double centred = static_cast<double>(x[i + c]) - of(preprocessing.mean, c, 0);
      x[i + c] = static_cast<T>(centred * preprocessing.scale / of(preprocessing.deviation, c, 1));
    }
  }
}

}  // namespace mien::inline v0
