#pragma once
// What is done to a product's finished sums while they are still in registers or cache, so that a layer's bias and
// activation cost no pass over memory.

#include <cstdint>

#include <mien/activations/activation.hpp>

namespace mien::inline v0::kernels {

/// Who reads a result while it is being written: a batch normalisation's statistics cost less while what they read has
/// not left the caches.
class RowReader {
 public:
  /// `columns` values of each of the rows (pixels) first ... first + rows - 1 stand in memory as they will stay. Each
  /// value of the result is reported once, by whichever thread has written it; a report may be of no columns.
  virtual void finished(std::int64_t first, std::int64_t rows, std::int64_t columns) = 0;

 protected:
  ~RowReader() = default;
};

/// y = activation(sum + bias), one bias for each column (output channel); no bias if null. softmax, which is no
/// element-wise function, is not accepted.
template <class T>
struct Epilogue {
  const T* bias = nullptr;
  ActivationFunction activation = linear;
  RowReader* reader = nullptr;  ///< of y; the gradient of the input has none

  void finished(std::int64_t first, std::int64_t rows, std::int64_t columns) const {
    if (reader != nullptr) reader->finished(first, rows, columns);
  }
};

/// Whether the micro-kernels apply the function themselves, in registers. The others are applied to rows in cache.
[[nodiscard]] constexpr bool applied_in_registers(const ActivationFunction& f) {
  using Kind = ActivationFunction::Kind;
  return f.kind == Kind::linear || f.kind == Kind::relu || f.kind == Kind::leaky_relu;
}

/// Whether nobody touches a result once a kernel has stored it. No other one may be stored past the caches: to a reader
/// in another thread it might come too late.
template <class T>
[[nodiscard]] constexpr bool left_alone_once_stored(const Epilogue<T>& epilogue) {
  return applied_in_registers(epilogue.activation) && epilogue.reader == nullptr;
}

}  // namespace mien::inline v0::kernels
