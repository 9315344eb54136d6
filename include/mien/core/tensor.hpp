#pragma once

#include <algorithm>
#include <cstdint>
#include <initializer_list>
#include <span>
#include <type_traits>
#include <utility>

#include <mien/core/error.hpp>
#include <mien/core/memory.hpp>
#include <mien/core/shape.hpp>

namespace mien::inline v0 {

/// A contiguous row-major tensor that somebody else owns: a pointer and a shape, passed by value.
/// `TensorView<const T>` reads only; a TensorView<T> converts to it.
template <class T>
class TensorView {
 public:
  TensorView() = default;
  TensorView(T* data, const Shape& shape) : data_(data), shape_(shape) {}
  template <class U>
  requires(std::is_same_v<const U, T>) TensorView(const TensorView<U>& other)
      : data_(other.data()), shape_(other.shape()) {}

  [[nodiscard]] T* data() const { return data_; }
  [[nodiscard]] const Shape& shape() const { return shape_; }
  [[nodiscard]] std::int64_t size() const { return shape_.size(); }
  [[nodiscard]] T* begin() const { return data_; }
  [[nodiscard]] T* end() const { return data_ + size(); }
  [[nodiscard]] T& operator[](std::int64_t i) const { return data_[i]; }
  [[nodiscard]] std::span<T> span() const { return {data_, static_cast<std::size_t>(size())}; }
  /// False for a view of nothing: an absent gradient, an absent bias.
  [[nodiscard]] explicit operator bool() const { return data_ != nullptr; }

 private:
  T* data_ = nullptr;
  Shape shape_{0};
};

/// An owning, contiguous, row-major tensor, aligned to the cache line. Copies are deep, moves cheap.
///
///     Tensor<float> x({2, 48, 48, 3});            // zeros
///     x(1, 0, 0, 2) = 5;                          // element access by indices, one per axis
template <class T>
class Tensor {
 public:
  using value_type = T;

  Tensor() = default;
  /// Zero-filled. Throws ShapeError or std::bad_alloc.
  explicit Tensor(const Shape& shape) : shape_(shape), buffer_(static_cast<std::size_t>(shape.size()) * sizeof(T)) {
    std::fill(begin(), end(), T{});
  }
  /// The values in row-major order. Throws ShapeError if their number is not that of the shape.
  Tensor(const Shape& shape, std::span<const T> values) : shape_(shape) {
    if (static_cast<std::int64_t>(values.size()) != shape.size())
      throw ShapeError(text("a tensor of shape ", shape, " has ", shape.size(), " elements, got ", values.size()));
    buffer_ = Buffer(values.size_bytes());
    std::copy(values.begin(), values.end(), begin());
  }
  Tensor(const Shape& shape, std::initializer_list<T> values)
      : Tensor(shape, std::span(values.begin(), values.size())) {}

  Tensor(const Tensor& other) : Tensor(other.shape_, std::span<const T>(other.begin(), other.end())) {}
  Tensor(Tensor&& other) noexcept : shape_(std::exchange(other.shape_, Shape{0})), buffer_(std::move(other.buffer_)) {}
  Tensor& operator=(Tensor other) noexcept {
    shape_ = other.shape_;
    buffer_ = std::move(other.buffer_);
    return *this;
  }
  ~Tensor() = default;

  [[nodiscard]] const Shape& shape() const { return shape_; }
  [[nodiscard]] std::int64_t size() const { return shape_.size(); }
  [[nodiscard]] T* data() { return reinterpret_cast<T*>(buffer_.data()); }
  [[nodiscard]] const T* data() const { return reinterpret_cast<const T*>(buffer_.data()); }
  [[nodiscard]] T* begin() { return data(); }
  [[nodiscard]] T* end() { return data() + size(); }
  [[nodiscard]] const T* begin() const { return data(); }
  [[nodiscard]] const T* end() const { return data() + size(); }
  [[nodiscard]] std::span<T> span() { return {data(), static_cast<std::size_t>(size())}; }
  [[nodiscard]] std::span<const T> span() const { return {data(), static_cast<std::size_t>(size())}; }
  [[nodiscard]] T& operator[](std::int64_t i) { return data()[i]; }
  [[nodiscard]] const T& operator[](std::int64_t i) const { return data()[i]; }

  template <class... Index>
  [[nodiscard]] T& operator()(Index... index) {
    return data()[offset(index...)];
  }
  template <class... Index>
  [[nodiscard]] const T& operator()(Index... index) const {
    return data()[offset(index...)];
  }

  /// The same elements under another shape. Throws ShapeError if the sizes differ.
  void reshape(const Shape& shape) {
    if (shape.size() != size())
      throw ShapeError(text("cannot reshape ", shape_, " to ", shape, ": ", size(), " elements"));
    shape_ = shape;
  }

  [[nodiscard]] TensorView<T> view() { return {data(), shape_}; }
  [[nodiscard]] TensorView<const T> view() const { return {data(), shape_}; }
  operator TensorView<T>() { return view(); }
  operator TensorView<const T>() const { return view(); }

 private:
  template <class... Index>
  [[nodiscard]] std::int64_t offset(Index... index) const {
    std::int64_t at = 0;
    int axis = 0;
    ((at = at * shape_[axis++] + static_cast<std::int64_t>(index)), ...);
    return at;
  }

  Shape shape_{0};
  Buffer buffer_;
};

}  // namespace mien::inline v0
