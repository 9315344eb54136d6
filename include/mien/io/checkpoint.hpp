#pragma once
// A training run in one safetensors file.

#include <filesystem>
#include <memory>

#include <mien/core/compiled.hpp>
#include <mien/model/fit_options.hpp>

namespace mien::inline v0 {

/// The arguments of checkpoint().
struct CheckpointOptions {
  std::filesystem::path path{};
  bool resume = true;  ///< take up the run that the file holds, if there is one; false: start afresh and replace it
};

/// Stores a run after every epoch, for fit's `checkpoint` option. A run that was killed and is started again with the
/// same arguments ends with the bits of one that was not.
///
///     model.fit(data, {.epochs = 50, .checkpoint = checkpoint({.path = "run/checkpoint.safetensors"})});
[[nodiscard]] MIEN_INLINE std::shared_ptr<CheckpointStore> checkpoint(CheckpointOptions options);

}  // namespace mien::inline v0

#if MIEN_DEFINES
#  include <mien/io/checkpoint_impl.hpp>
#endif
