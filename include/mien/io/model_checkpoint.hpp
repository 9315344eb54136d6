#pragma once

#include <cstdint>
#include <limits>
#include <string>

#include <mien/io/model_file.hpp>
#include <mien/model/callbacks/callback.hpp>
#include <mien/model/callbacks/format_path.hpp>
#include <mien/model/callbacks/monitor.hpp>

namespace mien::inline v0 {

/// Saves the model at the end of every epoch, or of those that are the best so far. Source:
/// keras.callbacks.ModelCheckpoint.
///
///     ModelCheckpoint{.filepath = "m.{epoch:02d}-{val_loss:.2f}.safetensors", .save_best_only = true}
struct ModelCheckpoint {
  std::string filepath{};  ///< {epoch} (from 1) and the names in the logs are replaced, as Python formats them
  std::string monitor = "val_loss";  ///< with save_best_only
  bool verbose = false;              ///< says what was saved
  bool save_best_only = false;       ///< strictly better than the best before
  MonitorMode mode = MonitorMode::automatic;
  double initial_value_threshold = std::numeric_limits<double>::quiet_NaN();  ///< a best value to start from; NaN: none

  // Results
  double best = std::numeric_limits<double>::quiet_NaN();
  std::string last_saved{};  ///< the file of the last save

  static constexpr const char* type = "ModelCheckpoint";

  /// Throws OptionError without a filepath.
  void on_train_begin(TrainingControl& control) {
    if (filepath.empty()) throw OptionError("ModelCheckpoint: no filepath was given");
    if (!save_best_only) return;
    best = initial_value_threshold;
    if (std::isnan(best)) best = detail::worst(detail::higher_is_better(type, monitor, mode, &control));
  }

  void on_epoch_end(int epoch, const Logs& logs, TrainingControl& control) {
    if (save_best_only) {
      const double current = detail::monitored(type, monitor, logs);
      const bool better = detail::improves(current, best, detail::higher_is_better(type, monitor, mode, &control));
      if (verbose && !better) control.message(text("Epoch ", epoch + 1, ": ", monitor, " did not improve from ", best));
      if (!better) return;
      if (verbose) control.message(text("Epoch ", epoch + 1, ": ", monitor, " improved from ", best, " to ", current));
      best = current;
    }
    last_saved = format_path(filepath, epoch, logs);
    if (control.float_model() != nullptr) save(*control.float_model(), last_saved);
    if (control.double_model() != nullptr) save(*control.double_model(), last_saved);
    if (verbose) control.message(text("Epoch ", epoch + 1, ": saving model to ", last_saved));
  }

  void visit_state(StateVisitor& visit) { visit("best", best); }
};

}  // namespace mien::inline v0
