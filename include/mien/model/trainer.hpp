#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include <mien/losses/loss.hpp>
#include <mien/metrics/metric.hpp>
#include <mien/model/batches.hpp>
#include <mien/model/context.hpp>
#include <mien/model/gradient_window.hpp>
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
  using Run = typename Context<T>::template Run<ParameterBlock<T>>;

  Trainer(CompileOptions options, const Network<T>& network, const ParameterLayout<T>& layout)
      : options_(checked(std::move(options))),
        layout_(layout),
        gradients_(layout, options_.optimizer->per_parameter() ? GradientWindow<T>::enough : layout.gradient_size()),
        metrics_(options_.metrics.size()) {
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
  [[nodiscard]] std::size_t gradient_bytes() const { return gradients_.bytes(); }
  [[nodiscard]] std::vector<ParameterBlock<T>>& slots() { return slots_; }
  [[nodiscard]] const std::vector<ParameterBlock<T>>& slots() const { return slots_; }
  [[nodiscard]] std::int64_t target_width() const { return options_.loss->target_width(width_); }

  /// Forward, the loss and the metrics.
  BatchResult evaluate(Context<T>& context, const Run& run, const Batch<T>& batch) {
    return forward(context, run, batch, nullptr);
  }

  /// The same with the gradients by the trainable parameters, into `gradients`, which must hold all of them.
  BatchResult differentiate(Context<T>& context, Run run, const Batch<T>& batch, const GradientWindow<T>& gradients) {
    run.gradients = &gradients;
    const BatchResult result = forward(context, run, batch, context.gradient(run, last_node_).data());
    context.backward(run, [](int) {});
    return result;
  }

  /// The same for a step: moves the trainable parameters along their gradients, some while backward goes on. If a layer
  /// of a user throws there, parameters behind it may have moved.
  BatchResult step(Context<T>& context, Run run, const Batch<T>& batch) {
    run.gradients = &gradients_;
    const BatchResult result = forward(context, run, batch, context.gradient(run, last_node_).data());
    std::size_t moved = 0;
    const auto move_up_to = [&](std::size_t slice) {
      for (; moved < slice; ++moved) update(run, gradients_.slices()[moved]);
    };
    context.backward(run, [&](int node) { move_up_to(gradients_.slice_of(node)); });
    move_up_to(gradients_.slices().size());
    ++iterations;
    return result;
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
  static CompileOptions checked(CompileOptions options) {
    if (!options.optimizer) throw OptionError("compile: no optimizer was given; for example .optimizer = Adam{}");
    if (!options.loss) throw OptionError("compile: no loss was given; for example .loss = CategoricalCrossentropy{}");
    return options;
  }

  /// `d_prediction`: where the gradient by the output goes, or null.
  BatchResult forward(Context<T>& context, const Run& run, const Batch<T>& batch, T* d_prediction) {
    context.forward(run);
    const TensorView<const T> y = context.result(run);
    const bool logits = run.plan.leaves_out_softmax();
    const int threads = run.plan.options().threads;
    const LossBatch<T> loss{batch.size,   width_, y.data(),     batch.y, target_width(),
                            batch.weight, logits, d_prediction, threads};
    const auto samples = static_cast<double>(batch.size);
    const double value = options_.loss->compute(loss) / samples + penalty(run.parameters, threads);
    if (run.clock != nullptr) run.clock->lap(detail::LapKind::loss);
    for (std::size_t i = 0; i < metrics_.size(); ++i)
      metrics_[i] = options_.metrics[i]->sum_over(
                        MetricBatch<T>{batch.size, width_, y.data(), batch.y, target_width(), logits, threads}) /
                    samples;
    if (run.clock != nullptr) run.clock->lap(detail::LapKind::metrics);
    return {value, metrics_};
  }

  void update(const Run& run, typename GradientWindow<T>::Slice slice) {
    const PlanOptions& plan = run.plan.options();
    segments_.clear();
    for (std::size_t i = slice.first; i < slice.last; ++i) {
      const Parameter& parameter = layout_.all()[i];
      if (parameter.statistic || !plan.trainable[static_cast<std::size_t>(parameter.node)]) continue;
      ParameterSegment<T> segment{.n = parameter.shape.size(),
                                  .value = run.parameters[i].data(),
                                  .gradient = gradients_[i].data(),
                                  .l1 = parameter.regularizer.l1,
                                  .l2 = parameter.regularizer.l2,
                                  .decays = options_.optimizer->decays(parameter.name)};
      for (std::size_t s = 0; s < slots_.size(); ++s) segment.slots[s] = slots_[s][i].data();
      segments_.push_back(segment);
    }
    OptimizerStep step{.iteration = iterations + 1, .learning_rate = learning_rate};
    apply_clipping<T>(options_.optimizer->clipping(), step, segments_, plan.threads);
    options_.optimizer->update(step, segments_, plan.threads);
    if (run.clock != nullptr) run.clock->lap(detail::LapKind::optimizer);
  }

  CompileOptions options_;
  const ParameterLayout<T>& layout_;
  GradientWindow<T> gradients_;
  std::vector<ParameterBlock<T>> slots_;
  std::vector<ParameterSegment<T>> segments_;
  std::vector<double> metrics_;
  std::int64_t width_ = 0;
  int last_node_ = 0;
};

}  // namespace mien::inline v0
