#pragma once
// How long the bodies of parallel loops run: what a profile calls kernel time. Off unless a thread sets a clock, and
// then two readings of the time a loop and thread.

#include <atomic>
#include <cstdint>
#include <ctime>

namespace mien::inline v0::detail {

/// Nanoseconds since some fixed moment. Not <chrono>: this is included by every kernel.
[[nodiscard]] inline std::int64_t nanoseconds() {
  std::timespec now{};
#if defined(__linux__)
  clock_gettime(CLOCK_MONOTONIC, &now);
#else
  static_cast<void>(std::timespec_get(&now, TIME_UTC));
#endif
  return static_cast<std::int64_t>(now.tv_sec) * 1'000'000'000 + now.tv_nsec;
}

/// What the parallel loops of one thread add up while it is that thread's clock.
struct LoopClock {
  std::int64_t loops = 0;    ///< parallel loops, run by a team or by the calling thread alone
  std::int64_t regions = 0;  ///< those run by a team
  std::int64_t longest = 0;  ///< ns that the thread with most to do spent in the body, summed over the loops
  std::int64_t work = 0;     ///< ns that all threads spent in it
  std::int64_t offered = 0;  ///< ns that they would have spent had each been busy as long as the longest

  LoopClock& operator+=(const LoopClock& other) {
    loops += other.loops;
    regions += other.regions;
    longest += other.longest;
    work += other.work;
    offered += other.offered;
    return *this;
  }
};

/// The calling thread's clock, or null.
[[nodiscard]] inline LoopClock*& loop_clock() {
  static thread_local LoopClock* clock = nullptr;
  return clock;
}

/// The times of one loop's threads.
class LoopTimes {
 public:
  void add(std::int64_t ns) {
    work_.fetch_add(ns, std::memory_order_relaxed);
    threads_.fetch_add(1, std::memory_order_relaxed);
    std::int64_t seen = longest_.load(std::memory_order_relaxed);
    while (seen < ns && !longest_.compare_exchange_weak(seen, ns, std::memory_order_relaxed)) {
    }
  }
  void report(LoopClock& clock) const {
    clock.loops += 1;
    clock.regions += threads_ > 1;
    clock.longest += longest_;
    clock.work += work_;
    clock.offered += longest_ * threads_;
  }

 private:
  std::atomic<std::int64_t> longest_ = 0, work_ = 0, threads_ = 0;
};

}  // namespace mien::inline v0::detail
