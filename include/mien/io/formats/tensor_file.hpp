#pragma once
// What every weight file is to the rest of the library, whatever its format: named tensors that are read when asked
// for.

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <mien/core/error.hpp>
#include <mien/core/shape.hpp>
#include <mien/io/formats/dtype.hpp>

namespace mien::inline v0 {

/// A tensor in a file, as the file describes it.
struct StoredTensor {
  std::string name;  ///< unique in the file
  DType dtype = DType::f32;
  Shape shape;
  std::uint64_t offset = 0;  ///< of its first byte in the file, where its bytes lie there in one piece
  std::size_t bytes = 0;     ///< shape.size() * size_of(dtype)
  std::string layer{};       ///< whose it is, where the format groups tensors by layer (Keras); else empty
};

/// A weight file, open for reading. Its constructor has checked everything that the file says of its tensors; bytes are
/// read when asked for, straight into the caller's memory.
class TensorFile {
 public:
  TensorFile() = default;
  TensorFile(const TensorFile&) = delete;
  TensorFile& operator=(const TensorFile&) = delete;
  virtual ~TensorFile() = default;

  [[nodiscard]] virtual const std::string& path() const = 0;
  /// For messages: "safetensors", "Keras HDF5", "PyTorch", "npz".
  [[nodiscard]] virtual std::string_view format() const = 0;
  /// In the order that the file gives them; by it, layers without a known name are matched.
  [[nodiscard]] virtual const std::vector<StoredTensor>& tensors() const = 0;
  /// Reads a tensor of tensors(), row-major and little-endian. Throws FileError if `to` has another size than
  /// `tensor.bytes`, or the file cannot be read.
  virtual void read(const StoredTensor& tensor, std::span<std::byte> to) const = 0;

  /// The tensor of that name; null if there is none.
  [[nodiscard]] virtual const StoredTensor* find(std::string_view name) const {
    for (const StoredTensor& tensor : tensors())
      if (tensor.name == name) return &tensor;
    return nullptr;
  }
};

}  // namespace mien::inline v0
