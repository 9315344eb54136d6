#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <limits>
#include <thread>
#include <vector>

#include <mien/core/parallel.hpp>

using namespace mien;

namespace {

/// Half the smallest normal number: 0 where denormals are flushed. Volatile: computed when the program runs.
float half_of_smallest() {
  volatile float smallest = std::numeric_limits<float>::min();
  volatile float half = smallest * 0.5F;
  return half;
}

/// A sum whose bits depend on its order, cut into tasks.
std::vector<double> sums(int threads) {
  std::vector<double> out(23);
  parallel_for(threads, 23, [&](std::int64_t task, int) {
    for (int i = 1; i < 100; ++i) out[static_cast<std::size_t>(task)] += std::sin(static_cast<double>(task * i)) / i;
  });
  return out;
}

}  // namespace

TEST_CASE("parallel_for: every task once, thread numbers in range") {
  for (const int threads : {1, 2, 3, 7}) {
    for (const std::int64_t tasks : {0, 1, 2, 5, 64, 1000}) {
      std::vector<int> calls(static_cast<std::size_t>(tasks)), owner(calls.size(), -1);
      parallel_for(threads, tasks, [&](std::int64_t task, int thread) {
        ++calls[static_cast<std::size_t>(task)];
        owner[static_cast<std::size_t>(task)] = thread;
      });
      for (const int count : calls) CHECK(count == 1);
      for (const int thread : owner) CHECK((thread >= 0 && thread < threads));
    }
  }
}

TEST_CASE("parallel_for: more threads than there are runs of tasks") {
  std::vector<int> calls(300);
  parallel_for(100, 300, [&](std::int64_t task, int) { ++calls[static_cast<std::size_t>(task)]; });
  for (const int count : calls) CHECK(count == 1);
}

TEST_CASE("parallel_for: what a thread has not begun is done by another") {
  using Clock = std::chrono::steady_clock;
  const Clock::time_point deadline = Clock::now() + std::chrono::seconds(30);
  std::atomic<int> done = 0;
  bool helped = false;
  parallel_for(2, 64, [&](std::int64_t task, int) {
    if (task == 0) {  // its thread's other tasks lie before it until it has seen all of them done
      while (done < 63 && Clock::now() < deadline) std::this_thread::yield();
      helped = done == 63;
    } else {
      ++done;
    }
  });
  CHECK(helped);
}

TEST_CASE("parallel_for: the same bits for any number of threads") {
  const std::vector<double> one = sums(1);
  for (const int threads : {2, 3, 7}) CHECK(sums(threads) == one);
}

TEST_CASE("parallel_for: a loop inside a loop") {
  std::vector<int> calls(5 * 6);
  std::atomic<bool> in_range = true;
  parallel_for(3, 5, [&](std::int64_t outer, int) {
    parallel_for(2, 6, [&](std::int64_t inner, int thread) {
      ++calls[static_cast<std::size_t>(outer * 6 + inner)];
      if (thread < 0 || thread >= 2) in_range = false;
    });
  });
  for (const int count : calls) CHECK(count == 1);
  CHECK(in_range);
}

#if defined(__x86_64__)
TEST_CASE("parallel_for: denormals are zero inside, and the caller's setting comes back") {
  REQUIRE(half_of_smallest() > 0);
  for (const int threads : {1, 3}) {
    std::vector<float> inside(7, 1.0F);
    parallel_for(threads, 7,
                 [&](std::int64_t task, int) { inside[static_cast<std::size_t>(task)] = half_of_smallest(); });
    for (const float value : inside) CHECK(value == 0);
    CHECK(half_of_smallest() > 0);
  }
}
#endif
