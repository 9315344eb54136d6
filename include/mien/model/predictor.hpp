#pragma once

#include <atomic>
#include <cmath>
#include <memory>
#include <span>
#include <vector>

#include <mien/core/parallel.hpp>
#include <mien/core/tensor.hpp>
#include <mien/model/autotune.hpp>
#include <mien/model/context.hpp>
#include <mien/model/network.hpp>
#include <mien/model/parameters.hpp>
#include <mien/model/plan.hpp>
#include <mien/model/preprocessing.hpp>
#include <mien/model/profile.hpp>

namespace mien::inline v0 {

struct PredictorOptions {
  std::int64_t max_batch = 32;  ///< samples at a time; longer inputs are cut
  int threads = 0;              ///< for one prediction; 0: the model's. Callers that are many themselves want 1
};

namespace detail {

/// The parameters of a network for prediction: where the plan folds a batch normalisation y = scale x + shift into the
/// layer before it, kernel' = kernel scale[k] and bias' = bias scale[k] + shift[k], with a bias even where the layer
/// had none.
template <class T>
class FoldedParameters {
 public:
  FoldedParameters(const Network<T>& network, const ParameterLayout<T>& layout, const ParameterBlock<T>& values,
                   const Plan<T>& plan)
      : block_(layout, true), views_(static_cast<std::size_t>(network.size())), prepared_(views_.size()) {
    std::copy(values.values().begin(), values.values().end(), block_.values().begin());
    for (const PlanStep& step : plan.steps()) {
      auto& views = views_[static_cast<std::size_t>(step.node)];
      views.assign(block_.of(step.node).begin(), block_.of(step.node).end());
      const Layer<T>& layer = *network.layers[static_cast<std::size_t>(step.node)];
      if (step.folded >= 0)
        fold(*network.layers[static_cast<std::size_t>(step.folded)], block_.of(step.folded), layer.affine_kernel(),
             network.shape(step.node)[-1], views);
      prepared_[static_cast<std::size_t>(step.node)] =
          layer.prepare(views, plan.options().max_batch, plan.options().threads);
    }
  }

  [[nodiscard]] std::span<const TensorView<T>> of(int node) const { return views_[static_cast<std::size_t>(node)]; }
  [[nodiscard]] const PreparedParameters* prepared(int node) const {
    return prepared_[static_cast<std::size_t>(node)].get();
  }

 private:
  void fold(const Layer<T>& normalization, std::span<const TensorView<T>> statistics, std::size_t place,
            std::int64_t channels, std::vector<TensorView<T>>& views) {
    const TensorView<T> kernel = views[place];
    std::vector<T> scale(static_cast<std::size_t>(channels)), shift(scale.size());
    static_cast<void>(normalization.as_affine(statistics, scale, shift));
    for (std::int64_t i = 0; i < kernel.size(); ++i) kernel[i] *= scale[static_cast<std::size_t>(i % channels)];
    if (views.size() == place + 1) views.push_back(biases_.emplace_back(Tensor<T>(Shape{channels})).view());
    for (std::int64_t k = 0; k < channels; ++k)
      views[place + 1][k] =
          views[place + 1][k] * scale[static_cast<std::size_t>(k)] + shift[static_cast<std::size_t>(k)];
  }

  ParameterBlock<T> block_;
  std::vector<Tensor<T>> biases_;  // of layers that had none
  std::vector<std::vector<TensorView<T>>> views_;
  std::vector<std::unique_ptr<const PreparedParameters>> prepared_;
};

}  // namespace detail

/// An immutable snapshot of a model that predicts: const, lock-free, for any number of threads at once. Batch
/// normalisation is folded, kernels of convolutions are transformed, activations are fused, dropout is gone; after each
/// thread's first call `predict_into` allocates nothing.
///
///     Predictor<float> predict = model.predictor({.max_batch = 32});
///     Tensor<float> p = predict(load_image("photo.jpg", {.size = {48, 48}}));   // (classes,); a batch gives (N,
///     classes)
template <class T>
class Predictor {
 public:
  Predictor(std::shared_ptr<const Network<T>> network, const ParameterLayout<T>& layout,
            const ParameterBlock<T>& values, Preprocessing preprocessing, const PredictorOptions& options)
      : state_(std::make_shared<const State>(std::move(network), layout, values, std::move(preprocessing), options)) {}

  /// The outputs for a batch (N, ...) or for one sample, whose result then has no batch either. Throws ShapeError.
  [[nodiscard]] Tensor<T> operator()(TensorView<const T> x) const {
    const std::int64_t n = samples(x);
    const Shape& out = state_->network->output_shape();
    Tensor<T> result(x.shape() == input_shape() ? out : out.with_batch(n));
    predict_into(x, result.span());
    return result;
  }

