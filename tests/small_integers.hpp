#pragma once

#include <cstdint>
#include <vector>

#include <mien/testing/fills.hpp>

/// Numbers from -largest to largest: every product and sum is exact, so that every order of summation gives the same
/// bits.
template <class T>
std::vector<T> small_integers(std::int64_t n, std::uint64_t seed, int largest = 3) {
  std::vector<T> values(static_cast<std::size_t>(n));
  mien::testing::fill_integers<T>(values, seed, largest);
  return values;
}
