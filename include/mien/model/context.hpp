#pragma once

#include <algorithm>
#include <cstdint>
#include <span>
#include <vector>

#include <mien/core/memory.hpp>
#include <mien/core/tensor.hpp>
#include <mien/kernels/elementwise/add.hpp>
#include <mien/model/gradient_window.hpp>
#include <mien/model/plan.hpp>
#include <mien/model/step_clock.hpp>

namespace mien::inline v0 {

/// What runs a plan: an arena, and lists that are filled anew for every step. After the first run nothing is allocated.
template <class T>
class Context {
 public:
  /// What a pass is run with. `Parameters` has `of(node)`, the views that a layer is given; `gradients` is null in
  /// inference.
  template <class Parameters>
  struct Run {
    const Plan<T>& plan;
    const Parameters& parameters;
    const GradientWindow<T>* gradients = nullptr;
    const T* input = nullptr;  ///< batch x input shape
    std::int64_t batch = 0;
    RandomKey random{};                  ///< seed and step; the layer's index becomes the purpose
    detail::StepClock* clock = nullptr;  ///< of a profile
  };

  explicit Context(const Network<T>& network) : network_(network) {}

  /// Makes room for a plan; memory only grows.
  void reserve(const Plan<T>& plan) {
    if (arena_.size() < plan.memory().bytes()) arena_ = Buffer(plan.memory().bytes());
    std::size_t widest = 1;
    for (const PlanStep& step : plan.steps()) widest = std::max(widest, step.inputs.size());
    inputs_.reserve(widest);
    d_inputs_.reserve(widest);
    readers_.resize(std::max(readers_.size(), plan.steps().size()));
  }

  template <class P>
  void forward(const Run<P>& run) {
    for (const PlanStep& step : run.plan.steps()) {
      ForwardPass<T> pass{{pass_of(run, step)},
                          input_views(run, step),
                          output(run, step.output),
                          run.parameters.of(step.node),
                          at(run.plan, step.saved),
                          at(run.plan, step.forward_workspace),
                          prepared(run.parameters, step.node),
                          reader_of_output(run, step),
                          step.reader == MemoryPlan::none ? nullptr : reader(run, step)};
      layer(step.node).forward(pass);
      lap(run, step, detail::LapKind::forward);
    }
  }

  /// After forward(), with the gradient by the output in gradient(). `before(node)` is called before a node's gradients
  /// are computed, from the last node to the first.
  template <class P, class Before>
  void backward(const Run<P>& run, const Before& before) {
    const auto& steps = run.plan.steps();
    for (auto step = steps.rbegin(); step != steps.rend(); ++step) {
      if (!step->backward) continue;
      before(step->node);
      const BackwardNeeds needs = run.plan.needs(*step);
      const bool learns = run.plan.options().trainable[static_cast<std::size_t>(step->node)];
      input_gradient_views(run, *step);
      hide_frozen_gradients(run, *step, learns);
      BackwardPass<T> pass{
          {pass_of(run, *step, true)},
          input_views(run, *step, needs.inputs),
          needs.output ? output(run, step->output) : TensorView<T>(nullptr, output(run, step->output).shape()),
          gradient(run, step->output),
          d_inputs_,
          run.parameters.of(step->node),
          learns ? run.gradients->of(step->node) : std::span<const TensorView<T>>(hidden_),
          at(run.plan, step->saved),
          at(run.plan, step->backward_workspace)};
      layer(step->node).backward(pass);
      add_up(run, *step);
      lap(run, *step, detail::LapKind::backward);
    }
  }

  /// A node's output after forward() (it survives where the plan keeps it), and the gradient by it.
  template <class P>
  [[nodiscard]] TensorView<T> output(const Run<P>& run, int node) const {
    std::byte* data = at(run.plan, run.plan.block(node));
    return {reinterpret_cast<T*>(data), network_.shape(node).with_batch(run.batch)};
  }
  template <class P>
  [[nodiscard]] TensorView<T> gradient(const Run<P>& run, int node) const {
    return {reinterpret_cast<T*>(at(run.plan, run.plan.gradient(node))), network_.shape(node).with_batch(run.batch)};
  }
  /// The network's result after forward().
  template <class P>
  [[nodiscard]] TensorView<const T> result(const Run<P>& run) const {
    return view(run, network_.size() - 1);
  }
  /// Any node's output after forward(), also of the input and of what only is a view of it.
  template <class P>
  [[nodiscard]] TensorView<const T> view(const Run<P>& run, int node) const {
    if (run.plan.block(node) != MemoryPlan::none) return output(run, node);
    return {run.input, network_.shape(node).with_batch(run.batch)};
  }

