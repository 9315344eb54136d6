#pragma once
// What is minimised: a loss is a value made of an options struct, `CategoricalCrossentropy{.label_smoothing = 0.1}`.

#include <algorithm>
#include <array>
#include <concepts>
#include <cstdint>
#include <memory>
#include <string_view>
#include <utility>

#include <mien/core/error.hpp>
#include <mien/core/parallel.hpp>
#include <mien/graph/options.hpp>

namespace mien::inline v0 {

/// What a loss sees: predictions (samples, width) beside targets (samples, target_width), row-major.
template <class T>
struct LossBatch {
  std::int64_t samples = 0;
  std::int64_t width = 0;
  const T* prediction = nullptr;
  const T* target = nullptr;
  std::int64_t target_width = 0;
  const T* sample_weight = nullptr;  ///< one factor a sample, or null: all ones
  bool logits = false;               ///< the model left a final softmax out: the predictions are its input
  T* d_prediction = nullptr;         ///< or null; overwritten with d(sum of weighted losses / samples) / d prediction
  int threads = 1;
};

/// A loss behind one interface. Implemented once, by LossSpecOf, for every options struct.
class LossSpec {
 public:
  virtual ~LossSpec() = default;
  /// The name of the class, as Keras has it: "CategoricalCrossentropy".
  [[nodiscard]] virtual std::string_view type() const = 0;
  /// The name in logs when the loss serves as a metric: "categorical_crossentropy".
  [[nodiscard]] virtual std::string_view name() const = 0;
  /// Whether the model should leave a final softmax out and set LossBatch::logits: the gradient is then p - t.
  [[nodiscard]] virtual bool fuses_softmax() const = 0;
  /// The numbers of a sample's target, for that many numbers in its prediction: 1 where a target is a class.
  [[nodiscard]] virtual std::int64_t target_width(std::int64_t output_width) const = 0;
  /// Shows a copy of the options to the visitor.
  virtual void visit_options(OptionVisitor& visitor) const = 0;
  /// The sum of the samples' weighted losses. Every bit is independent of batch.threads.
  [[nodiscard]] virtual double compute(const LossBatch<float>& batch) const = 0;
  [[nodiscard]] virtual double compute(const LossBatch<double>& batch) const = 0;
};

/// The LossSpec of an options struct. The struct has
///
///     static constexpr const char* type = "Huber";
///     static constexpr const char* name = "huber";
///     template <class T> double compute(const LossBatch<T>& batch) const;
///     bool fuses_softmax() const;                                // optional: false
///     std::int64_t target_width(std::int64_t output_width) const;  // optional: output_width
///     void visit_options(OptionVisitor& visit);                  // optional: without it a checkpoint cannot be saved
template <class Options>
class LossSpecOf final : public LossSpec {
 public:
  /// Throws OptionError on a label_smoothing, where the struct has one, outside [0, 1].
  explicit LossSpecOf(Options options) : options_(std::move(options)) {
    if constexpr (requires { options_.label_smoothing; })
      if (!(options_.label_smoothing >= 0 && options_.label_smoothing <= 1))
        throw OptionError(text("loss ", type(), ": label_smoothing is in [0, 1], got ", options_.label_smoothing));
  }

  [[nodiscard]] std::string_view type() const override { return Options::type; }
  [[nodiscard]] std::string_view name() const override { return Options::name; }
  [[nodiscard]] bool fuses_softmax() const override {
    if constexpr (requires { options_.fuses_softmax(); }) return options_.fuses_softmax();
    return false;
  }
  [[nodiscard]] std::int64_t target_width(std::int64_t output_width) const override {
    if constexpr (requires { options_.target_width(output_width); }) return options_.target_width(output_width);
    return output_width;
  }
  void visit_options(OptionVisitor& visitor) const override {
    if constexpr (requires(Options o) { o.visit_options(visitor); }) {
      Options copy = options_;
      copy.visit_options(visitor);
    } else {
      throw OptionError(text("loss ", type(), " cannot be saved: its options struct has no visit_options"));
    }
  }
  [[nodiscard]] double compute(const LossBatch<float>& batch) const override { return options_.compute(batch); }
  [[nodiscard]] double compute(const LossBatch<double>& batch) const override { return options_.compute(batch); }

 private:
  Options options_;
};

/// What LossSpecOf can hold.
template <class Options>
concept LossOptions = requires(const Options& options, const LossBatch<float>& batch) {
  { Options::type } -> std::convertible_to<std::string_view>;
  { Options::name } -> std::convertible_to<std::string_view>;
  { options.compute(batch) } -> std::convertible_to<double>;
};

/// Any loss: implicitly made of an options struct, cheap to copy, immutable. Empty when default-constructed.
class Loss {
 public:
  Loss() = default;
  template <LossOptions Options>
  Loss(Options options) : spec_(std::make_shared<const LossSpecOf<Options>>(std::move(options))) {}  // NOLINT: implicit
  Loss(std::shared_ptr<const LossSpec> spec) : spec_(std::move(spec)) {}                             // NOLINT: implicit

  [[nodiscard]] const LossSpec* operator->() const { return spec_.get(); }
  [[nodiscard]] const LossSpec& operator*() const { return *spec_; }
  [[nodiscard]] explicit operator bool() const { return spec_ != nullptr; }

 private:
  std::shared_ptr<const LossSpec> spec_;
};

/// The sum of of_sample(i) over samples 0 ... samples-1, whose work is about `width` operations each. The order of the
/// sum is a function of `samples` alone. of_sample must not throw.
template <class OfSample>
[[nodiscard]] double sum_over_samples(std::int64_t samples, std::int64_t width, int threads,
                                      const OfSample& of_sample) {
  constexpr std::int64_t max_tasks = 64, worth_threads = 16384;
  std::array<double, max_tasks> partial{};
  const std::int64_t tasks = std::min(samples, max_tasks);
  parallel_for(samples * width < worth_threads ? 1 : threads, tasks, [&](std::int64_t task, int) {
    double sum = 0;
    for (std::int64_t i = samples * task / tasks; i < samples * (task + 1) / tasks; ++i) sum += of_sample(i);
    partial[static_cast<std::size_t>(task)] = sum;
  });
  double sum = 0;
  for (const double part : partial) sum += part;
  return sum;
}

namespace detail {
/// Throws ShapeError unless targets are as wide as the loss wants them.
template <class T>
void require_target_width(const char* loss, const LossBatch<T>& batch, std::int64_t expected) {
  if (batch.target_width != expected)
    throw ShapeError(text("loss ", loss, " expected targets of ", expected, " numbers for predictions of ", batch.width,
                          ", got ", batch.target_width));
}

/// A sample's weight.
template <class T>
double weight_of(const LossBatch<T>& batch, std::int64_t sample) {
  return batch.sample_weight == nullptr ? 1.0 : static_cast<double>(batch.sample_weight[sample]);
}
}  // namespace detail

}  // namespace mien::inline v0
