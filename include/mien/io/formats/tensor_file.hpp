#pragma once
// What every weight file is to the rest of the library, whatever its format: named tensors that are read when asked
// for.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
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

/// What takes a tensor's bytes piece by piece.
using ByteSink = std::function<void(std::span<const std::byte>)>;

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

  /// Hands over a tensor's bytes, as `read` gives them, piece by piece: in pieces of at most `piece` bytes, which are
  /// whole elements, if the tensor lies in the file as it is read. Formats with checksums check them. What is here is
  /// for the others: the tensor in one piece. Throws FileError.
  virtual void stream(const StoredTensor& tensor, const ByteSink& sink) const {
    std::vector<std::byte> bytes(tensor.bytes);
    read(tensor, bytes);
    sink(bytes);
  }
  static constexpr std::size_t piece = std::size_t{1} << 20U;

  /// The tensor of that name; null if there is none.
  [[nodiscard]] virtual const StoredTensor* find(std::string_view name) const {
    for (const StoredTensor& tensor : tensors())
      if (tensor.name == name) return &tensor;
    return nullptr;
  }
};

namespace detail {

/// Throws FileError unless `to` has the size of the tensor: what every TensorFile::read begins with.
inline void require_size(const TensorFile& file, const StoredTensor& tensor, std::span<const std::byte> to) {
  if (tensor.bytes != to.size())
    throw FileError(text("'", file.path(), "': tensor '", tensor.name, "', ", to_string(tensor.dtype), " ",
                         tensor.shape, ", has ", tensor.bytes, " bytes, but ", to.size(), " were asked for"));
}

/// Implements TensorFile::stream for `bytes` bytes that `read_part(position, bytes)` reads.
template <class ReadPart>
void stream_pieces(std::size_t bytes, const ByteSink& sink, const ReadPart& read_part) {
  std::vector<std::byte> buffer(std::min(bytes, TensorFile::piece));
  for (std::size_t at = 0; at < bytes; at += buffer.size()) {
    const auto part = std::span(buffer).first(std::min(buffer.size(), bytes - at));
    read_part(at, part);
    sink(part);
  }
}

}  // namespace detail

}  // namespace mien::inline v0
