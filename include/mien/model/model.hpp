#pragma once

#include <algorithm>
#include <array>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <mien/core/log.hpp>
#include <mien/core/parallel.hpp>
#include <mien/kernels/isa/isa.hpp>
#include <mien/layers/sequential.hpp>
#include <mien/model/application.hpp>
#include <mien/model/autotune.hpp>
#include <mien/model/autotune_text.hpp>
#include <mien/model/batches.hpp>
#include <mien/model/context.hpp>
#include <mien/model/fit_options.hpp>
#include <mien/model/history.hpp>
#include <mien/model/predictor.hpp>
#include <mien/model/preprocessing.hpp>
#include <mien/model/profile.hpp>
#include <mien/model/summary.hpp>
#include <mien/model/trainer.hpp>

namespace mien::inline v0 {

struct ModelOptions {
  std::uint64_t seed = 0;         ///< of the first weights, dropout, augmentation and the order of the samples
  std::string name{};             ///< in summary(); empty: "model", or "sequential"
  int threads = 0;                ///< 0: as many as the process may use
  Preprocessing preprocessing{};  ///< what is done to pixels before the first layer
  Arithmetic arithmetic = Arithmetic::fast;  ///< strict: no algorithm that rounds more than the definition (Winograd);
                                             ///< for one layer: Conv2D::arithmetic
  /// Convolutions run the algorithm that a measurement found to be the fastest, instead of the one that the cost model
  /// expects to be. Each is measured once: at the first step, evaluation or predictor that needs it, at its batch size
  /// and for single pictures, which may take seconds. Results then have the bits of what was chosen, and another
  /// measurement may choose otherwise: checkpoints hold the choices.
  bool autotune = false;
  bool sequential = false;  ///< summary() leaves the input out, as Keras does for a Sequential
};

/// What a model asks for, in bytes.
struct MemoryReport {
  std::size_t parameters = 0;  ///< the weights and statistics
  std::size_t gradients = 0;   ///< after compile: those that a step holds at a time
  std::size_t optimizer = 0;   ///< after compile: the moments
  std::size_t activations =
      0;                    ///< the arena of a training step (before compile: of a prediction), scratch memory included
  std::size_t batches = 0;  ///< the two batches that fit keeps ready

  [[nodiscard]] std::size_t total() const { return parameters + gradients + optimizer + activations + batches; }
};

/// Gradients of the mean loss of a batch.
template <class T>
struct Gradients {
  double loss = 0;
  std::vector<Tensor<T>>
      parameters;   ///< in the order of Model::parameters(); empty tensors for statistics and frozen layers
  Tensor<T> input;  ///< by the model's input, after preprocessing
};

/// Says which layers by name: `named("conv1")`, `prefixed("block5")`, or any function of the name.
using LayerPredicate = std::function<bool(std::string_view)>;
[[nodiscard]] inline LayerPredicate named(std::string name) {
  return [name = std::move(name)](std::string_view layer) { return layer == name; };
}
[[nodiscard]] inline LayerPredicate prefixed(std::string prefix) {
  return [prefix = std::move(prefix)](std::string_view layer) { return layer.starts_with(prefix); };
}
[[nodiscard]] inline LayerPredicate all_layers() {
  return [](std::string_view) { return true; };
}

/// A graph that runs, for float (the fast kernels) or double (checks). It owns the weights; copying it is a deep copy.
///
///     Model<float> model(x, y, {.seed = 7});
///     model.compile({.optimizer = Adam{}, .loss = CategoricalCrossentropy{}, .metrics = {Accuracy{}}});
///     model.fit(train, {.batch_size = 32, .epochs = 10, .validation_data = validation});
template <class T>
class Model {
 public:
  /// Throws OptionError or ShapeError on a graph that is none.
  Model(const Node& input, const Node& output, ModelOptions options = {});
  explicit Model(const Sequential& layers, ModelOptions options = {});
  /// With the network's name, and its preprocessing, where the options have none of their own; the classes are theirs.
  explicit Model(const Application& network, ModelOptions options = {});
  Model(const Model& other);
  Model(Model&&) noexcept = default;
  Model& operator=(Model other) noexcept;
  ~Model() = default;

