#pragma once
// Eigen's product, from a library of its own that is compiled for this processor: Eigen chooses its instructions when
// it is compiled, the others when they run.

#include <cstdint>

namespace mien_benchmark {

/// C = op(A) op(B), all row-major and without gaps: op(A) is m x k, op(B) k x n.
__attribute__((visibility("default"))) void eigen_gemm(bool transpose_a, bool transpose_b, std::int64_t m,
                                                       std::int64_t n, std::int64_t k, const float* a, const float* b,
                                                       float* c, int threads);

}  // namespace mien_benchmark
