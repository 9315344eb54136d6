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

  /// Everything since the last lap was spent on this. The optimizer, which runs now and then during backward, has one
  /// lap for all of that.
  void lap(LapKind kind, int step = 0) {
    const double seconds = static_cast<double>(nanoseconds() - start_) * 1e-9;
    if (kind == LapKind::optimizer) {
      optimizer_.seconds += seconds;
      optimizer_.loops += loops_;
    } else {
      laps_.push_back({kind, step, seconds, loops_});
    }
    loops_ = {};
    start_ = nanoseconds();
  }
  /// In their order; the optimizer's, if there was one, is the last.
  [[nodiscard]] std::vector<Lap> laps() const {
    std::vector<Lap> laps = laps_;
    if (optimizer_.seconds > 0) laps.push_back(optimizer_);
    return laps;
  }

 private:
  LoopClock* before_;
  LoopClock loops_;
  std::vector<Lap> laps_;
  Lap optimizer_{LapKind::optimizer};
  std::int64_t start_ = 0;
};

}  // namespace mien::inline v0::detail
