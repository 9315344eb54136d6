#pragma once
// Which algorithm is the fastest for a convolution, found by running them: ModelOptions::autotune. All of it happens
// while a plan is made, none of it in a step.

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <mien/core/log.hpp>
#include <mien/core/memory.hpp>
#include <mien/kernels/conv/conv.hpp>
#include <mien/model/plan.hpp>
#include <mien/model/profile.hpp>

namespace mien::inline v0::detail {

/// Memory for one pass of a convolution, filled with small numbers: pages never written would all be one page in cache.
template <class T>
class ConvOperands {
 public:
  ConvOperands(const kernels::ConvGeometry& g, kernels::ConvPass pass) {
    using kernels::ConvPass;
    const std::int64_t x = g.n * g.h * g.w * g.c, y = kernels::output_pixels(g) * g.k, w = kernels::patch_size(g) * g.k;
    left = filled(pass == ConvPass::backward_input ? y : x);
    right = filled(pass == ConvPass::backward_kernel ? y : w);
    result = filled(pass == ConvPass::forward ? y : pass == ConvPass::backward_input ? x : w);
  }

  Buffer left, right, result;  ///< as ConvCall has them

 private:
  [[nodiscard]] static Buffer filled(std::int64_t size) {
    Buffer buffer(static_cast<std::size_t>(size) * sizeof(T));
    T* const values = reinterpret_cast<T*>(buffer.data());
    for (std::int64_t i = 0; i < size; ++i) values[i] = static_cast<T>(i % 7 - 3);
    return buffer;
  }
};

/// One algorithm ready to be run on some operands, and the seconds that its runs took.
template <class T>
class ConvCandidate {
 public:
  ConvCandidate(const kernels::ConvAlgorithm<T>& algorithm, const kernels::ConvGeometry& g,
                const ConvOperands<T>& operands, int threads)
      : algorithm_(&algorithm), workspace_(algorithm.workspace(g, threads)) {
    const auto at = [](const Buffer& buffer) { return reinterpret_cast<T*>(buffer.data()); };
    call_ = {g, at(operands.left), at(operands.right), at(operands.result), {}, threads, workspace_.data()};
    if (!g.kernel_prepared || algorithm.prepare == nullptr) return;
    form_ = Buffer(static_cast<std::size_t>(algorithm.prepared_size(g)) * sizeof(T));
    kernels::ConvCall<T> preparation = call_;
    preparation.result = at(form_);
    algorithm.prepare(preparation);
    call_.right = at(form_);
  }

  void run() {
    const auto start = std::chrono::steady_clock::now();
    algorithm_->run(call_);
    seconds_.push_back(std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
  }
  /// What the first runs took says little: caches and pages were cold.
  void forget_runs() { seconds_.clear(); }
  [[nodiscard]] double seconds() const { return median(seconds_); }
  [[nodiscard]] const char* name() const { return algorithm_->name; }

 private:
  const kernels::ConvAlgorithm<T>* algorithm_;
  Buffer workspace_, form_;
  kernels::ConvCall<T> call_{};
  std::vector<double> seconds_;
};

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
  /// What loses by half in one run is not run again. Short passes are run more often, as they vary more.
  static constexpr double hopeless = 1.5, short_pass = 2e-3;
  static constexpr int rounds = 5, rounds_of_short_passes = 15;
  /// The cost model's choice stays unless another one is faster by that much: measured again, the same one wins.
  static constexpr double clearly = 1.03;

  [[nodiscard]] const char* fastest(const kernels::ConvGeometry& g, kernels::ConvPass pass) const {
    const char* const expected = kernels::select_conv<T>(g, pass).name;
    const ConvOperands<T> operands(g, pass);
    std::vector<ConvCandidate<T>> candidates = this->candidates(g, pass, operands);
    if (candidates.size() < 2) return expected;
    for (ConvCandidate<T>& candidate : candidates) {
      candidate.run();
      candidate.forget_runs();
      candidate.run();
    }
    const double first = best_of(candidates).seconds();
    std::erase_if(candidates, [&](const ConvCandidate<T>& c) { return c.seconds() > hopeless * first; });
    const int more = candidates.size() < 2 ? 0 : first < short_pass ? rounds_of_short_passes : rounds;
    for (int round = 0; round < more; ++round)
      for (ConvCandidate<T>& candidate : candidates) candidate.run();
    report(g, pass, candidates);
    const ConvCandidate<T>& best = best_of(candidates);
    for (const ConvCandidate<T>& candidate : candidates)
      if (candidate.name() == std::string_view(expected) && candidate.seconds() < clearly * best.seconds())
        return candidate.name();
    return best.name();
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

  [[nodiscard]] static const ConvCandidate<T>& best_of(const std::vector<ConvCandidate<T>>& candidates) {
    return *std::min_element(candidates.begin(), candidates.end(),
                             [](const auto& a, const auto& b) { return a.seconds() < b.seconds(); });
  }

  static void report(const kernels::ConvGeometry& g, kernels::ConvPass pass,
                     const std::vector<ConvCandidate<T>>& candidates) {
    if (!verbose()) return;
    std::string line = text("mien: autotune: ", kernels::describe(g, pass), ":");
    for (const ConvCandidate<T>& candidate : candidates)
      line += text(" ", candidate.name(), " ", candidate.seconds() * 1e3, " ms");
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
  for (const PlanStep& step : plan.steps())
    for (const std::int64_t batch : {std::int64_t{1}, plan.options().max_batch})
      for (kernels::ConvGeometry g : network.layers[static_cast<std::size_t>(step.node)]->convolutions(batch)) {
        tuner.tune(g, ConvPass::forward);
        if (step.backward) tuner.tune(g, ConvPass::backward_input);
        if (step.backward) tuner.tune(g, ConvPass::backward_kernel);
        g.kernel_prepared = true;
        if (prepares_kernels) tuner.tune(g, ConvPass::forward);
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
