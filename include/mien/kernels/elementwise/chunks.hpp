#pragma once

#include <algorithm>
#include <cstdint>

#include <mien/core/parallel.hpp>

namespace mien::inline v0::kernels {

/// Elements of one task of the element-wise kernels: 64 KiB of floats, a whole number of any set's vectors.
inline constexpr std::int64_t elementwise_chunk = 16384;

/// Calls body(first, count) for consecutive stretches of 0 ... n-1, of `step` each but the last one.
template <class Body>
void for_each_chunk(std::int64_t n, std::int64_t step, int threads, const Body& body) {
  parallel_for(threads, (n + step - 1) / step,
               [&](std::int64_t i, int) { body(i * step, std::min(step, n - i * step)); });
}

}  // namespace mien::inline v0::kernels
