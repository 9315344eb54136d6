#pragma once
// The only file that names OpenMP. Work is cut into tasks by the problem alone and never by the number of threads;
// threads only share the tasks out. So the order of every sum, and with it every bit of a result, is the same for any
// number of threads.

#include <algorithm>
#include <cstdint>
#include <cstdio>

#include <mien/core/loop_clock.hpp>

#if defined(_OPENMP)
#  include <omp.h>
#endif
#if defined(__linux__)
#  include <sched.h>
#else
#  include <thread>
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
  FlushDenormals() : saved_(__builtin_ia32_stmxcsr()) { __builtin_ia32_ldmxcsr(saved_ | 0x8040U); }
  ~FlushDenormals() { __builtin_ia32_ldmxcsr(saved_); }

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
#if defined(__linux__)
  cpu_set_t set;
  const int count = sched_getaffinity(0, sizeof set, &set) == 0 ? std::max(1, CPU_COUNT(&set)) : 1;
  return detail::cgroup_threads(count);
#else
  return std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
#endif
}

namespace detail {

/// One part of a parallel loop: tasks first ... end-1, run by `thread`.
using ParallelPart = void (*)(const void* body, std::int64_t first, std::int64_t end, int thread);

/// The library's one parallel region. Without a template around it, so that a program compiles it once and not for each
/// loop.
inline void run_team([[maybe_unused]] int threads, std::int64_t tasks, ParallelPart part, const void* body) {
  const auto run = [=](std::int64_t thread, std::int64_t team) {
    const FlushDenormals flush;
    part(body, tasks * thread / team, tasks * (thread + 1) / team, static_cast<int>(thread));
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

/// The same for a thread that has a LoopClock. Loops inside the body belong to this one.
inline void run_timed_team(LoopClock& clock, int threads, std::int64_t tasks, ParallelPart part, const void* body) {
  struct Timed {
    ParallelPart part;
    const void* body;
    LoopTimes times;
  };
  Timed timed{part, body, {}};
  const auto timed_part = [](const void* erased, std::int64_t first, std::int64_t end, int thread) {
    // The object is timed above, which is not const.
    auto& own = *const_cast<Timed*>(static_cast<const Timed*>(erased));
    const std::int64_t start = nanoseconds();
    own.part(own.body, first, end, thread);
    own.times.add(nanoseconds() - start);
  };
  loop_clock() = nullptr;
  run_team(threads, tasks, timed_part, &timed);
  loop_clock() = &clock;
  timed.times.report(clock);
}

inline void run_parallel(int threads, std::int64_t tasks, ParallelPart part, const void* body) {
  if (LoopClock* const clock = loop_clock()) return run_timed_team(*clock, threads, tasks, part, body);
  run_team(threads, tasks, part, body);
}

}  // namespace detail

/// Calls body(task, thread) for every task in 0 ... tasks-1 on at most `threads` threads; thread t gets a contiguous
/// run of tasks. The body must not throw and must not depend on which thread runs it, but for its scratch memory (0 <=
/// thread < threads). Denormals are flushed inside.
template <class Body>
void parallel_for(int threads, std::int64_t tasks, const Body& body) {
  const auto part = [](const void* erased, std::int64_t first, std::int64_t end, int thread) {
    const Body& each = *static_cast<const Body*>(erased);
    for (std::int64_t task = first; task < end; ++task) each(task, thread);
  };
  detail::run_parallel(threads, tasks, part, &body);
}

}  // namespace mien::inline v0
