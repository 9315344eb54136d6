#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include <mien/model/callbacks/callback.hpp>
#include <mien/model/callbacks/monitor.hpp>

namespace mien::inline v0 {

/// Stops the training when a number has not improved for `patience` epochs in a row (0 acts like 1).
///
/// An improvement is value < best - min_delta, or value > best + min_delta; NaN is none. With a baseline an improvement
/// counts only if it improves on the baseline too. restore_best_weights gives the model, at the end of training, the
/// weights of its best epoch, also when training reached its last epoch (Keras 3; Keras 2 did so only when it stopped
/// early). Throws OptionError if the logs do not have `monitor`.
///
///     EarlyStopping{.monitor = "val_accuracy", .patience = 10, .restore_best_weights = true}
struct EarlyStopping {
  static constexpr const char* type = "EarlyStopping";

  std::string monitor = "val_loss";
  double min_delta = 0;
  int patience = 0;
  bool verbose = false;  ///< says that it stopped, and which epoch's weights it restored
  MonitorMode mode = MonitorMode::automatic;
  std::optional<double> baseline{};
  bool restore_best_weights = false;
  int start_from_epoch = 0;  ///< epochs before this one are not looked at

  // Results, set by training. Epochs count from 0; -1: none.
  int stopped_epoch = -1;  ///< after which training was stopped
  int best_epoch = -1;
  double best = 0;  ///< value of that epoch
  int wait = 0;     ///< epochs without improvement
  std::vector<std::byte> best_weights{};

  void on_train_begin(TrainingControl& control) {
    stopped_epoch = best_epoch = -1;
    best = detail::worst(detail::higher_is_better(type, monitor, mode, &control));
    wait = 0;
    best_weights.clear();
  }

  void on_epoch_end(int epoch, const Logs& logs, TrainingControl& control) {
    const double value = detail::monitored(type, monitor, logs);
    if (epoch < start_from_epoch) return;
    const bool up = detail::higher_is_better(type, monitor, mode, &control);
    const bool improved = detail::improves(value, best, up, min_delta);
    if (improved) best = value;
    if (improved || (restore_best_weights && best_weights.empty())) {
      best_epoch = epoch;
      if (restore_best_weights) best_weights = control.weights();
    }
    ++wait;
    if (improved) {
      if (!baseline || detail::improves(value, *baseline, up, min_delta)) wait = 0;
    } else if (wait >= patience && epoch > 0) {
      stopped_epoch = epoch;
      control.stop_training();
    }
  }

  void on_train_end(TrainingControl& control) {
    if (verbose && stopped_epoch >= 0) control.message(text("Epoch ", stopped_epoch + 1, ": early stopping"));
    if (best_weights.empty()) return;
    if (verbose) control.message(text("Restoring model weights from the end of the best epoch: ", best_epoch + 1, "."));
    control.set_weights(best_weights);
  }

  void visit_state(StateVisitor& visit) {
    visit("stopped_epoch", stopped_epoch);
    visit("best_epoch", best_epoch);
    visit("best", best);
    visit("wait", wait);
    visit("best_weights", best_weights);
  }
};

}  // namespace mien::inline v0
