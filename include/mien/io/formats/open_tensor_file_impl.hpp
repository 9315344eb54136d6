#pragma once
// What open_tensor_file.hpp declares.

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>

#include <mien/core/error.hpp>
#include <mien/io/formats/front.hpp>
#include <mien/io/formats/input_file.hpp>
#include <mien/io/formats/keras_hdf5.hpp>
#include <mien/io/formats/npz.hpp>
#include <mien/io/formats/open_tensor_file.hpp>
#include <mien/io/formats/pytorch.hpp>
#include <mien/io/formats/safetensors.hpp>
#include <mien/io/formats/zip.hpp>

namespace mien::inline v0 {

namespace detail {

/// Three formats are zip archives.
[[nodiscard]] inline std::unique_ptr<TensorFile> open_archive(const std::filesystem::path& path) {
  ZipFile archive(path);
  const auto any_member = [&](std::string_view ending) {
    return std::any_of(archive.members().begin(), archive.members().end(),
                       [&](const ZipMember& member) { return member.name.ends_with(ending); });
  };
  if (any_member("/data.pkl")) return std::make_unique<PyTorchFile>(path);
  if (archive.find("model.weights.h5") != nullptr) return std::make_unique<KerasHdf5File>(path);
  if (any_member(".npy")) return std::make_unique<NpzFile>(std::move(archive));
  throw FileError(
      text("'", archive.path(),
           "' is a zip archive, but holds neither a state dict of PyTorch (data.pkl), nor a model of Keras 3 "
           "(model.weights.h5), nor arrays of numpy (.npy)"));
}

}  // namespace detail

MIEN_INLINE std::unique_ptr<TensorFile> open_tensor_file(const std::filesystem::path& path) {
  const InputFile file(path);
  const std::string front = detail::front_of(file, 16);
  if (front.starts_with(detail::zip_magic)) return detail::open_archive(path);
  if (front.starts_with(detail::hdf5_magic)) return std::make_unique<KerasHdf5File>(path);
  if (front.starts_with(detail::npy_magic)) return std::make_unique<NpyFile>(path);
  if (front.starts_with(detail::legacy_torch_magic)) return std::make_unique<PyTorchFile>(path);
  if (detail::looks_like_safetensors(front)) return std::make_unique<SafetensorsFile>(path);
  if (front.starts_with('\x80'))
    throw FileError(text("'", file.path(),
                         "' is a pickle of Python, but no state dict: save it with torch.save(), which "
                         "writes more than the pickle"));
  throw FileError(text("'", file.path(),
                       "' is no weight file that is known, or truncated: safetensors, Keras's HDF5 and "
                       ".keras, PyTorch's state dicts, .npy and .npz are read"));
}

}  // namespace mien::inline v0
