#pragma once
// What the benchmarks share: operands, counters, the numbers of threads.

#include <benchmark/benchmark.h>

#include <chrono>
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

/// Floats between -scale / 2 and scale / 2, aligned as the library's own tensors are.
class Operand {
 public:
  explicit Operand(std::int64_t count, float scale = 1) : buffer_(static_cast<std::size_t>(count) * sizeof(float)) {
    std::uint32_t state = 1;
    for (std::int64_t i = 0; i < count; ++i) {
      state = state * 1664525U + 1013904223U;
      data()[i] = (static_cast<float>(state >> 8) / static_cast<float>(1U << 24) - 0.5F) * scale;
    }
  }
  [[nodiscard]] float* data() const { return reinterpret_cast<float*>(buffer_.data()); }

 private:
  mien::Buffer buffer_;
};

/// Repeats the work as often as the state asks for; the counter says how much of `amount`, which one repetition does,
/// is done in a second by the clock on the wall. Google Benchmark's own rates are counted by the calling thread's
/// processor time, or put "/real_time" behind every name.
template <class Work>
void measure(benchmark::State& state, const char* counter, double amount, const Work& work) {
  using Clock = std::chrono::steady_clock;
  const Clock::time_point start = Clock::now();
  for (auto _ : state) work();
  const std::chrono::duration<double> seconds = Clock::now() - start;
  state.counters[counter] = amount * static_cast<double>(state.iterations()) / seconds.count();
}

template <class Work>
void measure_flops(benchmark::State& state, double flops, const Work& work) {
  measure(state, "GFLOP/s", flops * 1e-9, work);
}

inline std::string threads_suffix(int threads) { return "/threads:" + std::to_string(threads); }

template <class Body>
void register_timed(const std::string& name, const Body& body) {
  benchmark::RegisterBenchmark(name.c_str(), body)->Unit(benchmark::kMillisecond);
}

}  // namespace mien_benchmark
