#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include <mien/losses/loss.hpp>
#include <mien/metrics/metric.hpp>
#include <mien/model/batches.hpp>
#include <mien/model/context.hpp>
#include <mien/model/parameters.hpp>
#include <mien/model/plan.hpp>
#include <mien/optimizers/clipping.hpp>
#include <mien/optimizers/optimizer.hpp>

namespace mien::inline v0 {

/// What a model is trained with.
struct CompileOptions {
  Optimizer optimizer{};
  Loss loss{};
  std::vector<Metric> metrics{};
};

/// The result of one batch.
struct BatchResult {
  double loss = 0;  ///< the mean over the batch, with the regularizers' penalties
  std::span<const double>
      metrics{};  ///< the means over the batch, in the order of CompileOptions::metrics; valid until the next call
};

/// Everything that training adds to a model's parameters: gradients, the optimizer's moments, counters.
template <class T>
class Trainer {
 public:
  Trainer(CompileOptions options, const Network<T>& network, const ParameterLayout<T>& layout)
      : options_(std::move(options)), layout_(layout), gradients_(layout, false), metrics_(options_.metrics.size()) {
    if (!options_.optimizer) throw OptionError("compile: no optimizer was given; for example .optimizer = Adam{}");
    if (!options_.loss) throw OptionError("compile: no loss was given; for example .loss = CategoricalCrossentropy{}");
    learning_rate = options_.optimizer->learning_rate();
    for (int i = 0; i < options_.optimizer->slots(); ++i) slots_.emplace_back(layout, false);
    segments_.reserve(layout.all().size());
    width_ = network.output_shape().size();
    last_node_ = network.size() - 1;
  }
  /// A copy for another model of the same layout: the same options, counters and moments.
  Trainer(const Trainer& other, const Network<T>& network, const ParameterLayout<T>& layout)
      : Trainer(other.options_, network, layout) {
    learning_rate = other.learning_rate;
    iterations = other.iterations;
    for (std::size_t i = 0; i < slots_.size(); ++i)
      std::copy(other.slots_[i].values().begin(), other.slots_[i].values().end(), slots_[i].values().begin());
  }

  double learning_rate = 0;     ///< of the next step
  std::int64_t iterations = 0;  ///< steps made

  [[nodiscard]] const CompileOptions& options() const { return options_; }
  [[nodiscard]] const ParameterBlock<T>& gradients() const { return gradients_; }
  [[nodiscard]] std::vector<ParameterBlock<T>>& slots() { return slots_; }
  [[nodiscard]] const std::vector<ParameterBlock<T>>& slots() const { return slots_; }
  [[nodiscard]] std::int64_t target_width() const { return options_.loss->target_width(width_); }

  /// Forward, the loss and the metrics; with `gradient`, backward too.
  BatchResult run(Context<T>& context, const typename Context<T>::template Run<ParameterBlock<T>>& run,
                  const Batch<T>& batch, bool gradient) {
    context.forward(run);
    const TensorView<const T> y = context.result(run);
    const bool logits = run.plan.leaves_out_softmax();
    const int threads = run.plan.options().threads;
    LossBatch<T> loss{batch.size, width_, y.data(), batch.y, target_width(), batch.weight, logits, nullptr, threads};
    if (gradient) loss.d_prediction = context.gradient(run, last_node_).data();
    const auto samples = static_cast<double>(batch.size);
    const double value = options_.loss->compute(loss) / samples + penalty(run.parameters, threads);
    if (run.clock != nullptr) run.clock->lap(detail::LapKind::loss);
    for (std::size_t i = 0; i < metrics_.size(); ++i)
      metrics_[i] = options_.metrics[i]->sum_over(
                        MetricBatch<T>{batch.size, width_, y.data(), batch.y, target_width(), logits, threads}) /
                    samples;
    if (run.clock != nullptr) run.clock->lap(detail::LapKind::metrics);
    if (gradient) context.backward(run);
    return {value, metrics_};
  }

  /// Moves the trainable parameters along their gradients.
  void update(const ParameterBlock<T>& parameters, const std::vector<bool>& trainable, int threads) {
    segments_.clear();
    for (std::size_t i = 0; i < layout_.all().size(); ++i) {
      const Parameter& parameter = layout_.all()[i];
      if (parameter.statistic || !trainable[static_cast<std::size_t>(parameter.node)]) continue;
      ParameterSegment<T> segment{.n = parameter.shape.size(),
                                  .value = parameters[i].data(),
                                  .gradient = gradients_[i].data(),
                                  .l1 = parameter.regularizer.l1,
                                  .l2 = parameter.regularizer.l2,
                                  .decays = options_.optimizer->decays(parameter.name)};
      for (std::size_t s = 0; s < slots_.size(); ++s) segment.slots[s] = slots_[s][i].data();
      segments_.push_back(segment);
    }
    ++iterations;
    OptimizerStep step{.iteration = iterations, .learning_rate = learning_rate};
    apply_clipping<T>(options_.optimizer->clipping(), step, segments_, threads);
    options_.optimizer->update(step, segments_, threads);
  }

  /// The sum of the regularizers' penalties.
  [[nodiscard]] double penalty(const ParameterBlock<T>& parameters, int threads) const {
    double sum = 0;
    for (std::size_t i = 0; i < layout_.all().size(); ++i) {
      const Regularizer& regularizer = layout_.all()[i].regularizer;
      if (!regularizer) continue;
      const T* w = parameters[i].data();
      sum += sum_over_samples(parameters[i].size(), 1, threads, [&](std::int64_t k) {
        const auto value = static_cast<double>(w[k]);
        return regularizer.l1 * std::abs(value) + regularizer.l2 * value * value;
      });
    }
    return sum;
  }

 private:
  CompileOptions options_;
  const ParameterLayout<T>& layout_;
  ParameterBlock<T> gradients_;
  std::vector<ParameterBlock<T>> slots_;
  std::vector<ParameterSegment<T>> segments_;
  std::vector<double> metrics_;
  std::int64_t width_ = 0;
  int last_node_ = 0;
};

}  // namespace mien::inline v0