  [[nodiscard]] const std::string& name() const { return options_.name; }
  [[nodiscard]] const Network<T>& network() const { return *network_; }
  [[nodiscard]] const Shape& input_shape() const { return network_->input_shape(); }
  [[nodiscard]] const Shape& output_shape() const { return network_->output_shape(); }
  [[nodiscard]] bool is_sequential() const { return options_.sequential; }
  [[nodiscard]] std::uint64_t seed() const { return options_.seed; }
  [[nodiscard]] Arithmetic arithmetic() const { return options_.arithmetic; }
  [[nodiscard]] bool autotune() const { return options_.autotune; }
  /// What autotune has chosen so far, a line for each convolution and pass; empty without autotune.
  [[nodiscard]] std::string tuned_algorithms() const;
  /// Puts what a tuned_algorithms() returned in the place of what was chosen, so that nothing of it is measured again.
  /// Throws OptionError without autotune, and on text that is none or names algorithms that there are not.
  void set_tuned_algorithms(const std::string& lines);
  [[nodiscard]] int threads() const { return threads_; }
  /// Throws OptionError below 0; 0 is as many as the process may use.
  void set_threads(int threads);
  [[nodiscard]] const Preprocessing& preprocessing() const { return options_.preprocessing; }
  void set_preprocessing(Preprocessing preprocessing);

  /// The table that Keras prints (tf.keras up to 2.6, byte for byte).
  [[nodiscard]] std::string summary() const;
  /// The numbers in all parameters, statistics included.
  [[nodiscard]] std::int64_t count_parameters() const;
  /// What fit would ask for at that batch size; with autotune, an estimate until it has measured.
  [[nodiscard]] MemoryReport memory(std::int64_t batch_size) const;

  /// Where time goes, for each layer and pass, in a training step (after compile) and in a prediction of that many
  /// samples, with the shares outside the kernels: medians over the repetitions, on random numbers and a copy of the
  /// model. Throws OptionError. Defined in <mien/model/profiling.hpp>.
  ///
  ///     std::cout << model.profile(32).to_string();
  [[nodiscard]] Profile profile(std::int64_t batch_size, int repetitions = 10) const;

  /// Every parameter, in the order of the layers: "layer/kernel", its shape.
  [[nodiscard]] const std::vector<Parameter>& parameters() const { return layout_->all(); }
  /// A parameter's values. Throws OptionError on an unknown name.
  [[nodiscard]] TensorView<T> parameter(std::string_view name);
  [[nodiscard]] TensorView<const T> parameter(std::string_view name) const;
  /// All values in one block.
  [[nodiscard]] const ParameterBlock<T>& values() const { return *values_; }
  [[nodiscard]] ParameterBlock<T>& values();
  [[nodiscard]] ParameterBlock<T> copy_values() const;

  /// Freezes or unfreezes layers; takes effect at once. Returns how many; throws OptionError if none is meant.
  int set_trainable(bool trainable, const LayerPredicate& which);
  int freeze(const LayerPredicate& which) { return set_trainable(false, which); }
  int unfreeze(const LayerPredicate& which) { return set_trainable(true, which); }
  [[nodiscard]] bool is_trainable(int node) const { return trainable_[static_cast<std::size_t>(node)]; }

  /// Sets optimizer, loss and metrics; the optimizer starts afresh.
  void compile(CompileOptions options);
  [[nodiscard]] bool is_compiled() const { return trainer_ != nullptr; }
  /// The state of training. Throws OptionError before compile().
  [[nodiscard]] Trainer<T>& trainer();
  [[nodiscard]] const Trainer<T>& trainer() const { return const_cast<Model*>(this)->trainer(); }

