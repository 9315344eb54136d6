#include <doctest/doctest.h>

#include <limits>
#include <memory>
#include <vector>

#include <mien/model/callbacks/early_stopping.hpp>

#include "fake_training.hpp"

using namespace mien;
using mien::testing_callbacks::FakeTraining;
using mien::testing_callbacks::Stored;

namespace {
const std::vector<double> falling_then_not{1, .9, .95, .96, .94, .93, .92};
constexpr double undefined = std::numeric_limits<double>::quiet_NaN();

struct Outcome {
  int stopped = -1, best = -1;
  double weight = 0;  // after training: the epoch whose weights the model has
  friend bool operator==(const Outcome&, const Outcome&) = default;
};

Outcome train(const EarlyStopping& options, const std::vector<double>& values) {
  FakeTraining training;
  auto stop = std::make_shared<EarlyStopping>(options);
  Callback callback(stop);
  callback.on_train_begin(training);
  training.epochs_of(callback, options.monitor, values);
  callback.on_train_end(training);
  CHECK(training.stopped == (stop->stopped_epoch >= 0));
  return {stop->stopped_epoch, stop->best_epoch, training.weight};
}
}  // namespace

TEST_CASE("stops after patience epochs in a row without improvement") {
  CHECK(train({.patience = 2}, falling_then_not) == Outcome{3, 1, 3});
  CHECK(train({.patience = 3}, falling_then_not) == Outcome{4, 1, 4});
  CHECK(train({.patience = 6}, falling_then_not) == Outcome{-1, 1, 6});
  CHECK(train({.patience = 1}, falling_then_not) == Outcome{2, 1, 2});
  CHECK(train({.patience = 0}, falling_then_not) == Outcome{2, 1, 2});
  CHECK(train({.monitor = "val_accuracy", .patience = 2}, {.5, .6, .6, .5, .7}) == Outcome{3, 1, 3});
}

TEST_CASE("an improvement is strict and more than min_delta") {
  CHECK(train({.patience = 1}, {1, 1, 0}) == Outcome{1, 0, 1});
  CHECK(train({.min_delta = .25, .patience = 2}, {1, .75, .5, .25, .25}) == Outcome{4, 2, 4});
  CHECK(train({.min_delta = -.25, .patience = 1}, {1, .75}) == Outcome{1, 0, 1});
  CHECK(train({.min_delta = .25, .patience = 1, .mode = MonitorMode::max}, {1, 1.25}) == Outcome{1, 0, 1});
}

TEST_CASE("NaN is no improvement") {
  CHECK(train({.patience = 2}, {undefined, undefined, 1}) == Outcome{1, -1, 1});
  CHECK(train({.patience = 2}, {undefined, 3, undefined, 2, undefined, undefined, 1}) == Outcome{5, 3, 5});
  CHECK(train({.patience = 1}, {undefined, 3, 2}) == Outcome{-1, 2, 2});
}

TEST_CASE("with a baseline, improvements count only beyond it") {
  CHECK(train({.patience = 2, .baseline = .5}, {1, .9, .8, .7}) == Outcome{-1, 3, 3});
  CHECK(train({.patience = 2, .baseline = .5}, {1, .9, .95, .4}) == Outcome{2, 1, 2});
  CHECK(train({.patience = 2, .baseline = .95}, {1, .9, .95, .92, .1}) == Outcome{3, 1, 3});
}

TEST_CASE("epochs before start_from_epoch are not looked at") {
  CHECK(train({.patience = 1, .start_from_epoch = 2}, {1, 2, 3, 2.5, 2.6}) == Outcome{4, 3, 4});
}

TEST_CASE("the best weights come back, also after the last epoch") {
  CHECK(train({.patience = 2, .restore_best_weights = true}, falling_then_not) == Outcome{3, 1, 1});
  CHECK(train({.patience = 9, .restore_best_weights = true}, falling_then_not) == Outcome{-1, 1, 1});
  CHECK(train({.patience = 9, .restore_best_weights = true}, {3, 2, 1}) == Outcome{-1, 2, 2});
  CHECK(train({.patience = 2, .restore_best_weights = true}, {undefined, undefined}) == Outcome{1, 0, 0});
}

TEST_CASE("messages count epochs from 1") {
  FakeTraining training;
  Callback callback = EarlyStopping{.patience = 2, .verbose = true, .restore_best_weights = true};
  callback.on_train_begin(training);
  training.epochs_of(callback, "val_loss", falling_then_not);
  callback.on_train_end(training);
  CHECK(training.messages == std::vector<std::string>{"Epoch 4: early stopping",
                                                      "Restoring model weights from the end of the best epoch: 2."});
}

TEST_CASE("a second training starts anew") {
  FakeTraining training;
  auto stop = std::make_shared<EarlyStopping>(EarlyStopping{.patience = 1, .restore_best_weights = true});
  Callback callback(stop);
  callback.on_train_begin(training);
  training.epochs_of(callback, "val_loss", {1, 2});
  callback.on_train_begin(training);
  CHECK(stop->stopped_epoch == -1);
  CHECK(stop->best_weights.empty());
  CHECK(stop->best == std::numeric_limits<double>::infinity());
}

TEST_CASE("a resumed training stops where the whole one does, with the same weights") {
  for (int cut = 0; cut <= 4; ++cut) {
    CAPTURE(cut);
    const EarlyStopping options{.patience = 3, .restore_best_weights = true};
    const std::vector<double> head(falling_then_not.begin(), falling_then_not.begin() + cut);
    const std::vector<double> tail(falling_then_not.begin() + cut, falling_then_not.end());

    FakeTraining first;
    Callback before = options;
    before.on_train_begin(first);
    first.epochs_of(before, "val_loss", head);
    Stored stored(before);

    FakeTraining second;
    auto stop = std::make_shared<EarlyStopping>(options);
    Callback after(stop);
    after.on_train_begin(second);
    stored.restore(after);
    second.epochs_of(after, "val_loss", tail, cut);
    after.on_train_end(second);
    CHECK(stop->stopped_epoch == 4);
    CHECK(stop->best_epoch == 1);
    CHECK(second.weight == 1);
  }
}

TEST_CASE("an unknown monitor is an error that lists the logs") {
  FakeTraining training;
  Callback callback = EarlyStopping{};
  callback.on_train_begin(training);
  CHECK_THROWS_WITH_AS(
      callback.on_epoch_end(0, {{"loss", 1}, {"accuracy", .5}}, training),
      "EarlyStopping: monitor 'val_loss' is not in the logs, there are: loss, accuracy; val_ ones need "
      "validation_data or validation_split",
      OptionError);
}

TEST_CASE("automatic mode asks the metric, then its name") {
  FakeTraining training;
  training.directions = {{"score", true}, {"odd_accuracy", false}};
  const auto higher = [&](const char* monitor, MonitorMode mode = MonitorMode::automatic) {
    return detail::higher_is_better("x", monitor, mode, &training);
  };
  CHECK(higher("val_score"));
  CHECK_FALSE(higher("val_odd_accuracy"));
  CHECK(higher("accuracy"));
  CHECK_FALSE(higher("loss"));
  CHECK_FALSE(higher("val_mean_squared_error"));
  CHECK(higher("unheard_of", MonitorMode::max));
  CHECK_FALSE(higher("accuracy", MonitorMode::min));
  CHECK_THROWS_WITH_AS((void)higher("unheard_of"),
                       "x: whether 'unheard_of' should rise or fall is not known: give MonitorMode::min or "
                       "MonitorMode::max",
                       OptionError);
}
