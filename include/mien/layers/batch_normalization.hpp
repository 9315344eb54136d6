#pragma once

#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include <mien/kernels/elementwise/activate.hpp>
#include <mien/kernels/epilogue.hpp>
#include <mien/kernels/gemm/scratch.hpp>
#include <mien/kernels/norm/batch_norm.hpp>
#include <mien/kernels/norm/batch_norm_pool.hpp>
#include <mien/kernels/norm/moments_reader.hpp>
#include <mien/layers/layer.hpp>

namespace mien::inline v0 {

template <class T>
class BatchNormalizationLayer;

/// Normalises each channel. In training, with the n = N H W values of a channel in the batch,
///
///     mean = sum x / n        variance = sum (x - mean)^2 / n
///     y = gamma (x - mean) / sqrt(variance + epsilon) + beta
///     moving_mean = momentum moving_mean + (1 - momentum) mean, and moving_variance likewise
///
/// In inference, or where the layer is not trainable, y is made of moving_mean and moving_variance, and these stay.
/// Input and output: (N, ..., C). Parameters, of shape (C): gamma (if scale), beta (if center), and the statistics
/// moving_mean and moving_variance, which are not trainable.
/// Throws OptionError on an axis other than the last, a momentum outside [0, 1] or an epsilon that is not positive.
///
///     Node y = BatchNormalization{.epsilon = 1.001e-5}(x);   // (24, 24, 64) -> (24, 24, 64), 256 parameters
struct BatchNormalization {
  static constexpr const char* type = "BatchNormalization";

  std::int64_t axis = -1;  ///< of the channels, counted with the batch: the last
  double momentum = 0.99;  ///< weight of the old moving statistics
  double epsilon = 0.001;  ///< added to the variance, inside the root
  bool center = true;      ///< whether there is a beta
  bool scale = true;       ///< whether there is a gamma
  Initializer beta_initializer = zeros;
  Initializer gamma_initializer = ones;
  Initializer moving_mean_initializer = zeros;
  Initializer moving_variance_initializer = ones;
  Regularizer beta_regularizer{};
  Regularizer gamma_regularizer{};
  bool bessel = false;  ///< moving_variance takes variance n / (n - 1), as TensorFlow 2 did; Keras 3 takes variance
  std::string name{};
  bool trainable = true;

  [[nodiscard]] Shape output_shape(std::span<const Shape> inputs) const {
    const std::string title = detail::layer_title(*this);
    if (inputs.size() != 1) throw ShapeError(text(title, " takes one input, got ", inputs.size()));
    if (inputs[0].rank() < 1) throw ShapeError(text(title, " expected an input with channels, got shape ", inputs[0]));
    if (axis != -1 && axis != inputs[0].rank())
      throw OptionError(text(title, " normalises the last axis, -1 or ", inputs[0].rank(), ", got axis ", axis));
    if (!(momentum >= 0 && momentum <= 1))
      throw OptionError(text(title, " expected a momentum in [0, 1], got ", momentum));
    if (!(epsilon > 0)) throw OptionError(text(title, " expected a positive epsilon, got ", epsilon));
    return inputs[0];
  }
  template <class T>
  [[nodiscard]] std::unique_ptr<Layer<T>> make(std::span<const Shape> inputs) const;
  void visit_options(OptionVisitor& visit) {
    visit("axis", axis);
    visit("momentum", momentum);
    visit("epsilon", epsilon);
    visit("center", center);
    visit("scale", scale);
    visit("beta_initializer", beta_initializer);
    visit("gamma_initializer", gamma_initializer);
    visit("moving_mean_initializer", moving_mean_initializer);
    visit("moving_variance_initializer", moving_variance_initializer);
    visit("beta_regularizer", beta_regularizer);
    visit("gamma_regularizer", gamma_regularizer);
    visit("bessel", bessel);
  }
  template <class = void>
  [[nodiscard]] Node operator()(const Node& x) const {
    return apply(*this, {x});
  }
};

template <class T>
class BatchNormalizationLayer final : public Layer<T> {
 public:
  BatchNormalizationLayer(const BatchNormalization& options, const Shape& input)
      : options_(options), channels_(input[-1]), rows_(input.size() / std::max<std::int64_t>(1, input[-1])) {}