  /// The same, written to `out`, which has room for exactly the result.
  void predict_into(TensorView<const T> x, std::span<T> out) const {
    const std::int64_t n = samples(x), in_size = input_shape().size(),
                       out_size = state_->network->output_shape().size();
    if (static_cast<std::int64_t>(out.size()) != n * out_size)
      throw ShapeError(
          text("predict_into: the result has ", n * out_size, " numbers, the span given has ", out.size()));
    const detail::FlushDenormals flush;
    const Lease lease(*state_);
    for (std::int64_t first = 0; first < n; first += max_batch()) {
      const std::int64_t count = std::min(max_batch(), n - first);
      const TensorView<const T> y = lease.worker().run(*state_, x.data() + first * in_size, count);
      std::copy(y.begin(), y.end(), out.data() + first * out_size);
    }
  }

  /// Where the time of a prediction goes: see Model::profile. `batch_size` is at most max_batch(). Defined in
  /// <mien/model/profiling.hpp>.
  [[nodiscard]] PassProfile profile(std::int64_t batch_size, int repetitions = 10) const;

  [[nodiscard]] const Shape& input_shape() const { return state_->network->input_shape(); }
  [[nodiscard]] const Preprocessing& preprocessing() const { return state_->preprocessing; }
  [[nodiscard]] std::int64_t max_batch() const { return state_->plan.options().max_batch; }

 private:
  struct State;

  /// What one call needs for itself.
  struct Worker {
    explicit Worker(const State& state) : context(*state.network) {
      context.reserve(state.plan);
      if (state.preprocessing.changes_pixels())
        staging = Buffer(
            static_cast<std::size_t>(state.plan.options().max_batch * state.network->input_shape().size()) * sizeof(T));
    }
    TensorView<const T> run(const State& state, const T* x, std::int64_t count, detail::StepClock* clock = nullptr) {
      if (state.preprocessing.changes_pixels()) {
        const std::int64_t size = count * state.network->input_shape().size();
        T* staged = reinterpret_cast<T*>(staging.data());
        std::copy(x, x + size, staged);
        preprocess(state.preprocessing, state.network->input_shape()[-1], size, staged);
        x = staged;
      }
      const typename Context<T>::template Run<detail::FoldedParameters<T>> run{
          state.plan, state.parameters, nullptr, x, count, {}, clock};
      context.forward(run);
      return context.result(run);
    }
    Context<T> context;
    Buffer staging;
  };

  static constexpr std::size_t slot_count = 64;

  struct State {
    State(std::shared_ptr<const Network<T>> net, const ParameterLayout<T>& layout, const ParameterBlock<T>& values,
          Preprocessing pre, const PredictorOptions& options)
        : network(std::move(net)),
          preprocessing(std::move(pre)),
          plan(detail::tuned_plan(
              *network, {.max_batch = options.max_batch, .threads = options.threads, .fold_normalization = true},
              true)),
          parameters(*network, layout, values, plan) {}
    std::shared_ptr<const Network<T>> network;
    Preprocessing preprocessing;
    Plan<T> plan;
    detail::FoldedParameters<T> parameters;
    mutable std::atomic<bool> busy[slot_count]{};
    mutable std::unique_ptr<Worker> workers[slot_count];  // each touched only by who holds its flag
  };

  /// A worker for one call: one of the kept ones, or, with more callers at once than those, one of its own.
  class Lease {
   public:
    explicit Lease(const State& state) : state_(state) {
      while (slot_ < slot_count && state.busy[slot_].exchange(true, std::memory_order_acquire)) ++slot_;
      try {
        auto& worker = slot_ < slot_count ? state.workers[slot_] : own_;
        if (!worker) worker = std::make_unique<Worker>(state);
        worker_ = worker.get();
      } catch (...) {
        give_back();
        throw;
      }
    }
    Lease(const Lease&) = delete;
    Lease& operator=(const Lease&) = delete;
    ~Lease() { give_back(); }
    [[nodiscard]] Worker& worker() const { return *worker_; }

   private:
    void give_back() const {
      if (slot_ < slot_count) state_.busy[slot_].store(false, std::memory_order_release);
    }

    const State& state_;
    std::size_t slot_ = 0;
    std::unique_ptr<Worker> own_;
    Worker* worker_ = nullptr;
  };

  [[nodiscard]] std::int64_t samples(const TensorView<const T>& x) const {
    if (x.shape() == input_shape()) return 1;
    if (x.shape().rank() == input_shape().rank() + 1 && x.shape().without_batch() == input_shape()) return x.shape()[0];
    throw ShapeError(text("predict: the model takes ", input_shape(), " or a batch (N, ", join(input_shape()),
                          "), got ", x.shape()));
  }

  std::shared_ptr<const State> state_;
};

}  // namespace mien::inline v0
