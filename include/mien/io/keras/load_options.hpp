#pragma once

#include <cstdint>

#include <mien/core/shape.hpp>
#include <mien/io/custom_objects.hpp>
#include <mien/model/preprocessing.hpp>

namespace mien::inline v0 {

/// The arguments of load_keras_model.
struct LoadKerasOptions {
  CustomObjects custom_objects{};  ///< layers of your own that the file may hold, by the name of their class
  Shape input_shape{};             ///< instead of the file's, which may leave extents open; without the batch
  Preprocessing preprocessing{};   ///< what the file does not say: classes, colours, scale, means
  std::uint64_t seed = 0;          ///< of dropout, augmentation and order, should the model be trained further
  int threads = 0;                 ///< 0: as many as the process may use
};

}  // namespace mien::inline v0
