#pragma once
// A training without a model: weights are the bytes of one number, and tests say what the logs are.

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <mien/core/error.hpp>
#include <mien/model/callbacks/callback.hpp>

namespace mien::testing_callbacks {

struct FakeTraining final : TrainingControl {
  double rate = 0.1;
  bool stopped = false;
  double weight = 0;
  std::vector<std::string> messages{};
  std::map<std::string, bool, std::less<>> directions{};

  [[nodiscard]] double learning_rate() const override { return rate; }
  void set_learning_rate(double r) override { rate = r; }
  void stop_training() override { stopped = true; }
  [[nodiscard]] bool stopping() const override { return stopped; }
  [[nodiscard]] std::vector<std::byte> weights() const override {
    const auto bytes = std::as_bytes(std::span(&weight, 1));
    return {bytes.begin(), bytes.end()};
  }
  void set_weights(std::span<const std::byte> bytes) override { std::memcpy(&weight, bytes.data(), sizeof(weight)); }
  void message(const std::string& line) override { messages.push_back(line); }
  [[nodiscard]] const Model<float>* float_model() const override { return nullptr; }
  [[nodiscard]] const Model<double>* double_model() const override { return nullptr; }
  [[nodiscard]] int epochs() const override { return 100; }
  [[nodiscard]] std::int64_t steps_per_epoch() const override { return 1; }
  [[nodiscard]] std::optional<bool> higher_is_better(std::string_view metric) const override {
    const auto found = directions.find(metric);
    return found == directions.end() ? TrainingControl::higher_is_better(metric) : std::optional(found->second);
  }

  /// Epochs first, first + 1, ... with these values of one log, until the callback stops it. During epoch e the weight
  /// is e. Returns the learning rates after each epoch.
  std::vector<double> epochs_of(Callback& callback, const std::string& name, const std::vector<double>& values,
                                int first = 0) {
    std::vector<double> rates;
    for (std::size_t i = 0; i < values.size() && !stopped; ++i) {
      const int epoch = first + static_cast<int>(i);
      weight = epoch;
      callback.on_epoch_begin(epoch, *this);
      callback.on_epoch_end(epoch, {{name, values[i]}}, *this);
      rates.push_back(rate);
    }
    return rates;
  }
};

/// Saves what it is shown in memory, and gives it back.
class Stored {
 public:
  template <class X>
  explicit Stored(X& source) {
    Visitor<true> save{values_};
    source.visit_state(save);
  }
  template <class X>
  void restore(X& target) {
    Visitor<false> load{values_};
    target.visit_state(load);
  }
  [[nodiscard]] std::size_t size() const { return values_.size(); }
  [[nodiscard]] bool has(const std::string& name) const { return values_.count(name) == 1; }

 private:
  using Bytes = std::vector<std::byte>;

  template <bool saves>
  struct Visitor final : StateVisitor {
    std::map<std::string, Bytes>& values;
    explicit Visitor(std::map<std::string, Bytes>& v) : values(v) {}
    void operator()(const char* name, bool& value) override { scalar(name, value); }
    void operator()(const char* name, std::int64_t& value) override { scalar(name, value); }
    void operator()(const char* name, double& value) override { scalar(name, value); }
    void operator()(const char* name, std::string& value) override { list(name, value); }
    void operator()(const char* name, Bytes& value) override { list(name, value); }

    template <class X>
    void scalar(const char* name, X& value) {
      if constexpr (saves) values[name].resize(sizeof(X));
      if constexpr (saves) std::memcpy(values[name].data(), &value, sizeof(X));
      if constexpr (!saves) std::memcpy(&value, values.at(name).data(), sizeof(X));
    }
    template <class List>
    void list(const char* name, List& value) {
      if constexpr (!saves) value.resize(values.at(name).size());
      if constexpr (saves) values[name].resize(value.size());
      for (std::size_t i = 0; i < value.size(); ++i)
        if constexpr (saves)
          values[name][i] = static_cast<std::byte>(value[i]);
        else
          value[i] = static_cast<typename List::value_type>(values[name][i]);
    }
  };

  std::map<std::string, Bytes> values_;
};

}  // namespace mien::testing_callbacks
