#include <doctest/doctest.h>

#include <limits>
#include <memory>
#include <string>
#include <vector>

#include <mien/model/callbacks/early_stopping.hpp>
#include <mien/model/callbacks/lambda_callback.hpp>
#include <mien/model/callbacks/terminate_on_nan.hpp>

#include "fake_training.hpp"

using namespace mien;
using mien::testing_callbacks::FakeTraining;
using mien::testing_callbacks::Stored;

namespace {
struct Counter {
  int epochs = 0;
  void on_epoch_end(int, const Logs&, TrainingControl&) { ++epochs; }
};

struct Stopwatch {
  static constexpr const char* type = "Stopwatch";
  std::vector<std::string> calls{};
  void on_train_begin(TrainingControl&) { calls.emplace_back("train_begin"); }
  void on_epoch_begin(int epoch, TrainingControl&) { calls.push_back(text("epoch_begin ", epoch)); }
  void on_batch_begin(std::int64_t batch, TrainingControl&) { calls.push_back(text("batch_begin ", batch)); }
  void on_batch_end(std::int64_t batch, const Logs& logs, TrainingControl&) {
    calls.push_back(text("batch_end ", batch, ' ', *logs.get("loss")));
  }
  void on_epoch_end(int epoch, const Logs&, TrainingControl&) { calls.push_back(text("epoch_end ", epoch)); }
  void on_train_end(TrainingControl&) { calls.emplace_back("train_end"); }
};

class Derived final : public CallbackBase {
 public:
  int epochs = 0;
  [[nodiscard]] std::string_view type() const override { return "Derived"; }
  void on_epoch_end(int, const Logs&, TrainingControl&) override { ++epochs; }
};

struct NoHooks {
  int x = 0;
};

const std::vector<std::string> all_hooks{"train_begin",     "epoch_begin 0", "batch_begin 0",
                                         "batch_end 0 0.5", "epoch_end 0",   "train_end"};

void call_all(Callback& callback, TrainingControl& control) {
  const Logs logs{{"loss", .5}};
  callback.on_train_begin(control);
  callback.on_epoch_begin(0, control);
  callback.on_batch_begin(0, control);
  callback.on_batch_end(0, logs, control);
  callback.on_epoch_end(0, logs, control);
  callback.on_train_end(control);
}
}  // namespace

static_assert(std::is_constructible_v<Callback, Counter>);
static_assert(std::is_constructible_v<Callback, std::shared_ptr<Counter>>);
static_assert(!std::is_constructible_v<Callback, NoHooks>);
static_assert(!std::is_constructible_v<Callback, std::shared_ptr<NoHooks>>);
static_assert(std::is_nothrow_move_constructible_v<Callback>);

TEST_CASE("every hook of a struct is called, those it lacks are not missed") {
  FakeTraining training;
  auto watch = std::make_shared<Stopwatch>();
  auto counter = std::make_shared<Counter>();
  std::vector<Callback> callbacks{watch, counter};
  for (Callback& callback : callbacks) call_all(callback, training);
  CHECK(watch->calls == all_hooks);
  CHECK(counter->epochs == 1);
  CHECK(callbacks[0].type() == "Stopwatch");
  CHECK(callbacks[1].type() == "Callback");
  CHECK(Stored(callbacks[0]).size() == 0);
}

TEST_CASE("a class with virtual hooks is a callback too") {
  FakeTraining training;
  auto derived = std::make_shared<Derived>();
  Callback callback(derived);
  call_all(callback, training);
  CHECK(derived->epochs == 1);
  CHECK(callback.type() == "Derived");
}

TEST_CASE("values are copied with their state, pointers are shared") {
  FakeTraining training;
  Callback value = EarlyStopping{.patience = 1};
  value.on_train_begin(training);
  Callback copy = value;
  CHECK(Stored(copy).has("best_weights"));
  copy.on_epoch_end(0, {{"val_loss", 1}}, training);
  copy.on_epoch_end(1, {{"val_loss", 1}}, training);
  CHECK(training.stopped);

  FakeTraining other;
  value.on_epoch_end(1, {{"val_loss", 1}}, other);  // the first value that this one sees
  CHECK_FALSE(other.stopped);
  copy = value;
  copy.on_epoch_end(2, {{"val_loss", 1}}, other);
  CHECK(other.stopped);

  auto shared = std::make_shared<Counter>();
  Callback first(shared), second(first);
  first.on_epoch_end(0, {}, training);
  second.on_epoch_end(1, {}, training);
  CHECK(shared->epochs == 2);
}

TEST_CASE("LambdaCallback calls what it is given") {
  FakeTraining training;
  std::vector<std::string> calls;
  Callback callback = LambdaCallback{
      .on_epoch_begin = [&](int epoch, TrainingControl&) { calls.push_back(text("epoch_begin ", epoch)); },
      .on_epoch_end = [&](int epoch, const Logs&, TrainingControl&) { calls.push_back(text("epoch_end ", epoch)); },
      .on_train_begin = [&](TrainingControl&) { calls.emplace_back("train_begin"); },
      .on_train_end = [&](TrainingControl&) { calls.emplace_back("train_end"); },
      .on_batch_begin = [&](std::int64_t batch, TrainingControl&) { calls.push_back(text("batch_begin ", batch)); },
      .on_batch_end = [&](std::int64_t batch, const Logs& logs,
                          TrainingControl&) { calls.push_back(text("batch_end ", batch, ' ', *logs.get("loss"))); }};
  call_all(callback, training);
  CHECK(calls == all_hooks);
  Callback partial = LambdaCallback{.on_epoch_end = [](int, const Logs&, TrainingControl& c) { c.stop_training(); }};
  call_all(partial, training);
  CHECK(training.stopped);
}

TEST_CASE("TerminateOnNaN stops once") {
  for (const double bad : {std::numeric_limits<double>::quiet_NaN(), std::numeric_limits<double>::infinity()}) {
    FakeTraining training;
    auto terminate = std::make_shared<TerminateOnNaN>();
    Callback callback(terminate);
    callback.on_train_begin(training);
    callback.on_batch_end(0, {{"loss", 1e300}}, training);
    CHECK_FALSE(training.stopped);
    callback.on_batch_end(1, {{"loss", bad}}, training);
    callback.on_batch_end(2, {{"loss", bad}}, training);
    CHECK(training.stopped);
    CHECK(terminate->batch == 1);
    CHECK(training.messages == std::vector<std::string>{"Batch 1: Invalid loss, terminating training"});
  }
}

TEST_CASE("logs keep the order in which names came") {
  Logs logs{{"loss", 1}, {"accuracy", .5}};
  logs.set("val_loss", 2);
  logs.set("loss", 3);
  CHECK(logs == Logs{{"loss", 3}, {"accuracy", .5}, {"val_loss", 2}});
  CHECK(logs.names() == std::vector<std::string>{"loss", "accuracy", "val_loss"});
  CHECK(logs.get("val_loss") == 2);
  CHECK_FALSE(logs.get("val"));
}

TEST_CASE("scoped states do not meet") {
  struct Two {
    Callback a = EarlyStopping{}, b = EarlyStopping{};
    void visit_state(StateVisitor& visit) {
      ScopedStateVisitor first(visit, "callback_0/"), second(visit, "callback_1/");
      a.visit_state(first);
      b.visit_state(second);
    }
  } two;
  const Stored stored(two);
  CHECK(stored.size() == 10);
  CHECK(stored.has("callback_1/stopped_epoch"));
}
