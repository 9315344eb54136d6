#pragma once

#include <cmath>
#include <cstdint>

#include <mien/core/error.hpp>
#include <mien/model/callbacks/callback.hpp>

namespace mien::inline v0 {

/// Stops the training, and says so, when the loss is NaN or infinite.
struct TerminateOnNaN {
  static constexpr const char* type = "TerminateOnNaN";

  /// Results, set by training.
  std::int64_t batch = -1;  ///< the first with such a loss, counted from 0 in its epoch; -1: none

  void on_train_begin(TrainingControl&) { batch = -1; }

  void on_batch_end(std::int64_t number, const Logs& logs, TrainingControl& control) {
    if (batch >= 0 || std::isfinite(logs.get("loss").value_or(0))) return;
    batch = number;
    control.message(text("Batch ", number, ": Invalid loss, terminating training"));
    control.stop_training();
  }

  void visit_state(StateVisitor& visit) { visit("batch", batch); }
};

}  // namespace mien::inline v0
