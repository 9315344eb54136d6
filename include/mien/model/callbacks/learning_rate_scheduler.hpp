#pragma once

#include <cmath>
#include <functional>

#include <mien/core/error.hpp>
#include <mien/model/callbacks/callback.hpp>

namespace mien::inline v0 {

/// Sets the learning rate at the beginning of each epoch: rate = schedule(epoch, rate so far), epochs counted from 0.
/// Throws OptionError if the schedule is empty or its result is negative or not finite.
///
///     LearningRateScheduler{[](int epoch, double rate) { return epoch < 10 ? rate : rate * 0.9; }}
struct LearningRateScheduler {
  static constexpr const char* type = "LearningRateScheduler";

  std::function<double(int epoch, double rate)> schedule{};
  bool verbose = false;  ///< says each rate

  void on_train_begin(TrainingControl&) const {
    if (!schedule) throw OptionError(text(type, ": schedule is empty; give a function (int epoch, double rate)"));
  }

  void on_epoch_begin(int epoch, TrainingControl& control) const {
    const double rate = schedule(epoch, control.learning_rate());
    if (!std::isfinite(rate) || rate < 0)
      throw OptionError(text(type, ": a learning rate is a finite number of at least 0, the schedule gave ", rate,
                             " for epoch ", epoch));
    control.set_learning_rate(rate);
    if (verbose)
      control.message(text("Epoch ", epoch + 1, ": LearningRateScheduler setting learning rate to ", rate, "."));
  }
};

}  // namespace mien::inline v0
