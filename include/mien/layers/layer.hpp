#pragma once
// The contract between a layer and the model that runs it.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include <mien/activations/activation.hpp>
#include <mien/core/arithmetic.hpp>
#include <mien/core/random.hpp>
#include <mien/core/tensor.hpp>
#include <mien/graph/node.hpp>
#include <mien/initializers/initializer.hpp>
#include <mien/kernels/conv/algorithm.hpp>
#include <mien/kernels/epilogue.hpp>
#include <mien/regularizers/regularizer.hpp>

namespace mien::inline v0 {

/// A parameter as a layer declares it; the model owns the values.
struct ParameterSpec {
  std::string name;  ///< Keras's: "kernel", "bias", "gamma", "moving_mean"
  Shape shape;
  Initializer initializer = zeros;
  bool trainable = true;  ///< false: a statistic that forward updates itself, such as a moving mean
  Regularizer regularizer{};
};

/// What backward reads of forward's tensors. Less kept is less memory: the plan reuses what nobody needs.
struct BackwardNeeds {
  bool inputs = true;
  bool output = true;
};

/// What every pass is told.
struct Pass {
  std::int64_t batch = 0;  ///< samples; every tensor's first extent
  bool training = false;   ///< false: inference (dropout off, moving statistics)
  bool trainable = true;   ///< false: the layer is frozen (batch normalisation then runs as in inference)
  int threads = 1;
  RandomKey random{};  ///< this layer's stream of random numbers for this step
  ActivationFunction
      activation{};  ///< to apply to the result: the layer's own, one fused from the next layer, or linear
  const kernels::ConvGeometry* pooling = nullptr;  ///< of one sample: a max pooling to apply behind the activation
  ActivationFunction input_activation{};           ///< backward: also the gradient of this, which made the input
};

/// What a predictor has a layer make of its parameters, once for all its calls and threads. Known to that layer alone.
struct PreparedParameters {
  PreparedParameters() = default;
  PreparedParameters(const PreparedParameters&) = delete;
  PreparedParameters& operator=(const PreparedParameters&) = delete;
  virtual ~PreparedParameters() = default;
};

template <class T>
struct ForwardPass : Pass {
  std::span<const TensorView<const T>> inputs;
  TensorView<T> output;
  std::span<const TensorView<T>> parameters;         ///< in the order of parameters()
  std::byte* saved = nullptr;                        ///< saved_bytes(batch), kept until backward; only in training
  std::byte* workspace = nullptr;                    ///< forward_workspace(...) bytes, aligned to the cache line
  const PreparedParameters* prepared = nullptr;      ///< in a predictor: what prepare() made of the parameters
  kernels::RowReader* output_reader = nullptr;       ///< if reports_output(): who reads the output while it is written
  const kernels::RowReader* input_reader = nullptr;  ///< the layer's own, if it has read the input
};

template <class T>
struct BackwardPass : Pass {
  std::span<const TensorView<const T>> inputs;  ///< without data unless needs().inputs
  TensorView<const T> output;                   ///< without data unless needs().output
  TensorView<T> d_output;                       ///< gradient by the output; backward may overwrite it as scratch
  std::span<const TensorView<T>> d_inputs;      ///< to be overwritten; without data where nobody wants it
  std::span<const TensorView<T>> parameters;
  std::span<const TensorView<T>> d_parameters;  ///< to be overwritten; without data for statistics and frozen layers
  std::byte* saved = nullptr;
  std::byte* workspace = nullptr;
};

/// A layer that runs: made from an options struct for a scalar type and input shapes. It holds configuration only:
/// parameters and scratch memory come with each call, so one layer may serve many threads. A user's layer needs forward
/// and backward; the other functions are for those who want less memory or more speed, and their defaults are always
/// right.
template <class T>
class Layer {
 public:
  Layer() = default;
  Layer(const Layer&) = delete;
  Layer& operator=(const Layer&) = delete;
  virtual ~Layer() = default;

  /// Which arithmetic the model wants, and where algorithms that it measures will stand (null: nowhere, it measures
  /// none); told once, before anything else is asked.
  virtual void use(Arithmetic /*arithmetic*/, const kernels::ConvChoices* /*choices*/) {}

  /// What they throw comes out of the call that runs the model. From forward it leaves what is trained as it was; from
  /// backward the layers behind this one may have taken their step already, since the optimizer runs along with it.
  virtual void forward(const ForwardPass<T>& pass) const = 0;
  virtual void backward(const BackwardPass<T>& pass) const = 0;

  [[nodiscard]] virtual std::vector<ParameterSpec> parameters() const { return {}; }

  /// Prediction: what is worth being made of the parameters once, for batches of up to `max_batch` samples; null:
  /// nothing. forward_workspace() is enough for forward with it and without.
  [[nodiscard]] virtual std::unique_ptr<const PreparedParameters> prepare(std::span<const TensorView<T>> /*parameters*/,
                                                                          std::int64_t /*max_batch*/,
                                                                          int /*threads*/) const {
    return nullptr;
  }

