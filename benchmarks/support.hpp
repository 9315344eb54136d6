#pragma once
// What the benchmarks share: operands, counters, the numbers of threads.

#include <benchmark/benchmark.h>

#include <cstdint>
#include <string>
#include <vector>

#include <mien/core/memory.hpp>
#include <mien/core/parallel.hpp>

namespace mien_benchmark {

/// One thread, and all that the process may use.
inline std::vector<int> thread_counts() {
  const int all = mien::available_threads();
  return all > 1 ? std::vector<int>{1, all} : std::vector<int>{1};
}

/// Floats between -0.5 and 0.5, aligned as the library's own tensors are.
class Operand {
 public:
  explicit Operand(std::int64_t count) : buffer_(static_cast<std::size_t>(count) * sizeof(float)) {
    std::uint32_t state = 1;
    for (std::int64_t i = 0; i < count; ++i) {
      state = state * 1664525U + 1013904223U;
      data()[i] = static_cast<float>(state >> 8) / static_cast<float>(1U << 24) - 0.5F;
    }
  }
  [[nodiscard]] float* data() const { return reinterpret_cast<float*>(buffer_.data()); }

 private:
  mien::Buffer buffer_;
};

inline void count_flops(benchmark::State& state, double flops) {
  state.counters["GFLOP/s"] =
      benchmark::Counter(flops * 1e-9, benchmark::Counter::kIsIterationInvariantRate, benchmark::Counter::kIs1000);
}

inline std::string threads_suffix(int threads) { return "/threads:" + std::to_string(threads); }

/// A benchmark timed by the clock on the wall, since the work is done by several threads.
template <class Body>
void register_timed(const std::string& name, const Body& body) {
  benchmark::RegisterBenchmark(name.c_str(), body)->UseRealTime()->Unit(benchmark::kMillisecond);
}

}  // namespace mien_benchmark
