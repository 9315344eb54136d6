#pragma once
// What a model does for a batch, worked out before anything runs: the order, the fusions, and one arena in which
// tensors that are never alive together share memory.

#include <algorithm>
#include <cstdint>
#include <vector>

#include <mien/model/memory_plan.hpp>
#include <mien/model/network.hpp>

namespace mien::inline v0 {

/// What a plan is made for.
struct PlanOptions {
  std::int64_t max_batch = 1;
  int threads = 1;
  bool training = false;
  bool input_gradient = false;           ///< training only: the gradient by the input is wanted too
  bool leave_out_final_softmax = false;  ///< the loss is computed from the logits
  bool fold_normalization = false;       ///< prediction: batch normalisation moves into the layer before it
  std::vector<bool> trainable{};         ///< of each node; training only
  std::vector<int> keep{};  ///< nodes whose outputs must exist and survive the pass (nothing is fused over them)
};

/// One layer to run. Numbers of blocks are MemoryPlan's; `none` where there is nothing.
struct PlanStep {
  int node = 0;
  int output = 0;  ///< the node whose shape its output has: its own, or the pooling that moved into it
  ActivationFunction activation{};
  const kernels::ConvGeometry* pooling = nullptr;  ///< of the max pooling that moved into it
  ActivationFunction input_activation{};           ///< of the step before, whose gradient this step applies
  bool differentiated_behind = false;              ///< the gradient of its activation is applied by the step behind
  std::vector<int> inputs;                         ///< nodes
  bool backward = false;                           ///< whether the backward pass runs this step
  std::vector<bool> wanted{};                      ///< of each input: whether its gradient is wanted
  int saved = MemoryPlan::none;
  int forward_workspace = MemoryPlan::none, backward_workspace = MemoryPlan::none;
  std::vector<int> d_inputs{};  ///< blocks to write the inputs' gradients to
  std::vector<bool>
      sum{};         ///< of each input: d_inputs[i] is scratch, to be added to the gradient that is there already
  int folded = -1;   ///< the batch normalisation that moved into this step
  int read_by = -1;  ///< the step that reads this one's output while it is written
  int reader = MemoryPlan::none;  ///< the block of what reads this one's input then

  /// The activation that backward differentiates.
  [[nodiscard]] ActivationFunction backward_activation() const { return differentiated_behind ? linear : activation; }
};

/// The plan of a network for batches of up to max_batch samples.
template <class T>
class Plan {
 public:
  Plan(const Network<T>& network, PlanOptions options) : network_(network), options_(std::move(options)) {
    const auto count = static_cast<std::size_t>(network.size());
    block_.assign(count, MemoryPlan::none);
    gradient_.assign(count, MemoryPlan::none);
    holder_.assign(count, 0);
    options_.trainable.resize(count, true);
    choose_steps();
    if (options_.training) {
      choose_readers();
      choose_backward();
      move_activation_gradients();
    }
    place_forward();
    if (options_.training) place_backward();
    memory_.place();
  }

  [[nodiscard]] const PlanOptions& options() const { return options_; }
  [[nodiscard]] const std::vector<PlanStep>& steps() const { return steps_; }
  [[nodiscard]] const MemoryPlan& memory() const { return memory_; }
  /// Whether the network's output is that of its last layer before the softmax.
  [[nodiscard]] bool leaves_out_softmax() const {
    const Layer<T>& last = layer(network_.size() - 1);
    return options_.leave_out_final_softmax && last.activation() == softmax &&
           (last.only_activates() || last.fuses_activation());
  }
  /// The node in whose memory a node's output stands: itself, or the one that it is a view of or is fused into.
  [[nodiscard]] int holder(int node) const { return holder_[static_cast<std::size_t>(node)]; }
  /// What backward reads of a step's tensors.
  [[nodiscard]] BackwardNeeds needs(const PlanStep& step) const {
    BackwardNeeds needs = layer(step.node).needs(step.backward_activation());
    needs.output = needs.output || step.input_activation != linear;
    return needs;
  }
  /// The block of a node's output (none for the input and its views: the caller's memory), and of the gradient by it.
  [[nodiscard]] int block(int node) const { return block_[static_cast<std::size_t>(holder(node))]; }
  [[nodiscard]] int gradient(int node) const { return gradient_[static_cast<std::size_t>(holder(node))]; }

