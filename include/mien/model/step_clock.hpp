#pragma once

#include <cstdint>
#include <vector>

#include <mien/core/loop_clock.hpp>

namespace mien::inline v0::detail {

/// What a lap of a StepClock was spent on.
enum class LapKind { forward, backward, loss, metrics, optimizer };

struct Lap {
  LapKind kind;
  int step = 0;  ///< of the plan, forward and backward
  double seconds = 0;
  LoopClock loops{};
};

/// Divides the time of a pass among its steps. Between construction and destruction it is the thread's LoopClock.
class StepClock {
 public:
  StepClock() : before_(loop_clock()) {
    loop_clock() = &loops_;
    start_ = nanoseconds();
  }
  StepClock(const StepClock&) = delete;
  StepClock& operator=(const StepClock&) = delete;
  ~StepClock() { loop_clock() = before_; }

  /// Everything since the last lap was spent on this.
  void lap(LapKind kind, int step = 0) {
    const std::int64_t now = nanoseconds();
    laps_.push_back({kind, step, static_cast<double>(now - start_) * 1e-9, loops_});
    loops_ = {};
    start_ = nanoseconds();
  }
  [[nodiscard]] const std::vector<Lap>& laps() const { return laps_; }

 private:
  LoopClock* before_;
  LoopClock loops_;
  std::vector<Lap> laps_;
  std::int64_t start_ = 0;
};

}  // namespace mien::inline v0::detail
