#pragma once
// What happens beside training: a callback is a struct with some of the hooks below, `EarlyStopping{.patience = 10}`.

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <mien/fwd.hpp>
#include <mien/model/logs.hpp>
#include <mien/model/state_visitor.hpp>

namespace mien::inline v0 {

/// What a callback may see and do. Implemented by fit.
class TrainingControl {
 public:
  virtual ~TrainingControl() = default;
  /// The learning rate of the next step.
  [[nodiscard]] virtual double learning_rate() const = 0;
  virtual void set_learning_rate(double rate) = 0;
  /// Training ends with the running batch, or epoch.
  virtual void stop_training() = 0;
  [[nodiscard]] virtual bool stopping() const = 0;
  /// A copy of all parameters, statistics of batch normalisation included.
  [[nodiscard]] virtual std::vector<std::byte> weights() const = 0;
  virtual void set_weights(std::span<const std::byte> bytes) = 0;
  /// A line for the user; prints nothing if fit is silent.
  virtual void message(const std::string& line) = 0;
  /// The model that is trained, if it is one of that type, else null.
  [[nodiscard]] virtual const Model<float>* float_model() const = 0;
  [[nodiscard]] virtual const Model<double>* double_model() const = 0;
  /// Epochs to be trained in all.
  [[nodiscard]] virtual int epochs() const = 0;
  [[nodiscard]] virtual std::int64_t steps_per_epoch() const = 0;
  /// Whether larger values of the metric of that name (without "val_") are better; nothing if it is not known.
  [[nodiscard]] virtual std::optional<bool> higher_is_better(std::string_view metric) const {
    return metric == "loss" ? std::optional(false) : std::nullopt;
  }
};

/// A callback behind one interface. Implemented by CallbackOf for every struct. Epochs and batches count from 0.
class CallbackBase {
 public:
  virtual ~CallbackBase() = default;
  /// The name of the class, as Keras has it: "EarlyStopping".
  [[nodiscard]] virtual std::string_view type() const = 0;
  /// Before anything else: checks the options and forgets an earlier run. A stored run is restored after it.
  virtual void on_train_begin(TrainingControl&) {}
  virtual void on_epoch_begin(int, TrainingControl&) {}
  virtual void on_batch_begin(std::int64_t, TrainingControl&) {}
  /// The logs hold the means of this epoch so far.
  virtual void on_batch_end(std::int64_t, const Logs&, TrainingControl&) {}
  virtual void on_epoch_end(int, const Logs&, TrainingControl&) {}
  virtual void on_train_end(TrainingControl&) {}
  /// Shows all that a resumed run needs to go on as if it had never been interrupted.
  virtual void visit_state(StateVisitor&) {}
};

class Callback;

/// What CallbackOf can hold: a struct, or a class, with at least one hook.
template <class X>
concept CallbackHooks =
    !std::same_as<X, Callback> && !std::derived_from<X, CallbackBase> &&
    (
        requires(X & x, TrainingControl& control) { x.on_train_begin(control); } ||
        requires(X & x, TrainingControl& control) { x.on_epoch_begin(0, control); } ||
        requires(X & x, TrainingControl& control) { x.on_batch_begin(std::int64_t{0}, control); } ||
        requires(X & x, const Logs& logs, TrainingControl& control) {
          x.on_batch_end(std::int64_t{0}, logs, control);
        } ||
        requires(X & x, const Logs& logs, TrainingControl& control) { x.on_epoch_end(0, logs, control); } ||
        requires(X & x, TrainingControl& control) { x.on_train_end(control); });

/// The CallbackBase of a struct. The struct has at least one hook, and whatever else it needs of these:
///
///     static constexpr const char* type = "Stopwatch";            // optional: "Callback"
///     void on_train_begin(TrainingControl& control);
///     void on_epoch_begin(int epoch, TrainingControl& control);
///     void on_batch_begin(std::int64_t batch, TrainingControl& control);
///     void on_batch_end(std::int64_t batch, const Logs& logs, TrainingControl& control);
///     void on_epoch_end(int epoch, const Logs& logs, TrainingControl& control);
///     void on_train_end(TrainingControl& control);
///     void visit_state(StateVisitor& visit);
template <CallbackHooks X>
class CallbackOf final : public CallbackBase {
 public:
  explicit CallbackOf(std::shared_ptr<X> hooks) : hooks_(std::move(hooks)) {}

