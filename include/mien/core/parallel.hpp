#pragma once
// The only file that names OpenMP. Work is cut into tasks by the problem alone and never by the number of threads;
// threads only share the tasks out. So the order of every sum, and with it every bit of a result, is the same for any
// number of threads.

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <thread>

#if defined(_OPENMP)
#  include <omp.h>
#endif
#if defined(__linux__)
#  include <sched.h>
#endif
#if defined(__x86_64__)
#  include <immintrin.h>
#endif

namespace mien::inline v0 {

namespace detail {

/// The processors that a cgroup's quota allows, rounded up; `otherwise` where there is no quota.
inline int cgroup_threads(int otherwise) {
#if defined(__linux__)
  if (std::FILE* file = std::fopen("/sys/fs/cgroup/cpu.max", "r")) {
    long long quota = 0, period = 0;
    const bool limited = std::fscanf(file, "%lld %lld", &quota, &period) == 2 && quota > 0 && period > 0;
    std::fclose(file);
    if (limited) return static_cast<int>(std::clamp<long long>((quota + period - 1) / period, 1, otherwise));
  }
#endif
  return otherwise;
}

/// Denormal numbers slow a convolution 20 to 50 times: results and operands below the normal range count as zero while
/// one of these lives; the caller's setting comes back afterwards.
class FlushDenormals {
 public:
#if defined(__x86_64__)
  FlushDenormals() : saved_(_mm_getcsr()) { _mm_setcsr(saved_ | 0x8040U); }
  ~FlushDenormals() { _mm_setcsr(saved_); }

 private:
  unsigned saved_;
#else
  FlushDenormals() = default;
  ~FlushDenormals() = default;
#endif
 public:
  FlushDenormals(const FlushDenormals&) = delete;
  FlushDenormals& operator=(const FlushDenormals&) = delete;
};

}  // namespace detail

/// The processors that this process may use: its affinity mask, capped by its cgroup's quota.
[[nodiscard]] inline int available_threads() {
  int count = std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
#if defined(__linux__)
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof set, &set) == 0) count = std::max(1, CPU_COUNT(&set));
#endif
  return detail::cgroup_threads(count);
}

/// Calls body(task, thread) for every task in 0 ... tasks-1 on at most `threads` threads; thread t gets a contiguous
/// run of tasks. The body must not throw and must not depend on which thread runs it, but for its scratch memory (0 <=
/// thread < threads). Denormals are flushed inside.
template <class Body>
void parallel_for([[maybe_unused]] int threads, std::int64_t tasks, const Body& body) {
  const auto run = [&](std::int64_t thread, std::int64_t team) {
    const detail::FlushDenormals flush;
    const std::int64_t end = tasks * (thread + 1) / team;
    for (std::int64_t task = tasks * thread / team; task < end; ++task) body(task, static_cast<int>(thread));
  };
#if defined(_OPENMP)
  const int team = static_cast<int>(std::min<std::int64_t>(threads, tasks));
  if (team > 1) {
#  pragma omp parallel num_threads(team)
    run(omp_get_thread_num(), omp_get_num_threads());
    return;
  }
#endif
  run(0, 1);
}

}  // namespace mien::inline v0