  [[nodiscard]] std::vector<ParameterSpec> parameters() const override {
    const Shape shape{channels_};
    std::vector<ParameterSpec> specs;
    if (options_.scale) specs.push_back({"gamma", shape, options_.gamma_initializer, true, options_.gamma_regularizer});
    if (options_.center) specs.push_back({"beta", shape, options_.beta_initializer, true, options_.beta_regularizer});
    specs.push_back({"moving_mean", shape, options_.moving_mean_initializer, false, {}});
    specs.push_back({"moving_variance", shape, options_.moving_variance_initializer, false, {}});
    return specs;
  }
  /// Backward works relu and its like out again from the input; it reads the output for other activations.
  [[nodiscard]] BackwardNeeds needs(const ActivationFunction& activation) const override {
    return {.inputs = true, .output = !kernels::applied_in_registers(activation)};
  }
  /// Mean and 1 / sqrt(variance + epsilon) of each channel.
  [[nodiscard]] std::size_t saved_bytes(std::int64_t) const override {
    kernels::Scratch scratch;
    static_cast<void>(Statistics(scratch, channels_));
    return scratch.bytes();
  }
  [[nodiscard]] std::size_t forward_workspace(std::int64_t batch, int) const override {
    kernels::Scratch scratch;
    static_cast<void>(Work(scratch, batch * rows_, channels_));
    return scratch.bytes();
  }
  [[nodiscard]] std::size_t backward_workspace(std::int64_t batch, int threads) const override {
    return forward_workspace(batch, threads);
  }
  [[nodiscard]] bool fuses_activation() const override { return true; }
  [[nodiscard]] bool backward_in_place() const override { return true; }
  /// The statistics of the batch.
  [[nodiscard]] std::size_t input_reader_bytes(std::int64_t batch) const override {
    return kernels::MomentsReader<T>::bytes(batch * rows_, channels_);
  }
  [[nodiscard]] kernels::RowReader* make_input_reader(std::int64_t batch, const T* input,
                                                      std::byte* memory) const override {
    return kernels::MomentsReader<T>::make(batch * rows_, channels_, input, memory);
  }
  /// Windows side by side, behind a monotone function that the kernels apply: the maximum commutes with it.
  [[nodiscard]] bool fuses_max_pooling(const kernels::ConvGeometry& windows,
                                       const ActivationFunction& f) const override {
    return kernels::windows_tile(windows) && kernels::applied_in_registers(f) && slope_of(f) >= 0;
  }

  void forward(const ForwardPass<T>& pass) const override;
  void backward(const BackwardPass<T>& pass) const override;

  [[nodiscard]] bool as_affine(std::span<const TensorView<T>> parameters, std::span<T> scale,
                               std::span<T> shift) const override {
    const Parameters p = named(parameters);
    for (std::size_t c = 0; c < scale.size(); ++c) {
      const auto i = static_cast<std::int64_t>(c);
      const double factor = gamma(p, i) * inverse_deviation(static_cast<double>(p.moving_variance[i]));
      scale[c] = static_cast<T>(factor);
      shift[c] = static_cast<T>(beta(p, i) - static_cast<double>(p.moving_mean[i]) * factor);
    }
    return true;
  }

 private:
  /// What normalises: saved by forward, or worked out from the moving statistics.
  struct Statistics {
    Statistics(kernels::Scratch& scratch, std::int64_t channels)
        : mean(scratch.array<T>(channels)), inverse(scratch.array<T>(channels)) {}
    T *mean, *inverse;
  };
  struct Work {
    Work(kernels::Scratch& scratch, std::int64_t rows, std::int64_t channels)
        : moving(scratch, channels),
          partial(scratch.array<T>(kernels::norm_partial_size(rows, channels))),
          first(scratch.array<double>(channels)),
          second(scratch.array<double>(channels)),
          scale(scratch.array<T>(channels)),
          shift(scratch.array<T>(channels)),
          offset(scratch.array<T>(channels)),
          slant(scratch.array<T>(channels)) {}
    Statistics moving;
    T* partial;
    double *first, *second;  // mean and variance forward, sums of gradients backward
    T *scale, *shift, *offset, *slant;
  };
  struct Parameters {
    TensorView<T> gamma, beta, moving_mean, moving_variance;
  };

  [[nodiscard]] Parameters named(std::span<const TensorView<T>> all) const {
    if (all.empty()) return {};
    Parameters p;
    std::size_t i = 0;
    if (options_.scale) p.gamma = all[i++];
    if (options_.center) p.beta = all[i++];
    p.moving_mean = all[i];
    p.moving_variance = all[i + 1];
    return p;
  }
  [[nodiscard]] static double gamma(const Parameters& p, std::int64_t c) {
    return p.gamma ? static_cast<double>(p.gamma[c]) : 1.0;
  }
  [[nodiscard]] static double beta(const Parameters& p, std::int64_t c) {
    return p.beta ? static_cast<double>(p.beta[c]) : 0.0;
  }
  [[nodiscard]] double inverse_deviation(double variance) const { return 1 / std::sqrt(variance + options_.epsilon); }

