#pragma once
// How a profile is taken: passes are repeated with a clock, and each step's times are put together with what the plan
// knows of it.

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include <mien/core/random.hpp>
#include <mien/model/model.hpp>
#include <mien/model/profile.hpp>
#include <mien/model/step_clock.hpp>

namespace mien::inline v0 {

namespace detail {

[[nodiscard]] inline double median(std::vector<double> values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

/// The rows of a pass from the laps of its repetitions, which are the same steps in the same order.
template <class T>
class ProfileRows {
 public:
  ProfileRows(const Network<T>& network, const Plan<T>& plan, std::int64_t batch)
      : network_(network), plan_(plan), batch_(batch) {}

  [[nodiscard]] PassProfile of(const std::vector<std::vector<Lap>>& repetitions) const {
    PassProfile profile;
    for (std::size_t i = 0; i < repetitions.front().size(); ++i) {
      const auto typical = [&](const auto& value) {
        std::vector<double> values;
        for (const std::vector<Lap>& laps : repetitions) values.push_back(static_cast<double>(value(laps[i])));
        return median(std::move(values));
      };
      ProfileRow row = described(repetitions.front()[i]);
      row.seconds = typical([](const Lap& lap) { return lap.seconds; });
      // The clock is read inside a lap: the kernels of a lap take no longer than it, the medians might.
      row.kernel_seconds =
          std::min(row.seconds, typical([](const Lap& lap) { return static_cast<double>(lap.loops.longest) * 1e-9; }));
      row.regions = typical([](const Lap& lap) { return lap.loops.regions; });
      row.balance = typical([](const Lap& lap) {
        return lap.loops.offered > 0 ? static_cast<double>(lap.loops.work) / static_cast<double>(lap.loops.offered) : 1;
      });
      profile.rows.push_back(std::move(row));
    }
    return profile;
  }

 private:
  [[nodiscard]] ProfileRow described(const Lap& lap) const {
    if (lap.kind == LapKind::loss) return {.layer = "loss"};
    if (lap.kind == LapKind::metrics) return {.layer = "metrics"};
    if (lap.kind == LapKind::optimizer) return {.layer = "optimizer"};
    const PlanStep& step = plan_.steps()[static_cast<std::size_t>(lap.step)];
    ProfileRow row{.layer = network_.graph.names[static_cast<std::size_t>(step.node)]};
    for (int node = 1; node < network_.size(); ++node)
      if (node != step.node && plan_.holder(node) == step.node)
        row.merged.push_back(network_.graph.names[static_cast<std::size_t>(node)]);
    row.pass = lap.kind == LapKind::forward ? "forward" : "backward";
    count(step, lap.kind == LapKind::backward, row);
    return row;
  }

  [[nodiscard]] double bytes_of(const Shape& shape) const {
    return static_cast<double>(shape.size() * batch_) * sizeof(T);
  }

  void count(const PlanStep& step, bool backward, ProfileRow& row) const {
    const Layer<T>& layer = *network_.layers[static_cast<std::size_t>(step.node)];
    const BackwardNeeds needs = plan_.needs(step);
    double inputs = 0, d_inputs = 0, wanted = 0;
    for (std::size_t i = 0; i < step.inputs.size(); ++i) {
      inputs += bytes_of(network_.shape(step.inputs[i]));
      if (!backward || !step.wanted[i]) continue;
      d_inputs += bytes_of(network_.shape(step.inputs[i]));
      wanted = 1;
    }
    double parameters = 0;
    for (const ParameterSpec& spec : network_.parameter_specs[static_cast<std::size_t>(step.node)])
      parameters += static_cast<double>(spec.shape.size()) * sizeof(T);
    const bool learns = parameters > 0 && plan_.options().trainable[static_cast<std::size_t>(step.node)];
    const double output = bytes_of(network_.shape(step.output));
    const double flop = layer.flop(batch_);
    row.flop = backward ? flop * (wanted + (learns ? 1 : 0)) : flop;
    row.bytes = backward ? output + (needs.output ? output : 0) + (needs.inputs ? inputs : 0) + d_inputs +
                               parameters * (wanted + (learns ? 1 : 0))
                         : inputs + output + parameters;
  }

  const Network<T>& network_;
  const Plan<T>& plan_;
  std::int64_t batch_;
};

/// Numbers in [0, 1) as the network's input.
template <class T>
[[nodiscard]] Tensor<T> profile_input(const Shape& shape) {
  Tensor<T> x(shape);
  Random random({.seed = 1});
  for (T& value : x) value = static_cast<T>(random.uniform());
  return x;
}

inline constexpr int profile_warm_up = 2;

inline void require_profile(std::int64_t batch_size, int repetitions) {
  if (batch_size < 1 || repetitions < 1)
    throw OptionError(
        text("profile: batch_size and repetitions are at least 1, got ", batch_size, " and ", repetitions));
}

}  // namespace detail

template <class T>
PassProfile Predictor<T>::profile(std::int64_t batch_size, int repetitions) const {
  detail::require_profile(batch_size, repetitions);
  if (batch_size > max_batch())
    throw OptionError(text("profile: the predictor takes up to ", max_batch(), " samples at a time, got ", batch_size));
  const Tensor<T> x = detail::profile_input<T>(input_shape().with_batch(batch_size));
  const detail::FlushDenormals flush;
  const Lease lease(*state_);
  std::vector<std::vector<detail::Lap>> laps;
  for (int i = 0; i < detail::profile_warm_up + repetitions; ++i) {
    detail::StepClock clock;
    static_cast<void>(lease.worker().run(*state_, x.data(), batch_size, &clock));
    if (i >= detail::profile_warm_up) laps.push_back(clock.laps());
  }
  return detail::ProfileRows<T>(*state_->network, state_->plan, batch_size).of(laps);
}

template <class T>
Profile Model<T>::profile(std::int64_t batch_size, int repetitions) const {
  detail::require_profile(batch_size, repetitions);
  Profile profile{.batch_size = batch_size, .threads = threads_};
  profile.prediction = predictor({.max_batch = batch_size}).profile(batch_size, repetitions);
  if (trainer_) profile.training = Model(*this).profile_training(batch_size, repetitions);
  return profile;
}

template <class T>
PassProfile Model<T>::profile_training(std::int64_t batch_size, int repetitions) {
  Tensor<T> x = detail::profile_input<T>(input_shape().with_batch(batch_size));
  const std::int64_t width = trainer_->target_width(), outputs = output_shape().size();
  Tensor<T> y({batch_size, width});
  for (std::int64_t n = 0; n < batch_size; ++n)  // a class, as one number or as a one-hot row
    if (width == 1)
      y[n] = static_cast<T>(n % std::max<std::int64_t>(2, outputs));
    else
      y[n * width + n % width] = 1;
  const Batch<T> batch{batch_size, x.data(), y.data(), nullptr};
  std::vector<std::vector<detail::Lap>> laps;
  for (int i = 0; i < detail::profile_warm_up + repetitions; ++i) {
    const Plan<T>& made = plan(train_plan, batch_size);
    detail::StepClock clock;
    Run run = run_of(made, batch.x, batch_size);
    run.clock = &clock;
    static_cast<void>(trainer_->step(*context_, run, batch));
    if (i >= detail::profile_warm_up) laps.push_back(clock.laps());
  }
  PassProfile profile = detail::ProfileRows<T>(*network_, plan(train_plan, batch_size), batch_size).of(laps);
  double learning = 0;  // elements that the optimizer moves
  for (const Parameter& parameter : parameters())
    if (!parameter.statistic && is_trainable(parameter.node)) learning += static_cast<double>(parameter.shape.size());
  // It reads the gradients, and reads and writes the values and its own state.
  profile.rows.back().bytes = learning * (3 + 2 * static_cast<double>(trainer_->slots().size())) * sizeof(T);
  return profile;
}

}  // namespace mien::inline v0
