#pragma once
// The training loop. Everything that happens in an epoch is a function of the seed and the epoch's number.

#include <chrono>
#include <cmath>
#include <cstring>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include <mien/core/log.hpp>
#include <mien/model/callbacks/callback.hpp>
#include <mien/model/evaluation.hpp>
#include <mien/model/history.hpp>
#include <mien/model/model.hpp>
#include <mien/model/progress.hpp>
#include <mien/model/run_identity.hpp>

namespace mien::inline v0 {

namespace detail {

/// One run of fit: what callbacks act on, what a checkpoint holds.
template <class T>
class Fit final : public TrainingControl {
 public:
  Fit(Model<T>& model, Dataset data, FitOptions options)
      : model_(model),
        data_(std::move(data)),
        options_(std::move(options)),
        validation_(options_.validation_data),
        progress_(progress_options()) {
    split_validation();
    require_fits(model_, data_, options_.batch_size, "fit");
    if (validation_) require_fits(model_, *validation_, options_.batch_size, "fit, validation_data");
    if (options_.epochs < 0) throw OptionError(text("fit: epochs is at least 0, got ", options_.epochs));
    if (!options_.class_weight.empty() && options_.class_weight.size() != data_.class_names().size())
      throw OptionError(text("fit: class_weight has ", options_.class_weight.size(), " numbers for ",
                             data_.class_names().size(), " classes"));
    batches_ = batch_options(model_, data_, options_.batch_size);
    batches_.class_weight = options_.class_weight;
    if (options_.checkpoint) identity_ = run_identity(model_, data_, validation_, options_);
  }

  [[nodiscard]] History run() {
    for (Callback& callback : options_.callbacks) callback.on_train_begin(*this);
    const bool resumed =
        options_.checkpoint && options_.checkpoint->restore([this](StateVisitor& visit) { restore(visit); });
    if (resumed) message(text("resumed after epoch ", epoch_));
    adopt_classes();
    while (epoch_ < options_.epochs && !stopping_) run_epoch();
    for (Callback& callback : options_.callbacks) callback.on_train_end(*this);
    return std::move(history_);
  }

  [[nodiscard]] double learning_rate() const override { return model_.trainer().learning_rate; }
  void set_learning_rate(double rate) override { model_.trainer().learning_rate = rate; }
  void stop_training() override { stopping_ = true; }
  [[nodiscard]] bool stopping() const override { return stopping_; }
  [[nodiscard]] std::vector<std::byte> weights() const override {
    const auto bytes = std::as_bytes(std::as_const(model_).values().values().span());
    return {bytes.begin(), bytes.end()};
  }
  void set_weights(std::span<const std::byte> bytes) override {
    const auto own = std::as_writable_bytes(model_.values().values().span());
    if (bytes.size() != own.size())
      throw OptionError(text("set_weights: the model has ", own.size(), " bytes of parameters, got ", bytes.size()));
    std::memcpy(own.data(), bytes.data(), bytes.size());
  }
  void message(const std::string& line) override {
    if (options_.verbose != Verbose::silent) progress_.message(line);
  }
  [[nodiscard]] const Model<float>* float_model() const override { return model_as<float>(); }
  [[nodiscard]] const Model<double>* double_model() const override { return model_as<double>(); }
  [[nodiscard]] std::optional<bool> higher_is_better(std::string_view name) const override {
    for (const Metric& metric : model_.trainer().options().metrics)
      if (metric->name() == name) return metric->higher_is_better();
    return TrainingControl::higher_is_better(name);
  }
  [[nodiscard]] int epochs() const override { return options_.epochs; }
  [[nodiscard]] std::int64_t steps_per_epoch() const override {
    return (data_.size() + options_.batch_size - 1) / options_.batch_size;
  }

 private:
  template <class U>
  [[nodiscard]] const Model<U>* model_as() const {
    if constexpr (std::is_same_v<T, U>) return &model_;
    return nullptr;
  }

  /// The last part of the data, before any shuffling, as Keras takes it. Validation data that are given come first.
  void split_validation() {
    if (options_.validation_split == 0 || validation_) return;
    if (options_.validation_split < 0 || options_.validation_split >= 1)
      throw OptionError(text("fit: validation_split is in [0, 1), got ", options_.validation_split));
    const auto cut =
        static_cast<std::int64_t>(std::floor(static_cast<double>(data_.size()) * (1 - options_.validation_split)));
    const std::vector<std::int64_t> order = in_order(data_.size());
    validation_ = data_.subset(std::span(order).subspan(static_cast<std::size_t>(cut)));
    data_ = data_.take(cut);
  }

  /// The names of the outputs travel with the model from its first training on.
  void adopt_classes() {
    if (!data_.has_labels() || !model_.preprocessing().classes.empty()) return;
    Preprocessing preprocessing = model_.preprocessing();
    preprocessing.classes = data_.class_names();
    model_.set_preprocessing(std::move(preprocessing));
  }

  [[nodiscard]] ProgressOptions progress_options() const {
    const bool bar =
        options_.verbose == Verbose::bar || (options_.verbose == Verbose::automatic && stdout_is_terminal());
    return {.bar = bar, .silent = options_.verbose == Verbose::silent};
  }