 private:
  using Index = std::size_t;
  [[nodiscard]] const Layer<T>& layer(int node) const { return *network_.layers[static_cast<Index>(node)]; }
  [[nodiscard]] const std::vector<int>& inputs(int node) const {
    return network_.graph.inputs[static_cast<Index>(node)];
  }
  /// Whether the one reader of a node is the only one of all that stands in the same memory.
  [[nodiscard]] bool read_by_nobody_else(int node) const {
    if (network_.graph.consumers[static_cast<Index>(node)] != 1 || kept(node)) return false;
    return node == holder(node) || read_by_nobody_else(inputs(node).front());
  }
  [[nodiscard]] bool kept(int node) const {
    return std::find(options_.keep.begin(), options_.keep.end(), node) != options_.keep.end();
  }
  [[nodiscard]] std::size_t output_bytes(int node) const {
    return static_cast<std::size_t>(network_.shape(node).size() * options_.max_batch) * sizeof(T);
  }
  /// The times of a step in the two passes; the loss stands between them.
  [[nodiscard]] int end() const { return static_cast<int>(steps_.size()); }
  [[nodiscard]] int backward_time(int step) const { return 2 * end() - step; }

  PlanStep* producer(int node) {
    const auto found =
        std::find_if(steps_.begin(), steps_.end(), [&](const PlanStep& step) { return step.node == holder(node); });
    return found == steps_.end() ? nullptr : &*found;
  }

  /// Whether `node` needs no step of its own: then its output is that of its input's holder.
  bool merges(int node) {
    const Layer<T>& self = layer(node);
    if (self.is_view() || (!options_.training && self.identity_in_inference())) return true;
    const bool last = node == network_.size() - 1;
    const ActivationFunction own = self.activation();
    if (self.only_activates() && last && leaves_out_softmax()) return true;
    PlanStep* before = producer(inputs(node).front());
    if (before == nullptr || before->pooling != nullptr || !read_by_nobody_else(inputs(node).front())) return false;
    // A view between the two may have made other channels of the same numbers.
    const bool same_channels = network_.shape(before->node)[-1] == network_.shape(inputs(node).front())[-1];
    const kernels::ConvGeometry* const windows = self.max_pooling();
    if (windows != nullptr && same_channels && layer(before->node).fuses_max_pooling(*windows, before->activation)) {
      before->pooling = windows;
      before->output = node;
      return true;
    }
    if (before->activation != linear) return false;
    if (options_.fold_normalization && same_channels && layer(before->node).absorbs_affine() && before->folded < 0 &&
        self.as_affine({}, {}, {})) {
      before->folded = node;
      before->activation = own;
      return true;
    }
    const bool fusible = layer(before->node).fuses_activation() && own != softmax && differentiable_from_output(own);
    if (self.only_activates() && fusible) before->activation = own;
    return self.only_activates() && fusible;
  }

  void choose_steps() {
    for (int node = 1; node < network_.size(); ++node) {
      holder_[static_cast<Index>(node)] = node;
      if (merges(node)) {
        holder_[static_cast<Index>(node)] = holder(inputs(node).front());
        continue;
      }
      PlanStep step{.node = node, .output = node, .activation = layer(node).activation(), .inputs = inputs(node)};
      const bool last = node == network_.size() - 1;
      if (last && leaves_out_softmax()) step.activation = linear;
      steps_.push_back(std::move(step));
    }
  }

  /// The layer that is asked whether it reads its input, and the one that writes it, must mean the same rows.
  void choose_readers() {
    for (int s = 0; s < end(); ++s) {
      const PlanStep& step = steps_[static_cast<Index>(s)];
      const int input = step.inputs.front();
      PlanStep* const before = producer(input);
      if (before == nullptr || before->read_by >= 0 || before->output != before->node) continue;
      const bool wants =
          options_.trainable[static_cast<Index>(step.node)] && layer(step.node).input_reader_bytes(1) > 0;
      const bool same_rows = network_.shape(before->node)[-1] == network_.shape(input)[-1];
      if (wants && same_rows && layer(before->node).reports_output(before->activation)) before->read_by = s;
    }
  }

  /// A gradient is computed where something trainable stands upstream, and nowhere else.
  void choose_backward() {
    std::vector<bool> upstream(static_cast<Index>(network_.size()), false);  // by holder
    upstream[0] = options_.input_gradient;
    for (PlanStep& step : steps_) {
      const auto& specs = network_.parameter_specs[static_cast<Index>(step.node)];
      const bool learns =
          options_.trainable[static_cast<Index>(step.node)] &&
          std::any_of(specs.begin(), specs.end(), [](const ParameterSpec& spec) { return spec.trainable; });
      for (const int input : step.inputs) step.wanted.push_back(upstream[static_cast<Index>(holder(input))]);
      step.backward = learns || std::find(step.wanted.begin(), step.wanted.end(), true) != step.wanted.end();
      upstream[static_cast<Index>(step.node)] = step.backward;
    }
  }

