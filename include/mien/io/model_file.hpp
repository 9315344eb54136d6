#pragma once
// A model in one safetensors file: the weights as tensors "layer/parameter", and in the metadata the architecture and
// what is done to pixels. `save` and `load_model`.

#include <cstdint>
#include <filesystem>

#include <mien/core/compiled.hpp>
#include <mien/io/custom_objects.hpp>
#include <mien/model/model.hpp>

namespace mien::inline v0 {

/// The arguments of load_model.
struct LoadModelOptions {
  CustomObjects custom_objects{};  ///< layers of your own that the file may hold
  std::uint64_t seed = 0;          ///< of dropout, augmentation and order, should the model be trained further
  int threads = 0;                 ///< 0: as many as the process may use
  std::filesystem::path probe{};   ///< a file of save_probe: the model must agree with it (`require_probe`)
  Arithmetic arithmetic = Arithmetic::fast;  ///< a file does not hold it
  bool autotune = false;                     ///< nor this
};

/// Writes a model: weights, architecture, frozen layers, classes, preprocessing. The file of that name is replaced when
/// all is on the disk, and left alone on any failure. Throws FileError, or OptionError for a layer without
/// visit_options.
template <class T>
void save(const Model<T>& model, const std::filesystem::path& path);

/// The model that a file of `save` holds. It is not compiled. Throws FileError.
///
///     auto model = load_model<float>("emotions.safetensors");
template <class T>
[[nodiscard]] Model<T> load_model(const std::filesystem::path& path, const LoadModelOptions& options = {});

}  // namespace mien::inline v0

#if MIEN_DEFINES
#  include <mien/io/model_file_impl.hpp>
#endif
