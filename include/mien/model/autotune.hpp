#pragma once
// Which algorithm is the fastest for a convolution, found by running them: ModelOptions::autotune. All of it happens
// while a plan is made, none of it in a step.

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <mien/core/log.hpp>
#include <mien/kernels/conv/select.hpp>
#include <mien/model/conv_candidate.hpp>
#include <mien/model/plan.hpp>

namespace mien::inline v0::detail {

/// Fills a network's choices.
template <class T>
class ConvTuner {
 public:
  ConvTuner(kernels::ConvChoices& choices, int threads) : choices_(choices), threads_(threads) {}

  /// Measures a pass of a convolution, unless that was done before.
  void tune(const kernels::ConvGeometry& g, kernels::ConvPass pass) {
    if (choices_.find(g, pass) == nullptr) choices_.add(g, pass, fastest(g, pass));
  }

 private:
  /// What loses by half in its better one of two runs is not run again (of one run: whatever else the machine did then
  /// had dropped the fastest). Short passes are run more often, as they vary more.
  static constexpr double hopeless = 1.5, short_pass = 2e-3;
  static constexpr int rounds = 5, rounds_of_short_passes = 15;
  /// The cost model's choice stays unless another one is faster by that much: measured again, the same one wins.
  static constexpr double clearly = 1.03;

  [[nodiscard]] const char* fastest(const kernels::ConvGeometry& g, kernels::ConvPass pass) const {
    const char* const expected = kernels::select_conv<T>(g, pass).name;
    const ConvOperands<T> operands(g, pass);
    std::vector<ConvCandidate<T>> candidates = this->candidates(g, pass, operands);
    if (candidates.size() < 2) return expected;
    run_all(candidates, 1);
    for (ConvCandidate<T>& candidate : candidates) candidate.forget_runs();
    run_all(candidates, 2);
    double first = candidates.front().shortest();
    for (const ConvCandidate<T>& candidate : candidates) first = std::min(first, candidate.shortest());
    std::erase_if(candidates, [&](const ConvCandidate<T>& c) { return c.shortest() > hopeless * first; });
    if (candidates.size() > 1) run_all(candidates, first < short_pass ? rounds_of_short_passes : rounds);
    report(g, pass, candidates);
    const ConvCandidate<T>& best =
        *std::min_element(candidates.begin(), candidates.end(),
                          [](const auto& one, const auto& other) { return one.shortest() < other.shortest(); });
    for (const ConvCandidate<T>& candidate : candidates)
      if (candidate.name() == std::string_view(expected) && candidate.shortest() < clearly * best.shortest())
        return candidate.name();
    return best.name();
  }

  static void run_all(std::vector<ConvCandidate<T>>& candidates, int times) {
    for (int i = 0; i < times; ++i)
      for (ConvCandidate<T>& candidate : candidates) candidate.run();
  }

  /// All rows that accept the geometry but the last: the reference is for tests.
  [[nodiscard]] std::vector<ConvCandidate<T>> candidates(const kernels::ConvGeometry& g, kernels::ConvPass pass,
                                                         const ConvOperands<T>& operands) const {
    std::vector<ConvCandidate<T>> result;
    const auto rows = kernels::conv_algorithms<T>(pass);
    for (const kernels::ConvAlgorithm<T>& algorithm : rows.first(rows.size() - 1))
      if (algorithm.accepts(g) == nullptr) result.emplace_back(algorithm, g, operands, threads_);
    return result;
  }

  static void report(const kernels::ConvGeometry& g, kernels::ConvPass pass,
                     const std::vector<ConvCandidate<T>>& candidates) {
    if (!verbose()) return;
    std::string line = text("mien: autotune: ", kernels::describe(g, pass), ":");
    for (const ConvCandidate<T>& candidate : candidates)
      line += text(" ", candidate.name(), " ", std::round(candidate.shortest() * 1e6) / 1e3, " ms");
    write_to(stderr, line + "\n");
  }

  kernels::ConvChoices& choices_;
  int threads_;
};

/// Measures every pass that the plan may run, on one picture and on a full batch, where it was not measured before. A
/// step that runs backward has all three measured, wanted or not: no later plan then adds to what this one reads.
template <class T>
void autotune(const Network<T>& network, const Plan<T>& plan, bool prepares_kernels) {
  using kernels::ConvPass;
  ConvTuner<T> tuner(*network.choices, plan.options().threads);
  for (const PlanStep& step : plan.steps()) {
    const Layer<T>& layer = *network.layers[static_cast<std::size_t>(step.node)];
    for (const std::int64_t batch : {std::int64_t{1}, plan.options().max_batch})
      for (kernels::ConvGeometry g : layer.convolutions(batch)) {
        for (const ConvPass pass : kernels::conv_passes)
          if (step.backward || pass == layer.forward_pass()) tuner.tune(g, pass);
        g.kernel_prepared = true;
        if (prepares_kernels && layer.forward_pass() == ConvPass::forward) tuner.tune(g, ConvPass::forward);
      }
  }
}

/// A plan, whose convolutions have been measured before if the network wants that: its workspaces are those of the
/// algorithms that were chosen.
template <class T>
[[nodiscard]] Plan<T> tuned_plan(const Network<T>& network, const PlanOptions& options, bool prepares_kernels = false) {
  if (network.choices != nullptr) autotune(network, Plan<T>(network, options), prepares_kernels);
  return Plan<T>(network, options);
}

}  // namespace mien::inline v0::detail