  /// Whether the batch's own statistics are used.
  [[nodiscard]] static bool of_batch(const Pass& pass) { return pass.training && pass.trainable; }

  void set_statistics(const Statistics& statistics, std::int64_t c, double mean, double variance) const {
    statistics.mean[c] = static_cast<T>(mean);
    statistics.inverse[c] = static_cast<T>(inverse_deviation(variance));
  }
  void use_moving(const Parameters& p, const Statistics& statistics) const {
    for (std::int64_t c = 0; c < channels_; ++c)
      set_statistics(statistics, c, static_cast<double>(p.moving_mean[c]), static_cast<double>(p.moving_variance[c]));
  }
  void use_batch(const ForwardPass<T>& pass, const Parameters& p, const Work& work, const Statistics& statistics) const;

  /// The channels' form for the kernels, with the activation if that is one which they apply.
  [[nodiscard]] kernels::NormChannels<T> channels_of(const Parameters& p, const Statistics& statistics,
                                                     const Work& work, const ActivationFunction& activation) const {
    for (std::int64_t c = 0; c < channels_; ++c) {
      work.scale[c] = static_cast<T>(gamma(p, c) * static_cast<double>(statistics.inverse[c]));
      work.shift[c] = static_cast<T>(beta(p, c));
    }
    return {statistics.mean, work.scale, work.shift, static_cast<T>(slope_of(activation))};
  }
  [[nodiscard]] static double slope_of(const ActivationFunction& f) {
    using Kind = ActivationFunction::Kind;
    return f.kind == Kind::relu ? 0 : f.kind == Kind::leaky_relu ? f.alpha : 1;
  }
  [[nodiscard]] static kernels::ConvGeometry windows_of(const Pass& pass) {
    kernels::ConvGeometry windows = *pass.pooling;
    windows.n = pass.batch;
    return windows;
  }
  /// The sums of backward in work.first and work.second; dx where it is wanted.
  void sum_gradients(const BackwardPass<T>& pass, const kernels::NormChannels<T>& norm, const Work& work) const;
  void write_input_gradient(const BackwardPass<T>& pass, const kernels::NormChannels<T>& norm, const Work& work) const;

