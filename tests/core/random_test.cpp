#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <vector>

#include <mien/core/random.hpp>

using namespace mien;

TEST_CASE("philox4x32-10: Random123's known answers") {
  using Words = std::array<std::uint32_t, 4>;
  constexpr std::uint32_t all = 0xffffffffU;
  CHECK(philox4x32({0, 0, 0, 0}, {0, 0}) == Words{0x6627e8d5U, 0xe169c58dU, 0xbc57ac4cU, 0x9b00dbd8U});
  CHECK(philox4x32({all, all, all, all}, {all, all}) == Words{0x408f276dU, 0x41c83b0eU, 0xa20bc7c6U, 0x6d5451fdU});
}

TEST_CASE("random: by index and one after the other are the same numbers") {
  const RandomKey key{.seed = 0x123456789abcdefULL, .purpose = 3, .step = 5};
  Random stream(key);
  const Random at(key);
  for (std::uint64_t i = 0; i < 11; ++i) CHECK(stream.bits() == at.bits_at(i));
  CHECK(at.block(2)[1] == at.bits_at(9));
  CHECK(at.uniform_at(7) == at.bits_at(7) / 4294967296.0);
}

TEST_CASE("random: each member of the key changes the stream") {
  const auto first = [](const RandomKey& key) { return Random(key).block(0); };
  const auto base = first({.seed = 1, .purpose = 2, .step = 3});
  CHECK(base == first({.seed = 1, .purpose = 2, .step = 3}));
  CHECK(base != first({.seed = 2, .purpose = 2, .step = 3}));
  CHECK(base != first({.seed = 1 + (std::uint64_t{1} << 32), .purpose = 2, .step = 3}));
  CHECK(base != first({.seed = 1, .purpose = 3, .step = 3}));
  CHECK(base != first({.seed = 1, .purpose = 2, .step = 4}));
}

TEST_CASE("random: below is even, normal has mean 0 and deviation 1") {
  Random random({.seed = 9});
  constexpr int draws = 30000;
  std::array<int, 3> counts{};
  for (int i = 0; i < draws; ++i) ++counts[random.below(3)];
  // Five deviations of a binomial number: sqrt(30000 * 1/3 * 2/3) = 82.
  for (const int count : counts) CHECK(std::abs(count - draws / 3) < 410);
  double sum = 0, squares = 0;
  for (int i = 0; i < draws; ++i) {
    const double z = random.normal();
    sum += z;
    squares += z * z;
  }
  CHECK(std::abs(sum / draws) < 5 / std::sqrt(draws));
  CHECK(std::abs(squares / draws - 1) < 5 * std::sqrt(2.0 / draws));
}

TEST_CASE("permutation: each number once, a function of seed and epoch") {
  const auto order = permutation(1000, {.seed = 7, .purpose = random_purpose::shuffle, .step = 2});
  auto sorted = order;
  std::sort(sorted.begin(), sorted.end());
  for (std::int64_t i = 0; i < 1000; ++i) REQUIRE(sorted[static_cast<std::size_t>(i)] == i);
  CHECK(order != sorted);
  CHECK(order == permutation(1000, {.seed = 7, .purpose = random_purpose::shuffle, .step = 2}));
  CHECK(order != permutation(1000, {.seed = 8, .purpose = random_purpose::shuffle, .step = 2}));
  CHECK(order != permutation(1000, {.seed = 7, .purpose = random_purpose::shuffle, .step = 3}));
  CHECK(permutation(0, {}).empty());
  CHECK(permutation(1, {}) == std::vector<std::int64_t>{0});
}
