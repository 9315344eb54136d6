#include <doctest/doctest.h>

#include <limits>
#include <memory>
#include <string>
#include <vector>

#include <mien/model/callbacks/learning_rate_scheduler.hpp>
#include <mien/model/callbacks/reduce_lr_on_plateau.hpp>

#include "fake_training.hpp"

using namespace mien;
using mien::testing_callbacks::FakeTraining;
using mien::testing_callbacks::Stored;
using Rates = std::vector<double>;

namespace {
// Factors and rates are powers of two: every product is exact.
Rates rates_of(const ReduceLROnPlateau& options, const std::vector<double>& values, double start = 1) {
  FakeTraining training;
  training.rate = start;
  Callback callback = options;
  callback.on_train_begin(training);
  return training.epochs_of(callback, options.monitor, values);
}
}  // namespace

TEST_CASE("a plateau of patience epochs reduces the rate") {
  CHECK(rates_of({.factor = .5, .patience = 2}, {1, 1, 1, 1, 1, .5, .5, .5}) ==
        Rates{1, 1, .5, .5, .25, .25, .25, .125});
  CHECK(rates_of({.monitor = "val_accuracy", .factor = .5, .patience = 1}, {.5, .6, .6, .7}) == Rates{1, 1, .5, .5});
}

TEST_CASE("the cooldown counts down before the test, in the same epoch") {
  // Reduced in epoch 2. Cooldown 2 -> 1 in epoch 3, 1 -> 0 in epoch 4, where the count begins again.
  CHECK(rates_of({.factor = .5, .patience = 2, .cooldown = 2}, {1, 1, 1, 1, 1, 1, 1}) ==
        Rates{1, 1, .5, .5, .5, .25, .25});
  CHECK(rates_of({.factor = .5, .patience = 1, .cooldown = 1}, {1, 1, 1, 1}) == Rates{1, .5, .25, .125});
  CHECK(rates_of({.factor = .5, .patience = 1, .cooldown = 3}, {1, 1, 1, 1, 1, 1}) == Rates{1, .5, .5, .5, .25, .25});
}

TEST_CASE("the rate does not fall below min_lr") {
  CHECK(rates_of({.factor = .25, .patience = 1, .min_lr = .125}, {1, 1, 1, 1}) == Rates{1, .25, .125, .125});
  CHECK(rates_of({.factor = .25, .patience = 1, .min_lr = 2}, {1, 1, 1}) == Rates{1, 1, 1});
}

TEST_CASE("an improvement is more than min_delta") {
  CHECK(rates_of({.factor = .5, .patience = 1, .min_delta = .25}, {1, .75, .5}) == Rates{1, .5, .5});
  CHECK(rates_of({.factor = .5, .patience = 1}, {1, .99995, .9998}) == Rates{1, .5, .5});
}

TEST_CASE("reductions are announced") {
  FakeTraining training;
  Callback callback = ReduceLROnPlateau{.factor = .5, .patience = 1, .verbose = true};
  callback.on_train_begin(training);
  training.epochs_of(callback, "val_loss", {1, 1});
  CHECK(training.messages == std::vector<std::string>{"Epoch 2: ReduceLROnPlateau reducing learning rate to 0.05."});
}

TEST_CASE("a plateau goes on after a resume as without one") {
  const std::vector<double> values{1, 1, 1, .5, .5, .5, .5, .5, .5};
  const ReduceLROnPlateau options{.factor = .5, .patience = 2, .cooldown = 2};
  const Rates whole = rates_of(options, values);
  for (std::size_t cut = 0; cut <= values.size(); ++cut) {
    CAPTURE(cut);
    const auto middle = values.begin() + static_cast<std::ptrdiff_t>(cut);
    FakeTraining first, second;
    first.rate = 1;
    Callback before = options, after = options;
    before.on_train_begin(first);
    Rates rates = first.epochs_of(before, "val_loss", {values.begin(), middle});
    second.rate = first.rate;
    after.on_train_begin(second);
    Stored(before).restore(after);
    const Rates rest = second.epochs_of(after, "val_loss", {middle, values.end()}, static_cast<int>(cut));
    rates.insert(rates.end(), rest.begin(), rest.end());
    CHECK(rates == whole);
  }
}

TEST_CASE("a factor must reduce") {
  FakeTraining training;
  for (const double factor : {1., 1.5, -.1, std::numeric_limits<double>::quiet_NaN()}) {
    Callback callback = ReduceLROnPlateau{.factor = factor};
    CHECK_THROWS_AS(callback.on_train_begin(training), OptionError);
  }
}

TEST_CASE("a schedule sets the rate before each epoch") {
  FakeTraining training;
  training.rate = 1;
  Callback callback = LearningRateScheduler{[](int epoch, double rate) { return epoch < 2 ? rate : rate / 2; }, true};
  callback.on_train_begin(training);
  CHECK(training.epochs_of(callback, "loss", {1, 1, 1, 1}) == Rates{1, 1, .5, .25});
  CHECK(training.messages[3] == "Epoch 4: LearningRateScheduler setting learning rate to 0.25.");
}

TEST_CASE("schedules that make no sense are refused") {
  FakeTraining training;
  Callback empty = LearningRateScheduler{};
  CHECK_THROWS_AS(empty.on_train_begin(training), OptionError);
  Callback negative = LearningRateScheduler{[](int, double) { return -1.; }};
  CHECK_THROWS_WITH_AS(
      negative.on_epoch_begin(3, training),
      "LearningRateScheduler: a learning rate is a finite number of at least 0, the schedule gave -1 for epoch 3",
      OptionError);
  CHECK(training.rate == .1);
}
