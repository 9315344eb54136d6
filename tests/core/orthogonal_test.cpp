#include <doctest/doctest.h>

#include <vector>

#include <mien/core/eigen.hpp>
#include <mien/initializers/orthogonal.hpp>

using namespace mien;

namespace {

Tensor<double> drawn(const Initializer& initializer, const Shape& shape, std::uint64_t seed = 1) {
  Tensor<double> values(shape);
  initialize(initializer, shape, {.seed = seed}, values.span());
  return values;
}

}  // namespace

TEST_CASE("orthogonal: columns are orthonormal, or rows where there are fewer") {
  const Tensor<double> tall = drawn(orthogonal(), {7, 4}), wide = drawn(orthogonal(), {3, 8}),
                       kernel = drawn(orthogonal(2), {3, 3, 2, 5});
  const auto identity = [](Eigen::Index n) { return EigenMatrix<double>::Identity(n, n); };
  CHECK((as_eigen_matrix(tall).transpose() * as_eigen_matrix(tall) - identity(4)).norm() < 1e-14);
  CHECK((as_eigen_matrix(wide) * as_eigen_matrix(wide).transpose() - identity(3)).norm() < 1e-14);
  CHECK((as_eigen_matrix(kernel).transpose() * as_eigen_matrix(kernel) - 4 * identity(5)).norm() < 1e-13);
}

TEST_CASE("orthogonal: Q of the normal matrix whose R has a positive diagonal") {
  Random random({.seed = 3});
  EigenMatrix<double> normal(5, 3);
  for (Eigen::Index i = 0; i < 5; ++i)
    for (Eigen::Index j = 0; j < 3; ++j) normal(i, j) = random.normal();
  const Tensor<double> q = drawn(orthogonal(), {5, 3}, 3);
  const EigenMatrix<double> r = as_eigen_matrix(q).transpose() * normal;
  for (Eigen::Index i = 0; i < 3; ++i) {
    CHECK(r(i, i) > 0);
    for (Eigen::Index j = 0; j < i; ++j) CHECK(std::abs(r(i, j)) < 1e-14);
  }
}

TEST_CASE("orthogonal says what is wrong, and is found by name without its function") {
  CHECK_THROWS_WITH_AS(static_cast<void>(drawn(orthogonal(), {7})),
                       "the initializer 'orthogonal' expected a parameter of two axes or more, got shape (7,)",
                       OptionError);
  CHECK(initializer_named("orthogonal", 2) == orthogonal(2));
}

TEST_CASE("as_eigen_matrix shares memory; the last axis are the columns") {
  Tensor<float> x({2, 2, 3}, {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12});
  auto m = as_eigen_matrix(x);
  CHECK(m.rows() == 4);
  CHECK(m.cols() == 3);
  CHECK(m(2, 1) == 8);
  m(3, 2) = 50;
  CHECK(x(1, 1, 2) == 50);
  const TensorView<const float> view = x;
  CHECK(as_eigen_matrix(view).sum() == 116);
}