  /// What backward reads, when the layer applies this activation.
  [[nodiscard]] virtual BackwardNeeds needs(const ActivationFunction&) const { return {}; }
  /// Bytes that forward leaves for backward (indices of maxima, batch statistics).
  [[nodiscard]] virtual std::size_t saved_bytes(std::int64_t /*batch*/) const { return 0; }
  [[nodiscard]] virtual std::size_t forward_workspace(std::int64_t /*batch*/, int /*threads*/) const { return 0; }
  [[nodiscard]] virtual std::size_t backward_workspace(std::int64_t /*batch*/, int /*threads*/) const { return 0; }

  /// Whether forward may be given output == input and backward d_input == d_output (same memory, one input).
  [[nodiscard]] virtual bool in_place() const { return false; }
  /// Whether backward may be given d_input == d_output (one input); of forward it says nothing.
  [[nodiscard]] virtual bool backward_in_place() const { return in_place(); }
  /// Whether the output is the input's memory under another shape: forward and backward are then never called.
  [[nodiscard]] virtual bool is_view() const { return false; }
  /// Whether inference passes the input on unchanged: in prediction the layer then costs nothing.
  [[nodiscard]] virtual bool identity_in_inference() const { return false; }

  /// The convolutions that the layer computes for a batch: what MIEN_VERBOSE=1 explains, and what autotune measures.
  [[nodiscard]] virtual std::vector<kernels::ConvGeometry> convolutions(std::int64_t /*batch*/) const { return {}; }
  /// The pass of theirs that forward() computes; backward() may compute any.
  [[nodiscard]] virtual kernels::ConvPass forward_pass() const { return kernels::ConvPass::forward; }

  /// Floating-point operations of forward, a multiplication and an addition being two; 0 where they are few and only
  /// bytes count. Each gradient of backward, by the parameters and by the input, is taken to cost as many. For
  /// profiles.
  [[nodiscard]] virtual double flop(std::int64_t /*batch*/) const { return 0; }

  /// The layer's own activation, from its options.
  [[nodiscard]] virtual ActivationFunction activation() const { return linear; }
  /// Whether `pass.activation` is applied (and differentiated) for any activation that is differentiable_from_output:
  /// the plan may then give the layer the next one's activation, or take its own softmax away to fuse it with the loss.
  [[nodiscard]] virtual bool fuses_activation() const { return false; }

  /// Whether all that the layer does is to apply activation(): the plan then moves it into the layer before, if that
  /// one fuses it.
  [[nodiscard]] virtual bool only_activates() const { return false; }

  /// The windows over one sample of a layer that is a max pooling and nothing else: the plan then moves it into the
  /// layer before, if that one fuses it.
  [[nodiscard]] virtual const kernels::ConvGeometry* max_pooling() const { return nullptr; }
  /// Whether `pass.pooling` is applied behind that activation: the output, and backward's d_output, are then the pooled
  /// ones.
  [[nodiscard]] virtual bool fuses_max_pooling(const kernels::ConvGeometry& /*windows*/,
                                               const ActivationFunction& /*activation*/) const {
    return false;
  }
  /// Whether backward applies the gradient of `pass.input_activation` to d_input, for any that is
  /// differentiable_from_output. A pooling passes few gradients on, to inputs whose value it knows: what would be a
  /// pass over the whole input costs next to nothing. Backward then is given the output.
  [[nodiscard]] virtual bool differentiates_input_activation() const { return false; }

  /// Training, not frozen: the bytes of what reads the layer's first input, rows of channels, while the layer before
  /// writes it; 0: the layer does not ask for that. What make_input_reader() makes in them lives until forward has run,
  /// as pass.input_reader. There may be none: not every layer reports its output, and each to one reader.
  [[nodiscard]] virtual std::size_t input_reader_bytes(std::int64_t /*batch*/) const { return 0; }
  [[nodiscard]] virtual kernels::RowReader* make_input_reader(std::int64_t /*batch*/, const T* /*input*/,
                                                              std::byte* /*memory*/) const {
    return nullptr;
  }
  /// Whether forward reports the rows of its output to pass.output_reader, when it applies this activation.
  [[nodiscard]] virtual bool reports_output(const ActivationFunction&) const { return false; }

  /// Prediction folds batch normalisation into the layer before it. The one writes its inference as y = scale x + shift
  /// per channel and returns true (asked with empty spans, it only answers); the other takes it into its parameters
  /// (kernel, then bias: of those, the predictor has a private copy).
  [[nodiscard]] virtual bool as_affine(std::span<const TensorView<T>> /*parameters*/, std::span<T> /*scale*/,
                                       std::span<T> /*shift*/) const {
    return false;
  }
  /// Whether a per-channel scale and shift of the output can be moved into its last kernel, a parameter whose values
  /// run over the channels fastest, and the bias after it (given in `pass.parameters` even where the options have
  /// none).
  [[nodiscard]] virtual bool absorbs_affine() const { return false; }
  /// That kernel's place among the parameters; the bias's is the next.
  [[nodiscard]] virtual std::size_t affine_kernel() const { return 0; }
};

}  // namespace mien::inline v0