 private:
  /// Only a predictor's parameters are prepared.
  template <class P>
  [[nodiscard]] static const PreparedParameters* prepared(const P& parameters, int node) {
    if constexpr (requires { parameters.prepared(node); }) return parameters.prepared(node);
    return nullptr;
  }
  [[nodiscard]] const Layer<T>& layer(int node) const { return *network_.layers[static_cast<std::size_t>(node)]; }
  [[nodiscard]] std::byte* at(const Plan<T>& plan, int block) const {
    return block == MemoryPlan::none ? nullptr : arena_.data() + plan.memory().offset(block);
  }

  template <class P>
  static void lap(const Run<P>& run, const PlanStep& step, detail::LapKind kind) {
    if (run.clock != nullptr) run.clock->lap(kind, static_cast<int>(&step - run.plan.steps().data()));
  }

  template <class P>
  [[nodiscard]] Pass pass_of(const Run<P>& run, const PlanStep& step, bool backward = false) const {
    RandomKey random = run.random;
    random.purpose = static_cast<std::uint32_t>(step.node);
    return {run.batch,
            run.plan.options().training,
            run.plan.options().trainable[static_cast<std::size_t>(step.node)],
            run.plan.options().threads,
            random,
            backward ? step.backward_activation() : step.activation,
            step.pooling,
            step.input_activation};
  }

  /// What reads a step's input: made before the step that writes that runs, kept until the step itself.
  template <class P>
  [[nodiscard]] kernels::RowReader*& reader(const Run<P>& run, const PlanStep& step) {
    return readers_[static_cast<std::size_t>(&step - run.plan.steps().data())];
  }
  template <class P>
  [[nodiscard]] kernels::RowReader* reader_of_output(const Run<P>& run, const PlanStep& step) {
    if (step.read_by < 0) return nullptr;
    const PlanStep& reading = run.plan.steps()[static_cast<std::size_t>(step.read_by)];
    reader(run, reading) =
        layer(reading.node).make_input_reader(run.batch, output(run, step.node).data(), at(run.plan, reading.reader));
    return reader(run, reading);
  }

  template <class P>
  [[nodiscard]] std::span<const TensorView<const T>> input_views(const Run<P>& run, const PlanStep& step,
                                                                 bool with_data = true) {
    inputs_.clear();
    for (const int node : step.inputs) {
      const TensorView<const T> source = view(run, node);
      inputs_.push_back(with_data ? source : TensorView<const T>(nullptr, source.shape()));
    }
    return inputs_;
  }

  template <class P>
  void input_gradient_views(const Run<P>& run, const PlanStep& step) {
    d_inputs_.clear();
    for (std::size_t i = 0; i < step.inputs.size(); ++i)
      d_inputs_.emplace_back(reinterpret_cast<T*>(at(run.plan, step.d_inputs[i])),
                             network_.shape(step.inputs[i]).with_batch(run.batch));
  }

  /// A frozen layer gets views without data for its gradients.
  template <class P>
  void hide_frozen_gradients(const Run<P>& run, const PlanStep& step, bool learns) {
    hidden_.clear();
    if (learns) return;
    for (const TensorView<T>& view : run.parameters.of(step.node)) hidden_.emplace_back(nullptr, view.shape());
  }

  /// Where several layers read one tensor, each gradient but the first stands in scratch and is added here.
  template <class P>
  void add_up(const Run<P>& run, const PlanStep& step) const {
    for (std::size_t i = 0; i < step.inputs.size(); ++i)
      if (step.sum[i])
        kernels::accumulate(d_inputs_[i].size(), d_inputs_[i].data(), gradient(run, step.inputs[i]).data(),
                            run.plan.options().threads);
  }

  const Network<T>& network_;
  Buffer arena_;
  std::vector<TensorView<const T>> inputs_;
  std::vector<TensorView<T>> d_inputs_, hidden_;
  std::vector<kernels::RowReader*> readers_;  ///< by step
};

}  // namespace mien::inline v0
