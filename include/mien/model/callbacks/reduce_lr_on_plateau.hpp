#pragma once

#include <algorithm>
#include <string>

#include <mien/model/callbacks/callback.hpp>
#include <mien/model/callbacks/monitor.hpp>

namespace mien::inline v0 {

/// Multiplies the learning rate by `factor` when a number has not improved for `patience` epochs in a row:
///
///     rate = max(rate factor, min_lr)
///
/// An improvement is value < best - min_delta, or value > best + min_delta; NaN is none. After a reduction `cooldown`
/// epochs pass in which the count stays at 0. Throws OptionError on a factor outside [0, 1) and if the logs do not have
/// `monitor`.
///
///     ReduceLROnPlateau{.factor = 0.2, .patience = 4, .min_lr = 1e-6}
struct ReduceLROnPlateau {
  static constexpr const char* type = "ReduceLROnPlateau";

  std::string monitor = "val_loss";
  double factor = 0.1;
  int patience = 10;
  bool verbose = false;  ///< says each reduction
  MonitorMode mode = MonitorMode::automatic;
  double min_delta = 1e-4;
  int cooldown = 0;
  double min_lr = 0;

  // State, set by training.
  double best = 0;
  int wait = 0;              ///< epochs without improvement
  int cooldown_counter = 0;  ///< epochs left to pass

  void on_train_begin(TrainingControl& control) {
    if (!(factor >= 0 && factor < 1)) throw OptionError(text(type, ": factor is in [0, 1), got ", factor));
    best = detail::worst(detail::higher_is_better(type, monitor, mode, &control));
    wait = cooldown_counter = 0;
  }

  void on_epoch_end(int epoch, const Logs& logs, TrainingControl& control) {
    const double value = detail::monitored(type, monitor, logs);
    const bool up = detail::higher_is_better(type, monitor, mode, &control);
    if (cooldown_counter > 0) --cooldown_counter;
    // The margin is on the other side than EarlyStopping's, as in Keras: that rounds differently.
    if (up ? value > best + min_delta : value < best - min_delta) {
      best = value;
      wait = 0;
    } else if (cooldown_counter == 0 && ++wait >= patience && control.learning_rate() > min_lr) {
      reduce(epoch, control);
    }
  }

  void visit_state(StateVisitor& visit) {
    visit("best", best);
    visit("wait", wait);
    visit("cooldown_counter", cooldown_counter);
  }

 private:
  /// What a plateau leads to.
  void reduce(int epoch, TrainingControl& control) {
    const double rate = std::max(control.learning_rate() * factor, min_lr);
    control.set_learning_rate(rate);
    cooldown_counter = cooldown;
    wait = 0;
    if (verbose)
      control.message(text("Epoch ", epoch + 1, ": ReduceLROnPlateau reducing learning rate to ", rate, "."));
  }
};

}  // namespace mien::inline v0