  /// What reads an activated tensor alone and lets few gradients through differentiates the activation too.
  void move_activation_gradients() {
    for (PlanStep& step : steps_) {
      const int input = step.inputs.front();
      PlanStep* const before = producer(input);
      if (before == nullptr || !layer(step.node).differentiates_input_activation() || !read_by_nobody_else(input))
        continue;
      const bool movable = layer(before->node).fuses_activation() && differentiable_from_output(before->activation);
      if (!step.backward || before->activation == linear || before->activation == softmax || !movable) continue;
      step.input_activation = before->activation;
      before->differentiated_behind = true;
    }
  }

  /// The node whose layer reads a step's output while it is written.
  [[nodiscard]] int reading_node(const PlanStep& step) const { return steps_[static_cast<Index>(step.read_by)].node; }

  /// The last time at which anybody reads the output of a holder.
  [[nodiscard]] int last_use(int node) const {
    int last = 0;
    for (int s = 0; s < end(); ++s) {
      const PlanStep& step = steps_[static_cast<Index>(s)];
      const BackwardNeeds needs = this->needs(step);
      if (step.node == node) last = std::max(last, step.backward && needs.output ? backward_time(s) : s);
      for (const int input : step.inputs)
        if (holder(input) == node) last = std::max(last, step.backward && needs.inputs ? backward_time(s) : s);
    }
    const auto survives = [&](int kept_node) { return holder(kept_node) == node; };
    if (std::any_of(options_.keep.begin(), options_.keep.end(), survives)) last = 2 * end() + 1;
    return survives(network_.size() - 1) ? std::max(last, end()) : last;
  }

  void place_forward() {
    for (int s = 0; s < end(); ++s) {
      PlanStep& step = steps_[static_cast<Index>(s)];
      const int source = holder(step.inputs.front());
      const bool in_place =
          layer(step.node).in_place() && step.output == step.node && source != 0 && last_use(source) == s;
      if (in_place) {
        block_[static_cast<Index>(step.node)] = block_[static_cast<Index>(source)];
        memory_.extend(block_[static_cast<Index>(step.node)], last_use(step.node));
      } else {
        block_[static_cast<Index>(step.node)] = memory_.add(output_bytes(step.output), s, last_use(step.node));
      }
      std::size_t saved = 0, workspace = 0, reader = 0;
      for (std::int64_t n = 1; n <= options_.max_batch; ++n) {
        if (step.read_by >= 0) reader = std::max(reader, layer(reading_node(step)).input_reader_bytes(n));
        if (options_.training) saved = std::max(saved, layer(step.node).saved_bytes(n));
        workspace = std::max(workspace, layer(step.node).forward_workspace(n, options_.threads));
      }
      step.saved = memory_.add(saved, s, step.backward ? backward_time(s) : s);
      step.forward_workspace = memory_.add(workspace, s, s);
      if (step.read_by >= 0) steps_[static_cast<Index>(step.read_by)].reader = memory_.add(reader, s, step.read_by);
    }
  }

  void place_backward() {
    gradient_[static_cast<Index>(holder(network_.size() - 1))] =
        memory_.add(output_bytes(network_.size() - 1), end(), end());
    for (int s = end() - 1; s >= 0; --s) {
      PlanStep& step = steps_[static_cast<Index>(s)];
      if (!step.backward) continue;
      const int time = backward_time(s);
      const int own = gradient_[static_cast<Index>(step.node)];
      memory_.extend(own, time);
      for (Index i = 0; i < step.inputs.size(); ++i) place_input_gradient(step, i, time, own);
      std::size_t workspace = 0;
      for (std::int64_t n = 1; n <= options_.max_batch; ++n)
        workspace = std::max(workspace, layer(step.node).backward_workspace(n, options_.threads));
      step.backward_workspace = memory_.add(workspace, time, time);
    }
  }

  void place_input_gradient(PlanStep& step, Index i, int time, int own) {
    step.sum.push_back(false);
    step.d_inputs.push_back(MemoryPlan::none);
    if (!step.wanted[i]) return;
    int& gradient = gradient_[static_cast<Index>(holder(step.inputs[i]))];
    step.sum[i] = gradient != MemoryPlan::none;
    if (step.sum[i]) {
      step.d_inputs[i] = memory_.add(output_bytes(step.inputs[i]), time, time);
      memory_.extend(gradient, time);
      return;
    }
    const bool in_place = layer(step.node).backward_in_place() && step.inputs.size() == 1 && step.output == step.node;
    gradient = in_place ? own : memory_.add(output_bytes(step.inputs[i]), time, time);
    const bool survives = options_.input_gradient && holder(step.inputs[i]) == 0;
    memory_.extend(gradient, survives ? 2 * end() + 1 : time);
    step.d_inputs[i] = gradient;
  }

  const Network<T>& network_;
  PlanOptions options_;
  std::vector<PlanStep> steps_;
  std::vector<int> holder_, block_, gradient_;
  MemoryPlan memory_;
};

}  // namespace mien::inline v0