  [[nodiscard]] std::string_view type() const override {
    if constexpr (requires { X::type; }) return X::type;
    return "Callback";
  }
  void on_train_begin(TrainingControl& control) override {
    if constexpr (requires { hooks_->on_train_begin(control); })
      hooks_->on_train_begin(control);
    else
      static_assert(
          !requires { &X::on_train_begin; }, "on_train_begin takes (TrainingControl&)");
  }
  void on_epoch_begin(int epoch, TrainingControl& control) override {
    if constexpr (requires { hooks_->on_epoch_begin(epoch, control); })
      hooks_->on_epoch_begin(epoch, control);
    else
      static_assert(
          !requires { &X::on_epoch_begin; }, "on_epoch_begin takes (int, TrainingControl&)");
  }
  void on_batch_begin(std::int64_t batch, TrainingControl& control) override {
    if constexpr (requires { hooks_->on_batch_begin(batch, control); })
      hooks_->on_batch_begin(batch, control);
    else
      static_assert(
          !requires { &X::on_batch_begin; }, "on_batch_begin takes (std::int64_t, TrainingControl&)");
  }
  void on_batch_end(std::int64_t batch, const Logs& logs, TrainingControl& control) override {
    if constexpr (requires { hooks_->on_batch_end(batch, logs, control); })
      hooks_->on_batch_end(batch, logs, control);
    else
      static_assert(
          !requires { &X::on_batch_end; }, "on_batch_end takes (std::int64_t, const Logs&, TrainingControl&)");
  }
  void on_epoch_end(int epoch, const Logs& logs, TrainingControl& control) override {
    if constexpr (requires { hooks_->on_epoch_end(epoch, logs, control); })
      hooks_->on_epoch_end(epoch, logs, control);
    else
      static_assert(
          !requires { &X::on_epoch_end; }, "on_epoch_end takes (int, const Logs&, TrainingControl&)");
  }
  void on_train_end(TrainingControl& control) override {
    if constexpr (requires { hooks_->on_train_end(control); })
      hooks_->on_train_end(control);
    else
      static_assert(
          !requires { &X::on_train_end; }, "on_train_end takes (TrainingControl&)");
  }
  void visit_state(StateVisitor& visit) override {
    if constexpr (requires { hooks_->visit_state(visit); })
      hooks_->visit_state(visit);
    else
      static_assert(
          !requires { &X::visit_state; }, "visit_state takes (StateVisitor&)");
  }

  /// The same callback with a copy of the struct.
  [[nodiscard]] static std::shared_ptr<CallbackBase> copy(const CallbackBase& base) {
    return std::make_shared<CallbackOf>(std::make_shared<X>(*static_cast<const CallbackOf&>(base).hooks_));
  }

 private:
  std::shared_ptr<X> hooks_;
};

/// Any callback. Made of a struct it is a value: each copy has a state of its own, so that options of fit can be used
/// again. Made of a pointer it shares the struct with the caller, who may read its results:
///
///     auto stop = std::make_shared<EarlyStopping>(EarlyStopping{.patience = 2});
///     model.fit(data, {.callbacks = {stop, CSVLogger{.filename = "log.csv"}}});
///     std::cout << stop->stopped_epoch;
class Callback {
 public:
  template <CallbackHooks X>
  Callback(X hooks)  // NOLINT: implicit
      : callback_(std::make_shared<CallbackOf<X>>(std::make_shared<X>(std::move(hooks)))), copy_(CallbackOf<X>::copy) {}
  template <CallbackHooks X>
  Callback(std::shared_ptr<X> hooks) : callback_(std::make_shared<CallbackOf<X>>(std::move(hooks))) {}  // NOLINT
  Callback(std::shared_ptr<CallbackBase> callback) : callback_(std::move(callback)) {}                  // NOLINT

  Callback(const Callback& other)
      : callback_(other.copy_ ? other.copy_(*other.callback_) : other.callback_), copy_(other.copy_) {}
  Callback(Callback&&) = default;
  Callback& operator=(const Callback& other) { return *this = Callback(other); }
  Callback& operator=(Callback&&) = default;
  ~Callback() = default;

  [[nodiscard]] std::string_view type() const { return callback_->type(); }
  void on_train_begin(TrainingControl& control) { callback_->on_train_begin(control); }
  void on_epoch_begin(int epoch, TrainingControl& control) { callback_->on_epoch_begin(epoch, control); }
  void on_batch_begin(std::int64_t batch, TrainingControl& control) { callback_->on_batch_begin(batch, control); }
  void on_batch_end(std::int64_t batch, const Logs& logs, TrainingControl& control) {
    callback_->on_batch_end(batch, logs, control);
  }
  void on_epoch_end(int epoch, const Logs& logs, TrainingControl& control) {
    callback_->on_epoch_end(epoch, logs, control);
  }
  void on_train_end(TrainingControl& control) { callback_->on_train_end(control); }
  void visit_state(StateVisitor& visit) { callback_->visit_state(visit); }

 private:
  std::shared_ptr<CallbackBase> callback_;
  std::shared_ptr<CallbackBase> (*copy_)(const CallbackBase&) = nullptr;  // null: copies share
};

}  // namespace mien::inline v0
