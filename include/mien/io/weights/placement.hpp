#pragma once
// Where the elements of a stored tensor go in a parameter.

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include <mien/core/tensor.hpp>
#include <mien/io/formats/convert.hpp>
#include <mien/io/formats/tensor_file.hpp>

namespace mien::inline v0::io {

/// A stored tensor seen as a matrix (outputs, channels * height * width), channels first, as PyTorch has kernels of
/// convolutions (K, C, R, S) and of dense layers behind a Flatten. The parameter is (height, width, channels, outputs).
/// outputs = 0: the tensor lies as the parameter does.
struct Placement {
  std::int64_t outputs = 0, channels = 1, height = 1, width = 1;

  /// The parameter's row for column j of the stored matrix.
  [[nodiscard]] std::int64_t row(std::int64_t j) const {
    const std::int64_t area = height * width;
    return j % area * channels + j / area;
  }
};

/// Takes a tensor's bytes piece by piece and writes them to a parameter.
template <class T>
class ParameterWriter {
 public:
  ParameterWriter(const Placement& placement, DType type, TensorView<T> to)
      : placement_(placement), type_(type), to_(to) {
    if (placement.outputs == 0) return;
    columns_ = to.size() / placement.outputs;
    rows_.resize(static_cast<std::size_t>(std::min(placement.outputs, row_block) * columns_));
  }

  void operator()(std::span<const std::byte> bytes) {
    if (placement_.outputs == 0) {
      mien::detail::convert_numbers(type_, bytes, to_.data() + done_);
      done_ += static_cast<std::int64_t>(bytes.size() / size_of(type_));
      return;
    }
    while (!bytes.empty()) {
      const std::size_t room = (rows_.size() - filled_) * size_of(type_);
      const auto part = bytes.first(std::min(room, bytes.size()));
      mien::detail::convert_numbers(type_, part, rows_.data() + filled_);
      filled_ += part.size() / size_of(type_);
      bytes = bytes.subspan(part.size());
      if (filled_ == rows_.size()) flush();
    }
  }
  /// After the last piece.
  void flush() {
    if (columns_ == 0) return;
    const std::int64_t count = static_cast<std::int64_t>(filled_) / columns_;
    for (std::int64_t j = 0; j < columns_; ++j) {
      T* to = to_.data() + placement_.row(j) * placement_.outputs + done_;
      for (std::int64_t o = 0; o < count; ++o) to[o] = rows_[static_cast<std::size_t>(o * columns_ + j)];
    }
    done_ += count;
    filled_ = 0;
  }

 private:
  /// As many outputs as fill a cache line with floats are gathered and written side by side. One by one, each would
  /// bring in a line for itself: the 411 MB of VGG16's first dense layer then take several times as long.
  static constexpr std::int64_t row_block = 16;

  Placement placement_;
  DType type_;
  TensorView<T> to_;
  std::int64_t columns_ = 0;
  std::int64_t done_ = 0;  // elements, or outputs
  std::vector<T> rows_;
  std::size_t filled_ = 0;
};

/// Reads a tensor through and counts what is not finite as a T.
template <class T>
[[nodiscard]] std::int64_t count_not_finite(const TensorFile& file, const StoredTensor& tensor) {
  std::int64_t count = 0;
  std::vector<T> numbers;
  file.stream(tensor, [&](std::span<const std::byte> bytes) {
    numbers.resize(bytes.size() / size_of(tensor.dtype));
    mien::detail::convert_numbers(tensor.dtype, bytes, numbers.data());
    count += std::count_if(numbers.begin(), numbers.end(), [](T x) { return !std::isfinite(x); });
  });
  return count;
}

}  // namespace mien::inline v0::io
