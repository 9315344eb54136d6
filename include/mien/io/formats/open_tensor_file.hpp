#pragma once

#include <filesystem>
#include <memory>

#include <mien/core/compiled.hpp>
#include <mien/io/formats/tensor_file.hpp>

namespace mien::inline v0 {

/// Opens a weight file of any format that is read: safetensors; Keras's .h5, .hdf5, .weights.h5 and .keras; PyTorch's
/// state dicts (.pt, .pth, .bin); numpy's .npy and .npz. Its content decides, not its name. Throws FileError.
[[nodiscard]] MIEN_INLINE std::unique_ptr<TensorFile> open_tensor_file(const std::filesystem::path& path);

}  // namespace mien::inline v0

#if MIEN_DEFINES
#  include <mien/io/formats/open_tensor_file_impl.hpp>
#endif
