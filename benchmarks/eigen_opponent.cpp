#include "eigen_opponent.hpp"

#include <Eigen/Core>

namespace mien_benchmark {

void eigen_gemm(bool transpose_a, bool transpose_b, std::int64_t m, std::int64_t n, std::int64_t k, const float* a,
                const float* b, float* c, int threads) {
  using Matrix = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
  const Eigen::Map<const Matrix> left(a, transpose_a ? k : m, transpose_a ? m : k);
  const Eigen::Map<const Matrix> right(b, transpose_b ? n : k, transpose_b ? k : n);
  Eigen::Map<Matrix> result(c, m, n);
  Eigen::setNbThreads(threads);
  if (transpose_a && transpose_b)
    result.noalias() = left.transpose() * right.transpose();
  else if (transpose_a)
    result.noalias() = left.transpose() * right;
  else if (transpose_b)
    result.noalias() = left * right.transpose();
  else
    result.noalias() = left * right;
}

}  // namespace mien_benchmark