  // fit is defined in <mien/model/fit.hpp>, evaluate and predict(Dataset) in <mien/model/evaluation.hpp>: mien.hpp has
  // them all.

  /// Trains for some epochs. Throws before anything is changed if the data do not fit the model.
  History fit(const Dataset& data, const FitOptions& options = {});
  /// The mean loss and metrics over a dataset, in inference: {"loss", "accuracy", ...}.
  [[nodiscard]] Logs evaluate(const Dataset& data, const EvaluateOptions& options = {});
  /// The outputs for a batch or one sample, with a predictor that is kept until the weights change.
  [[nodiscard]] Tensor<T> predict(TensorView<const T> x);
  /// The outputs (N, ...) for all samples of a dataset.
  [[nodiscard]] Tensor<T> predict(const Dataset& data, const EvaluateOptions& options = {});
  [[nodiscard]] Predictor<T> predictor(const PredictorOptions& options = {}) const;

  /// One step on one batch: x (N, input), y (N, target), an optional weight per sample. After the first call at a batch
  /// size it allocates nothing. Throws ShapeError.
  BatchResult train_on_batch(TensorView<const T> x, TensorView<const T> y, std::span<const T> sample_weight = {});
  /// The loss and the metrics of one batch, in inference.
  BatchResult test_on_batch(TensorView<const T> x, TensorView<const T> y);
  /// One step on a batch that is already preprocessed: what fit does.
  BatchResult step(const Batch<T>& batch);
  BatchResult test(const Batch<T>& batch);

  /// The output, or the output of a named layer, for a batch (N, ...). In training mode dropout and augmentation are on
  /// and batch normalisation uses (and updates) its statistics of the batch.
  [[nodiscard]] Tensor<T> forward(TensorView<const T> x, bool training = false) {
    return run_forward(x, network_->size() - 1, training);
  }
  [[nodiscard]] Tensor<T> output_of(std::string_view layer, TensorView<const T> x) {
    return run_forward(x, network_->find(layer), false);
  }
  /// Gradients of the mean loss (training mode), by every parameter and by the input. Neither parameters nor statistics
  /// change.
  [[nodiscard]] Gradients<T> gradients(TensorView<const T> x, TensorView<const T> y);

 private:
  enum PlanKind : std::size_t { train_plan, test_plan, gradient_plan, plan_kinds };
  using Run = typename Context<T>::template Run<ParameterBlock<T>>;

  void forget();  // what was derived from weights and options
  [[nodiscard]] PlanOptions plan_options(PlanKind kind, std::int64_t batch) const;
  [[nodiscard]] const Plan<T>& plan(PlanKind kind, std::int64_t batch);
  void explain(const Plan<T>& plan) const;
  [[nodiscard]] Run run_of(const Plan<T>& plan, const T* x, std::int64_t batch) const;
  [[nodiscard]] Batch<T> batch_of(TensorView<const T> x, TensorView<const T> y, std::span<const T> weight);
  [[nodiscard]] const T* preprocessed(TensorView<const T> x);
  [[nodiscard]] Tensor<T> run_forward(TensorView<const T> x, int node, bool training);
  void require_batch(const TensorView<const T>& x) const;
  [[nodiscard]] PassProfile profile_training(std::int64_t batch_size, int repetitions);

  ModelOptions options_;
  int threads_ = 1;
  std::shared_ptr<const Network<T>> network_;
  std::shared_ptr<const ParameterLayout<T>> layout_;
  std::unique_ptr<ParameterBlock<T>> values_;
  std::vector<bool> trainable_;
  std::unique_ptr<Trainer<T>> trainer_;
  std::unique_ptr<Context<T>> context_;
  std::array<std::unique_ptr<const Plan<T>>, plan_kinds> plans_;
  std::unique_ptr<const Predictor<T>> predictor_;
  Buffer staging_;
};

}  // namespace mien::inline v0

#include <mien/model/model.inl>
