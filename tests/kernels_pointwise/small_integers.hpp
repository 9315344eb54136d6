#pragma once

#include <cstdint>
#include <vector>

#include <mien/core/random.hpp>

/// Numbers from -4 to 4, so that every product and sum is exact.
template <class T>
std::vector<T> small_integers(std::int64_t n, std::uint32_t purpose) {
  mien::Random random({.seed = 11, .purpose = purpose});
  std::vector<T> values(static_cast<std::size_t>(n));
  for (T& value : values) value = static_cast<T>(static_cast<int>(random.below(9)) - 4);
  return values;
}