  BatchNormalization options_;
  std::int64_t channels_, rows_;
};

template <class T>
void BatchNormalizationLayer<T>::use_batch(const ForwardPass<T>& pass, const Parameters& p, const Work& work,
                                           const Statistics& statistics) const {
  const std::int64_t rows = pass.batch * rows_;
  if (pass.input_reader != nullptr)
    static_cast<const kernels::MomentsReader<T>*>(pass.input_reader)->merge(work.first, work.second);
  else
    kernels::norm_moments(rows, channels_, pass.inputs[0].data(), work.partial, work.first, work.second, pass.threads);
  const auto n = static_cast<double>(rows);
  const double correction = options_.bessel ? n / std::max(n - 1, 1.0) : 1.0, m = options_.momentum;
  const auto move = [m](T& moving, double value) {
    moving = static_cast<T>(static_cast<double>(moving) * m + value * (1 - m));
  };
  for (std::int64_t c = 0; c < channels_; ++c) {
    set_statistics(statistics, c, work.first[c], work.second[c]);
    move(p.moving_mean[c], work.first[c]);
    move(p.moving_variance[c], work.second[c] * correction);
  }
}

template <class T>
void BatchNormalizationLayer<T>::forward(const ForwardPass<T>& pass) const {
  const std::int64_t rows = pass.batch * rows_;
  kernels::Scratch scratch(pass.workspace), saved(pass.saved);
  const Work work(scratch, rows, channels_);
  const Statistics statistics = pass.saved == nullptr ? work.moving : Statistics(saved, channels_);
  const Parameters p = named(pass.parameters);
  if (of_batch(pass))
    use_batch(pass, p, work, statistics);
  else
    use_moving(p, statistics);
  const kernels::NormChannels<T> norm = channels_of(p, statistics, work, pass.activation);
  const T* x = pass.inputs[0].data();
  T* y = pass.output.data();
  if (pass.pooling != nullptr) return kernels::norm_pool_forward(windows_of(pass), norm, x, y, pass.threads);
  const auto apply_block = [&](std::int64_t first, std::int64_t count, std::int64_t) {
    T* own = y + first * channels_;
    kernels::norm_apply(count, channels_, norm, x + first * channels_, own);
    if (!kernels::applied_in_registers(pass.activation))
      kernels::activate(pass.activation, count, channels_, own, own, 1);
  };
  kernels::for_each_norm_block(rows, channels_, pass.threads, apply_block);
}

template <class T>
void BatchNormalizationLayer<T>::sum_gradients(const BackwardPass<T>& pass, const kernels::NormChannels<T>& norm,
                                               const Work& work) const {
  const T* x = pass.inputs[0].data();
  const T* dy = pass.d_output.data();
  if (pass.pooling != nullptr)
    kernels::norm_pool_gradient_sums(windows_of(pass), norm, x, dy, work.partial, work.first, work.second,
                                     pass.threads);
  else
    kernels::norm_gradient_sums(pass.batch * rows_, channels_, norm, x, dy, work.partial, work.first, work.second,
                                pass.threads);
}

template <class T>
void BatchNormalizationLayer<T>::write_input_gradient(const BackwardPass<T>& pass, const kernels::NormChannels<T>& norm,
                                                      const Work& work) const {
  const T* x = pass.inputs[0].data();
  const T* dy = pass.d_output.data();
  T* dx = pass.d_inputs[0].data();
  const kernels::NormGradient<T> gradient{work.offset, work.slant, work.scale};
  if (pass.pooling != nullptr)
    return kernels::norm_pool_backward(windows_of(pass), norm, gradient, x, dy, dx, pass.threads);
  const auto backward_block = [&](std::int64_t first, std::int64_t count, std::int64_t) {
    const std::int64_t at = first * channels_;
    kernels::norm_backward(count, channels_, norm, gradient, x + at, dy + at, dx + at);
  };
  kernels::for_each_norm_block(pass.batch * rows_, channels_, pass.threads, backward_block);
}

/// With the gradient dt before the activation, sums over the n rows of a channel, and k = gamma / sqrt(variance +
/// epsilon):
///
///     d_beta = sum dt        d_gamma = sum dt (x - mean) / sqrt(variance + epsilon)
///     dx = k (dt - sum dt / n - (x - mean) sum dt (x - mean) / (n (variance + epsilon)))
///
/// where the last two terms are absent with moving statistics.
template <class T>
void BatchNormalizationLayer<T>::backward(const BackwardPass<T>& pass) const {
  const std::int64_t rows = pass.batch * rows_;
  kernels::Scratch scratch(pass.workspace), saved(pass.saved);
  const Work work(scratch, rows, channels_);
  const Statistics statistics = of_batch(pass) ? Statistics(saved, channels_) : work.moving;
  const Parameters p = named(pass.parameters), d = named(pass.d_parameters);
  if (!of_batch(pass)) use_moving(p, statistics);
  const kernels::NormChannels<T> norm = channels_of(p, statistics, work, pass.activation);
  T* dy = pass.d_output.data();
  if (!kernels::applied_in_registers(pass.activation))
    kernels::activate_backward<T>(pass.activation, rows, channels_, nullptr, pass.output.data(), dy, dy, pass.threads);
  if (of_batch(pass) || d.gamma || d.beta)
    sum_gradients(pass, norm, work);
  else
    std::fill_n(work.first, channels_, 0.0), std::fill_n(work.second, channels_, 0.0);
  const double n = of_batch(pass) ? static_cast<double>(rows) : std::numeric_limits<double>::infinity();
  for (std::int64_t c = 0; c < channels_; ++c) {
    const auto inverse = static_cast<double>(statistics.inverse[c]);
    if (d.gamma) d.gamma[c] = static_cast<T>(work.second[c] * inverse);
    if (d.beta) d.beta[c] = static_cast<T>(work.first[c]);
    work.offset[c] = static_cast<T>(work.first[c] / n);
    work.slant[c] = static_cast<T>(work.second[c] * inverse * inverse / n);
  }
  if (pass.d_inputs[0]) write_input_gradient(pass, norm, work);
}

template <class T>
std::unique_ptr<Layer<T>> BatchNormalization::make(std::span<const Shape> inputs) const {
  return std::make_unique<BatchNormalizationLayer<T>>(*this, inputs[0]);
}

}  // namespace mien::inline v0
