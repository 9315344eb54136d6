#pragma once
// Counter-based random numbers: the i-th number of a stream is a pure function of (seed, stream, i), so that any thread
// may draw any of them in any order, and a resumed run draws what the uninterrupted one would have drawn.
// Philox4x32-10: Salmon, Moraes, Dror, Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC 2011.

#include <array>
#include <cmath>
#include <cstdint>
#include <numbers>
#include <vector>

namespace mien::inline v0 {

/// One block of Philox4x32-10: four random words from a 128-bit counter and a 64-bit key.
[[nodiscard]] constexpr std::array<std::uint32_t, 4> philox4x32(std::array<std::uint32_t, 4> counter,
                                                                std::array<std::uint32_t, 2> key) {
  for (int round = 0; round < 10; ++round) {
    const std::uint64_t p0 = std::uint64_t{0xD2511F53U} * counter[0], p1 = std::uint64_t{0xCD9E8D57U} * counter[2];
    counter = {static_cast<std::uint32_t>(p1 >> 32U) ^ counter[1] ^ key[0], static_cast<std::uint32_t>(p1),
               static_cast<std::uint32_t>(p0 >> 32U) ^ counter[3] ^ key[1], static_cast<std::uint32_t>(p0)};
    key = {key[0] + 0x9E3779B9U, key[1] + 0xBB67AE85U};
  }
  return counter;
}

/// What a stream of random numbers belongs to. Streams that differ in any member are independent.
struct RandomKey {
  std::uint64_t seed = 0;
  std::uint32_t purpose = 0;  ///< a layer's index, or one of the `random_purpose` constants
  std::uint64_t step = 0;     ///< training step or epoch, counted from the start of the run
};

/// Purposes that are not layers; layers use their index in the model, which stays below.
namespace random_purpose {
inline constexpr std::uint32_t initializer = 0x80000000U, shuffle = 0x80000001U, split = 0x80000002U,
                               data = 0x80000003U;
}

/// The numbers of one stream, by index (`bits_at`, `uniform_at`) or one after the other.
class Random {
 public:
  explicit constexpr Random(const RandomKey& key)
      : key_{static_cast<std::uint32_t>(key.seed), static_cast<std::uint32_t>(key.seed >> 32U)},
        stream_{static_cast<std::uint32_t>(key.step) ^ (static_cast<std::uint32_t>(key.step >> 32U) * 0x9E3779B9U),
                key.purpose} {}

  /// Four random words: block i of the stream; word w of it is number 4 i + w.
  [[nodiscard]] constexpr std::array<std::uint32_t, 4> block(std::uint64_t i) const {
    return philox4x32({static_cast<std::uint32_t>(i), static_cast<std::uint32_t>(i >> 32U), stream_[0], stream_[1]},
                      key_);
  }
  [[nodiscard]] constexpr std::uint32_t bits_at(std::uint64_t i) const { return block(i / 4)[i % 4]; }
  /// Uniform in [0, 1), on a grid of 2^-32.
  [[nodiscard]] constexpr double uniform_at(std::uint64_t i) const { return static_cast<double>(bits_at(i)) * 0x1p-32; }

  [[nodiscard]] constexpr std::uint32_t bits() {
    if (next_ % 4 == 0) words_ = block(next_ / 4);
    return words_[next_++ % 4];
  }
  /// Uniform in [0, 1).
  [[nodiscard]] constexpr double uniform() { return static_cast<double>(bits()) * 0x1p-32; }
  /// Uniform in [low, high).
  [[nodiscard]] constexpr double uniform(double low, double high) { return low + (high - low) * uniform(); }
  /// Uniform in {0, ..., n-1}, without bias (Lemire's multiplication with rejection); n > 0.
  [[nodiscard]] constexpr std::uint32_t below(std::uint32_t n) {
    for (;;) {
      const std::uint64_t product = std::uint64_t{bits()} * n;
      if (static_cast<std::uint32_t>(product) >= (0U - n) % n) return static_cast<std::uint32_t>(product >> 32U);
    }
  }
  /// Normal with mean 0 and deviation 1 (Box and Muller; one number of each pair is used).
  [[nodiscard]] double normal() {
    const double u = 1.0 - uniform(), v = uniform();
    return std::sqrt(-2.0 * std::log(u)) * std::cos(2.0 * std::numbers::pi * v);
  }

 private:
  std::array<std::uint32_t, 2> key_;
  std::array<std::uint32_t, 2> stream_;
  std::array<std::uint32_t, 4> words_{};
  std::uint64_t next_ = 0;
};

/// A permutation of 0 ... n-1 (Fisher and Yates) that is a function of the key alone.
[[nodiscard]] inline std::vector<std::int64_t> permutation(std::int64_t n, const RandomKey& key) {
  std::vector<std::int64_t> order(static_cast<std::size_t>(n));
  for (std::int64_t i = 0; i < n; ++i) order[static_cast<std::size_t>(i)] = i;
  Random random(key);
  for (std::int64_t i = n - 1; i > 0; --i)
    std::swap(order[static_cast<std::size_t>(i)], order[random.below(static_cast<std::uint32_t>(i + 1))]);
  return order;
}

}  // namespace mien::inline v0
