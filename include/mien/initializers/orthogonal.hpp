#pragma once

#include <algorithm>
#include <span>

#include <Eigen/QR>

#include <mien/core/eigen.hpp>
#include <mien/initializers/initializer.hpp>

namespace mien::inline v0 {

namespace detail {

inline void fill_orthogonal(const Initializer& self, const Shape& shape, Random& random, std::span<double> values) {
  if (shape.rank() < 2)
    throw OptionError(text("the initializer 'orthogonal' expected a parameter of two axes or more, got shape ", shape));
  const std::int64_t columns = shape[-1], rows = columns > 0 ? shape.size() / columns : 0;
  EigenMatrix<double> normal(std::max(rows, columns), std::min(rows, columns));
  for (double& value : normal.reshaped<Eigen::RowMajor>()) value = random.normal();
  const Eigen::HouseholderQR<EigenMatrix<double>> qr(normal);
  EigenMatrix<double> q = qr.householderQ() * EigenMatrix<double>::Identity(normal.rows(), normal.cols());
  for (Eigen::Index j = 0; j < q.cols(); ++j)
    if (qr.matrixQR()(j, j) < 0) q.col(j) = -q.col(j);
  Eigen::Map<EigenMatrix<double>> out(values.data(), rows, columns);
  if (rows < columns)
    out = self.a * q.transpose();
  else
    out = self.a * q;
}

}  // namespace detail

/// `gain` times a random matrix with orthonormal columns (rows, if there are fewer), the last axis of the parameter
/// being the columns: the Q of the QR decomposition of a normal matrix, its signs those that make R's diagonal
/// positive, so that Q is uniform. Saxe, McClelland and Ganguli 2013. Throws OptionError on parameters of less than two
/// axes.
[[nodiscard]] constexpr Initializer orthogonal(double gain = 1) {
  return {"orthogonal", gain, 0, detail::fill_orthogonal};
}

}  // namespace mien::inline v0
