#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <vector>

#include <mien/model/history.hpp>

#include "fake_training.hpp"

using namespace mien;
using mien::testing_callbacks::Stored;

namespace {
History example() {
  History history;
  history.append(0, {{"loss", 1}, {"val_accuracy", .25}});
  history.append(1, {{"loss", .1}, {"val_accuracy", .75}});
  history.append(2, {{"loss", .1}, {"val_accuracy", .5}});
  return history;
}
}  // namespace

TEST_CASE("columns by name") {
  const History history = example();
  CHECK(history.epoch == std::vector<int>{0, 1, 2});
  CHECK(history["loss"] == std::vector<double>{1, .1, .1});
  CHECK_THROWS_WITH_AS((void)history["acc"], "History: there is no 'acc', there are: loss, val_accuracy", OptionError);
}

TEST_CASE("the first best epoch") {
  History history = example();
  CHECK(history.best_epoch("loss") == 1);
  CHECK(history.best_epoch("val_accuracy") == 1);
  CHECK(history.best_epoch("val_accuracy", MonitorMode::min) == 0);
  history.append(3, {{"loss", std::numeric_limits<double>::quiet_NaN()}});
  CHECK(history.best_epoch("loss") == 1);
  CHECK_THROWS_AS((void)History{}.best_epoch("loss"), OptionError);
  History nothing;
  nothing.append(0, {{"loss", std::numeric_limits<double>::quiet_NaN()}});
  CHECK_THROWS_AS((void)nothing.best_epoch("loss"), OptionError);
}

TEST_CASE("logs that come and go leave NaN") {
  History history = example();
  history.append(3, {{"loss", 0}, {"extra", 7}});
  CHECK(std::isnan(history["val_accuracy"][3]));
  CHECK(std::isnan(history["extra"][2]));
  CHECK(history["extra"][3] == 7);
  CHECK(history.to_csv() == "epoch,loss,val_accuracy,extra\n0,1,0.25,nan\n1,0.1,0.75,nan\n2,0.1,0.5,nan\n3,0,nan,7\n");
}

TEST_CASE("history as a table") {
  CHECK(example().to_csv() == "epoch,loss,val_accuracy\n0,1,0.25\n1,0.1,0.75\n2,0.1,0.5\n");
  CHECK(example().to_csv(';') == "epoch;loss;val_accuracy\n0;1;0.25\n1;0.1;0.75\n2;0.1;0.5\n");
  CHECK(History{}.to_csv() == "epoch\n");
}

TEST_CASE("a stored history comes back and grows on") {
  History history = example(), restored, other;
  other.append(5, {{"a", 1}, {"b", 2}, {"c", 3}});
  for (History* target : {&restored, &other}) {
    Stored(history).restore(*target);
    CHECK(target->epoch == history.epoch);
    CHECK(target->to_csv() == history.to_csv());
  }
  restored.append(3, {{"loss", .05}, {"val_accuracy", .8}});
  CHECK(restored.best_epoch("loss") == 3);
  History empty;
  Stored(empty).restore(restored);
  CHECK(restored.to_csv() == "epoch\n");
}
