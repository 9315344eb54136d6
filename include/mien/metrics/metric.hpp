#pragma once
// What is reported: a metric is a value made of an options struct, `Accuracy{}`, or of a loss.

#include <concepts>
#include <cstdint>
#include <memory>
#include <string_view>
#include <utility>

#include <mien/core/error.hpp>
#include <mien/losses/loss.hpp>

namespace mien::inline v0 {

/// What a metric sees: predictions (samples, width) beside targets (samples, target_width), row-major.
template <class T>
struct MetricBatch {
  std::int64_t samples = 0;
  std::int64_t width = 0;
  const T* prediction = nullptr;
  const T* target = nullptr;
  std::int64_t target_width = 0;
  bool logits = false;  ///< the model left a final softmax out: the predictions are its input
  int threads = 1;
};

/// A metric behind one interface: a mean over samples. Implemented by MetricSpecOf for every options struct.
class MetricSpec {
 public:
  virtual ~MetricSpec() = default;
  /// The name in logs: "accuracy", and "val_accuracy" for validation data.
  [[nodiscard]] virtual std::string_view name() const = 0;
  /// What callbacks with mode "auto" take for an improvement.
  [[nodiscard]] virtual bool higher_is_better() const = 0;
  /// The sum of the samples' values; the model divides by their number.
  [[nodiscard]] virtual double sum_over(const MetricBatch<float>& batch) const = 0;
  [[nodiscard]] virtual double sum_over(const MetricBatch<double>& batch) const = 0;
};

/// The MetricSpec of an options struct. The struct has
///
///     static constexpr const char* name = "within_one";
///     template <class T> double sum_over(const MetricBatch<T>& batch) const;
///     static constexpr bool higher_is_better = true;             // optional: false
template <class Options>
class MetricSpecOf final : public MetricSpec {
 public:
  explicit MetricSpecOf(Options options) : options_(std::move(options)) {}

  [[nodiscard]] std::string_view name() const override { return Options::name; }
  [[nodiscard]] bool higher_is_better() const override {
    if constexpr (requires { Options::higher_is_better; }) return Options::higher_is_better;
    return false;
  }
  [[nodiscard]] double sum_over(const MetricBatch<float>& batch) const override { return options_.sum_over(batch); }
  [[nodiscard]] double sum_over(const MetricBatch<double>& batch) const override { return options_.sum_over(batch); }

 private:
  Options options_;
};

namespace detail {
/// A loss as a metric: the same number, without weights.
class LossMetric final : public MetricSpec {
 public:
  explicit LossMetric(Loss loss) : loss_(std::move(loss)) {}

  [[nodiscard]] std::string_view name() const override { return loss_->name(); }
  [[nodiscard]] bool higher_is_better() const override { return false; }
  [[nodiscard]] double sum_over(const MetricBatch<float>& batch) const override { return sum(batch); }
  [[nodiscard]] double sum_over(const MetricBatch<double>& batch) const override { return sum(batch); }

 private:
  template <class T>
  [[nodiscard]] double sum(const MetricBatch<T>& batch) const {
    return loss_->compute(LossBatch<T>{.samples = batch.samples,
                                       .width = batch.width,
                                       .prediction = batch.prediction,
                                       .target = batch.target,
                                       .target_width = batch.target_width,
                                       .logits = batch.logits,
                                       .threads = batch.threads});
  }
  Loss loss_;
};
}  // namespace detail

/// What MetricSpecOf can hold.
template <class Options>
concept MetricOptions = requires(const Options& options, const MetricBatch<float>& batch) {
  { Options::name } -> std::convertible_to<std::string_view>;
  { options.sum_over(batch) } -> std::convertible_to<double>;
};

/// Any metric: implicitly made of an options struct, of a loss or its options; cheap to copy, immutable.
class Metric {
 public:
  template <MetricOptions Options>
  Metric(Options options)  // NOLINT: implicit
      : spec_(std::make_shared<const MetricSpecOf<Options>>(std::move(options))) {}
  template <LossOptions Options>
  Metric(Options options) : Metric(Loss(std::move(options))) {}                              // NOLINT: implicit
  Metric(Loss loss) : spec_(std::make_shared<const detail::LossMetric>(std::move(loss))) {}  // NOLINT: implicit
  Metric(std::shared_ptr<const MetricSpec> spec) : spec_(std::move(spec)) {}                 // NOLINT: implicit

  [[nodiscard]] const MetricSpec* operator->() const { return spec_.get(); }
  [[nodiscard]] const MetricSpec& operator*() const { return *spec_; }

 private:
  std::shared_ptr<const MetricSpec> spec_;
};

}  // namespace mien::inline v0
