#pragma once
// Tensors as Eigen's matrices, without a copy. Nothing else of the library's interface names Eigen.

#include <type_traits>

#include <Eigen/Core>

#include <mien/core/tensor.hpp>

namespace mien::inline v0 {

template <class T>
using EigenMatrix = Eigen::Matrix<T, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

namespace detail {
template <class T>
[[nodiscard]] auto map_matrix(T* data, const Shape& shape) {
  using Matrix = EigenMatrix<std::remove_const_t<T>>;
  const std::int64_t columns = shape.empty() ? 1 : shape[-1];
  return Eigen::Map<std::conditional_t<std::is_const_v<T>, const Matrix, Matrix>>(
      data, columns > 0 ? shape.size() / columns : 0, columns);
}
}  // namespace detail

/// The tensor's memory as a row-major matrix: the last axis are the columns, all others together the rows. The tensor
/// must outlive it.
template <class T>
[[nodiscard]] auto as_eigen_matrix(Tensor<T>& tensor) {
  return detail::map_matrix(tensor.data(), tensor.shape());
}
template <class T>
[[nodiscard]] auto as_eigen_matrix(const Tensor<T>& tensor) {
  return detail::map_matrix(tensor.data(), tensor.shape());
}
template <class T>
[[nodiscard]] auto as_eigen_matrix(const TensorView<T>& view) {
  return detail::map_matrix(view.data(), view.shape());
}
template <class T>
void as_eigen_matrix(Tensor<T>&&) = delete;

}  // namespace mien::inline v0
