#pragma once
// The only file that names OpenMP. Sums are cut into tasks by the problem alone and never by the number of threads;
// threads only share the tasks out. So the order of every sum, and with it every bit of a result, is the same for any
// number of threads. Where no cut divides a sum, the threads may decide how many tasks there are.

#include <algorithm>
#include <atomic>
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

/// A kernel may store past the caches (kernels/isa/registers.inl): after this, other threads see it.
inline void fence_stores_past_caches() {
#if defined(__x86_64__)
  __builtin_ia32_sfence();
#endif
}

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

/// The tasks of one loop: a run of neighbouring tasks for each thread. A thread takes its own run a few tasks at a time
/// and then, from the runs of the others, what they have not begun: the slowest thread, or one whose processor somebody
/// else has taken, is not waited for longer than a few tasks take. Without that, ResNet50's training step on two
/// threads spent a fifteenth of its time waiting for the other one.
class TaskRuns {
 public:
  static constexpr int most = 64;    ///< runs; beyond them, threads begin with a run that another one begins with too
  static constexpr int claims = 32;  ///< of a run, about: what is waited for is a 32nd of it

  TaskRuns(std::int64_t tasks, int team) : team_(team), count_(std::min(team, most)) {
    for (int i = 0; i < count_; ++i) runs_[i] = {tasks * i / count_, tasks * (i + 1) / count_};
    step_ = std::max<std::int64_t>(1, tasks / count_ / claims);
  }
  void work(int thread, ParallelPart part, const void* body) {
    const int own = thread * count_ / team_;
    for (int i = 0; i < count_; ++i) empty(runs_[(own + i) % count_], thread, part, body);
  }

 private:
  struct alignas(64) Run {  // a line of its own: its thread writes to it again and again
    std::int64_t next, end;
  };

  void empty(Run& run, int thread, ParallelPart part, const void* body) const {
    const std::atomic_ref<std::int64_t> next(run.next);
    while (next.load(std::memory_order_relaxed) < run.end) {
      const std::int64_t first = next.fetch_add(step_, std::memory_order_relaxed);
      if (first < run.end) part(body, first, std::min(first + step_, run.end), thread);
    }
  }

  int team_, count_;
  std::int64_t step_;
  Run runs_[most];
};

/// The library's one parallel region. Without a template around it, so that a program compiles it once and not for each
/// loop.
inline void run_team([[maybe_unused]] int threads, std::int64_t tasks, ParallelPart part, const void* body,
                     LoopTimes* times) {
  const auto timed = [=](const auto& work) {
    const FlushDenormals flush;
    const std::int64_t start = times != nullptr ? nanoseconds() : 0;
    work();
    fence_stores_past_caches();  // here, and not in each task: it waits until all of them have reached memory
    if (times != nullptr) times->add(nanoseconds() - start);
  };
#if defined(_OPENMP)
  const int team = static_cast<int>(std::min<std::int64_t>(threads, tasks));
  if (team > 1) {
    TaskRuns runs(tasks, team);
    const auto run = [&](int thread) { timed([&] { runs.work(thread, part, body); }); };
#  pragma omp parallel num_threads(team)
    run(omp_get_thread_num());
    return;
  }
#endif
  timed([=] { part(body, 0, tasks, 0); });
}

/// If the calling thread has a LoopClock, the loop is added to it. Loops inside the body belong to this one.
inline void run_parallel(int threads, std::int64_t tasks, ParallelPart part, const void* body) {
  LoopClock* const clock = loop_clock();
  if (clock == nullptr) return run_team(threads, tasks, part, body, nullptr);
  LoopTimes times;
  loop_clock() = nullptr;
  run_team(threads, tasks, part, body, &times);
  loop_clock() = clock;
  times.report(*clock);
}

}  // namespace detail

/// Calls body(task, thread) once for every task in 0 ... tasks-1 on at most `threads` threads. Neighbouring tasks go to
/// the same thread, but for those that others take over from one that is late. The body must not throw and must not
/// depend on which thread runs it, but for its scratch memory (0 <= thread < threads). Denormals are flushed inside.
template <class Body>
void parallel_for(int threads, std::int64_t tasks, const Body& body) {
  const auto part = [](const void* erased, std::int64_t first, std::int64_t end, int thread) {
    const Body& each = *static_cast<const Body*>(erased);
    for (std::int64_t task = first; task < end; ++task) each(task, thread);
  };
  detail::run_parallel(threads, tasks, part, &body);
}

}  // namespace mien::inline v0