  void run_epoch() {
    const auto start = std::chrono::steady_clock::now();
    const auto seconds = [&] {
      return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    };
    for (Callback& callback : options_.callbacks) callback.on_epoch_begin(epoch_, *this);
    if (stopping_) return;
    progress_.begin_epoch(epoch_, options_.epochs, steps_per_epoch());
    Logs logs;
    train_epoch(logs, seconds);
    if (validation_) {
      const Logs result = model_.evaluate(*validation_, {.batch_size = validation_batch_size()});
      for (const auto& [name, value] : result) logs.set("val_" + name, value);
    }
    logs.set("learning_rate", learning_rate());
    logs.set("seconds", seconds());
    progress_.end_epoch(logs, seconds());
    for (Callback& callback : options_.callbacks) callback.on_epoch_end(epoch_, logs, *this);
    history_.append(epoch_, logs);
    ++epoch_;
    if (options_.checkpoint) options_.checkpoint->save([this](StateVisitor& visit) { visit_state(visit); });
  }

  template <class Seconds>
  void train_epoch(Logs& logs, const Seconds& seconds) {
    const RandomKey key{model_.seed(), random_purpose::shuffle, static_cast<std::uint64_t>(epoch_)};
    BatchLoader<T> loader(data_, batches_, options_.shuffle ? permutation(data_.size(), key) : in_order(data_.size()));
    RunningMeans means(model_.trainer().options());
    std::int64_t index = 0;
    while (const Batch<T>* batch = stopping_ ? nullptr : loader.next()) {
      for (Callback& callback : options_.callbacks) callback.on_batch_begin(index, *this);
      means.add(model_.step(*batch), batch->size);
      means.write(logs);
      progress_.update(++index, logs, seconds());
      for (Callback& callback : options_.callbacks) callback.on_batch_end(index - 1, logs, *this);
    }
  }

  [[nodiscard]] std::int64_t validation_batch_size() const {
    return options_.validation_batch_size > 0 ? options_.validation_batch_size : options_.batch_size;
  }

  /// Takes up a stored run. On any failure the model is as it was before.
  void restore(StateVisitor& visit) {
    Model<T> before = model_;
    try {
      visit_state(visit);
    } catch (...) {
      model_ = std::move(before);
      throw;
    }
  }

  void visit_identity(StateVisitor& visit) const {
    const std::string& own = identity_;
    std::string stored = own;
    visit("run", stored);
    if (stored == own) return;
    std::size_t begin = 0;  // of the first line that differs
    for (std::size_t i = 0; i < std::min(own.size(), stored.size()) && own[i] == stored[i]; ++i)
      if (own[i] == '\n') begin = i + 1;
    const auto line = [begin](const std::string& lines) {
      return lines.substr(begin, lines.find('\n', begin) - begin);
    };
    throw OptionError(text("resume: the checkpoint is of another model or run: it has '", line(stored), "', this one '",
                           line(own), "'"));
  }

  /// Everything that the rest of the run depends on.
  void visit_state(StateVisitor& visit) {
    visit_identity(visit);
    visit_tuned_algorithms(visit);
    std::int64_t epoch = epoch_;
    visit("epoch", epoch);
    if (epoch < 0 || epoch > std::numeric_limits<int>::max())
      throw OptionError(text("resume: the checkpoint is damaged: it stands after epoch ", epoch));
    epoch_ = static_cast<int>(epoch);
    visit("stopping", stopping_);
    visit("iterations", model_.trainer().iterations);
    visit("learning_rate", model_.trainer().learning_rate);
    visit_block(visit, "weights", model_.values().values());
    for (std::size_t i = 0; i < model_.trainer().slots().size(); ++i)
      visit_block(visit, text("slot_", i), model_.trainer().slots()[i].values());
    history_.visit_state(visit);
    for (std::size_t i = 0; i < options_.callbacks.size(); ++i) {
      ScopedStateVisitor scoped(visit, text("callback_", i, "/"));
      options_.callbacks[i].visit_state(scoped);
    }
  }

  /// What was measured before must not be measured again, with another outcome perhaps.
  void visit_tuned_algorithms(StateVisitor& visit) {
    if (!model_.autotune()) return;
    const std::string own = model_.tuned_algorithms();
    std::string stored = own;
    visit("tuned_algorithms", stored);
    if (stored != own) model_.set_tuned_algorithms(stored);
  }

  void visit_block(StateVisitor& visit, const std::string& name, Tensor<T>& block) const {
    const auto own = std::as_writable_bytes(block.span());
    std::vector<std::byte> bytes(own.begin(), own.end());
    visit(name.c_str(), bytes);
    if (bytes.size() != own.size())
      throw OptionError(text("resume: '", name, "' has ", bytes.size(), " bytes, this model needs ", own.size(),
                             ": the checkpoint is of another model"));
    std::memcpy(own.data(), bytes.data(), bytes.size());
  }

  Model<T>& model_;
  Dataset data_;
  FitOptions options_;
  std::optional<Dataset> validation_;
  BatchOptions batches_;
  Progress progress_;
  std::string identity_;  ///< made before the first epoch: what cannot be stored is refused before it is trained
  History history_;
  int epoch_ = 0;
  bool stopping_ = false;
};

}  // namespace detail

template <class T>
History Model<T>::fit(const Dataset& data, const FitOptions& options) {
  return detail::Fit<T>(*this, data, options).run();
}

}  // namespace mien::inline v0
