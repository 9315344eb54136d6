#pragma once
// Values for tests, each a function of a seed alone.

#include <cstdint>
#include <span>

#include <mien/core/random.hpp>

namespace mien::inline v0::testing {

/// Integers in {-largest, ..., largest}. As long as every sum of products stays below 2^24 (float) or 2^53 (double), a
/// kernel's result on them is exact in any order of summation, and must equal the reference's bit for bit.
template <class T>
void fill_integers(std::span<T> values, std::uint64_t seed, int largest = 3) {
  Random random({.seed = seed});
  for (T& value : values)
    value = static_cast<T>(static_cast<int>(random.below(static_cast<std::uint32_t>(2 * largest + 1))) - largest);
}

/// Uniform in [low, high).
template <class T>
void fill_uniform(std::span<T> values, std::uint64_t seed, double low = -1, double high = 1) {
  Random random({.seed = seed});
  for (T& value : values) value = static_cast<T>(random.uniform(low, high));
}

}  // namespace mien::inline v0::testing
