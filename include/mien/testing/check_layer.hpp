#pragma once
// What a layer promises (layers/layer.hpp), checked without a model. For users' own layers as for ours; no test
// framework is needed:
//
//     mien::testing::check_layer(Scale{.start = 2}, {{5, 4, 3}});        // throws CheckFailure

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <mien/kernels/elementwise/activate.hpp>
#include <mien/kernels/pool/pool.hpp>
#include <mien/testing/check_gradients.hpp>
#include <mien/testing/fills.hpp>
#include <mien/testing/layer_run.hpp>
#include <mien/testing/option_record.hpp>

namespace mien::inline v0::testing {

struct CheckLayerOptions {
  std::vector<std::int64_t> batches{1, 3};
  double low = -1, high = 1;  ///< the inputs are uniform in this range
  CheckGradientsOptions gradients{};
  double float_tolerance = 1e-4;  ///< of float results against double ones, relative to the largest
  std::uint64_t seed = 1;         ///< of all values
};

namespace detail {

/// One layer, one batch size: everything that is checked about the two.
template <class Options>
class LayerCheck {
 public:
  LayerCheck(const Options& options, const std::vector<Shape>& inputs, std::int64_t batch,
             const CheckLayerOptions& check)
      : options_(options), check_(check), layer_(options.template make<double>(inputs)), batch_(batch) {
    data_.input_shapes = inputs;
    data_.output_shape = options.output_shape(inputs);
    data_.specs = layer_->parameters();
    std::uint64_t seed = check.seed;
    for (const Shape& shape : inputs)
      fill_uniform<double>(add(data_.inputs, shape.size() * batch), ++seed, check.low, check.high);
    for (const ParameterSpec& spec : data_.specs) draw_parameter(spec, ++seed);
    data_.d_output.resize(static_cast<std::size_t>(data_.output_shape.size() * batch));
    fill_uniform<double>(data_.d_output, ++seed);
  }

  /// `thorough`: also with the activations that may be fused, in float, and with the options written and read.
  void run(bool thorough) {
    if (layer_->is_view()) return view();
    const LayerSetup training{.batch = batch_, .activation = layer_->activation()};
    gradients(training, "training");
    memory(training);
    threads(training, "training");
    readers(training);
    LayerSetup frozen = training, inference = training;
    frozen.trainable = false;
    gradients(frozen, "training, frozen");
    unchanged_parameters(frozen, "training, frozen");
    inference.training = inference.backward = false;
    threads(inference, "inference");
    unchanged_parameters(inference, "inference");
    if (layer_->identity_in_inference()) identity(inference);
    prediction(inference);
    if (!thorough) return;
    if (layer_->fuses_activation()) fused(training);
    if (layer_->differentiates_input_activation()) activation_before(training);
    if (data_.output_shape.rank() == 3) pooled(training);
    in_float(training, "float, training");
    in_float(inference, "float, inference");
    if constexpr (requires(Options o, OptionRecord v) { o.visit_options(v); }) round_trip(training);
  }

 private:
  using Result = LayerResult<double>;

  static std::span<double> add(std::vector<std::vector<double>>& list, std::int64_t size) {
    return list.emplace_back(static_cast<std::size_t>(size));
  }
  /// Trained-looking values: the initial ones and noise; statistics only grow, so that variances stay positive.
  void draw_parameter(const ParameterSpec& spec, std::uint64_t seed) {
    const auto values = add(data_.parameters, spec.shape.size());
    initialize(spec.initializer, spec.shape, {.seed = seed}, values);
    Random random({.seed = seed, .purpose = 1});
    for (double& value : values) value += random.uniform(spec.trainable ? -0.5 : 0, 0.5);
  }

  [[noreturn]] void fail(const std::string& mode, const std::string& what) const {
    throw CheckFailure(text(mien::detail::layer_title(options_), ", batch ", batch_, ", ", mode, ": ", what));
  }
  template <class T = double>
  LayerResult<T> result(const Layer<T>& layer, const LayerData& data, const LayerSetup& setup,
                        const std::string& mode) const {
    try {
      return LayerRun<T>(layer, data, setup).run();
    } catch (const CheckFailure& failure) {
      fail(mode, failure.what());
    }
  }
  Result result(const LayerSetup& setup, const std::string& mode) const { return result(*layer_, data_, setup, mode); }

  /// Throws unless all of b is a within a part `tolerance` of the largest value; 0: the same bits. What is empty was
  /// not asked for.
  template <class A, class B>
  void same(const std::vector<A>& a, const std::vector<B>& b, double tolerance, const std::string& mode,
            const std::string& what) const {
    double scale = 0;
    for (const A& value : a) scale = std::max(scale, std::abs(static_cast<double>(value)));
    for (std::size_t i = 0; i < std::min(a.size(), b.size()); ++i)
      if (!(std::abs(static_cast<double>(a[i]) - static_cast<double>(b[i])) <= tolerance * scale))
        fail(mode, text(what, ", element ", i, ": expected ", a[i], ", got ", b[i]));
  }
  template <class A, class B>
  void same(const LayerResult<A>& a, const LayerResult<B>& b, double tolerance, const std::string& mode) const {
    same(a.output, b.output, tolerance, mode, "output");
    for (std::size_t i = 0; i < std::min(a.d_inputs.size(), b.d_inputs.size()); ++i)
      same(a.d_inputs[i], b.d_inputs[i], tolerance, mode, text("gradient by input ", i));
    for (std::size_t i = 0; i < data_.specs.size(); ++i) {
      same(a.parameters[i], b.parameters[i], tolerance, mode, data_.specs[i].name);
      if (!a.d_parameters.empty() && !b.d_parameters.empty())
        same(a.d_parameters[i], b.d_parameters[i], tolerance, mode, text("gradient by ", data_.specs[i].name));
    }
  }

  /// Backward against central differences of sum(output * d_output), by every input and trained parameter.
  void gradients(const LayerSetup& setup, const std::string& mode) {
    const Result analytic = result(setup, mode);
    LayerSetup forward = setup;
    forward.backward = false;
    const auto loss = [&] {
      const std::vector<double> output = result(forward, mode).output;
      double sum = 0;
      for (std::size_t i = 0; i < output.size(); ++i) sum += output[i] * data_.d_output[i];
      return sum;
    };
    const auto compare = [&](std::vector<double>& values, const std::vector<double>& gradient,
                             const std::string& name) {
      const std::string what = text(mien::detail::layer_title(options_), ", batch ", batch_, ", ", mode,
                                    ", activation ", to_string(setup.activation.kind), ": gradient by ", name);
      if (!gradient.empty()) check_gradients(loss, values, gradient, what, check_.gradients);
    };
    for (std::size_t i = 0; i < data_.inputs.size(); ++i)
      compare(data_.inputs[i], analytic.d_inputs[i], text("input ", i));
    for (std::size_t i = 0; i < data_.specs.size(); ++i)
      compare(data_.parameters[i], analytic.d_parameters[i], data_.specs[i].name);
  }

  /// needs(), in_place() and gradients that nobody wants.
  void memory(const LayerSetup& setup) const {
    const Result expected = result(setup, "training");
    LayerSetup other = setup;
    other.undeclared = LayerSetup::Undeclared::poisoned;
    same(expected, result(other, "with NaN in what needs() does not declare"), 0,
         "with NaN in what needs() does not declare");
    other.undeclared = LayerSetup::Undeclared::absent;
    same(expected, result(other, "without what needs() does not declare"), 0, "without what needs() does not declare");
    other = setup;
    for (other.unwanted_input = 0; other.unwanted_input < static_cast<int>(data_.inputs.size());
         ++other.unwanted_input) {
      const std::string mode = text("without the gradient by input ", other.unwanted_input);
      same(expected, result(other, mode), 0, mode);
    }
    other = setup;
    other.in_place = true;
    if (layer_->in_place() && data_.inputs.size() == 1) same(expected, result(other, "in place"), 0, "in place");
    other = setup;
    other.backward_in_place = true;
    if (layer_->backward_in_place() && setup.pooling == nullptr && data_.inputs.size() == 1)
      same(expected, result(other, "backward in place"), 0, "backward in place");
  }

  void threads(LayerSetup setup, const std::string& mode) const {
    const Result expected = result(setup, mode);
    for (const int threads : {2, 3, 7}) {
      setup.threads = threads;
      const std::string with = text(mode, ", ", threads, " threads");
      same(expected, result(setup, with), 0, with);
    }
  }

  /// make_input_reader() and reports_output().
  void readers(LayerSetup setup) const {
    const Result expected = result(setup, "training");
    for (setup.threads = 1; setup.threads < 4; ++setup.threads) {
      setup.readers = true;
      same(expected, result(setup, "training, with readers"), 0, "training, with readers");
    }
  }

  void unchanged_parameters(const LayerSetup& setup, const std::string& mode) const {
    const Result after = result(setup, mode);
    for (std::size_t i = 0; i < data_.parameters.size(); ++i)
      same(data_.parameters[i], after.parameters[i], 0, mode, text(data_.specs[i].name, " after forward"));
  }

  void identity(const LayerSetup& setup) const {
    if (data_.input_shapes[0] != data_.output_shape) fail("inference", "identity_in_inference, but the shape changes");
    same(data_.inputs[0], result(setup, "inference").output, 0, "inference", "output of identity_in_inference");
  }

  /// as_affine() and absorbs_affine(), which fold batch normalisation for prediction. Both leave the activation out.
  void prediction(LayerSetup setup) const {
    setup.activation = linear;
    const auto channels = static_cast<std::size_t>(data_.output_shape[-1]);
    std::vector<double> scale(channels), shift(channels), expected;
    LayerData data = data_;
    if (layer_->as_affine({}, {}, {})) {
      std::vector<TensorView<double>> parameters;
      for (std::size_t i = 0; i < data.parameters.size(); ++i)
        parameters.emplace_back(data.parameters[i].data(), data.specs[i].shape);
      static_cast<void>(layer_->as_affine(parameters, scale, shift));
      for (std::size_t i = 0; i < data.inputs[0].size(); ++i)
        expected.push_back(scale[i % channels] * data.inputs[0][i] + shift[i % channels]);
      same(expected, result(setup, "inference").output, 1e-12, "inference", "output, as as_affine() has it");
    }
    if (layer_->absorbs_affine()) {
      fill_uniform<double>(scale, check_.seed + 100);
      fill_uniform<double>(shift, check_.seed + 101);
      expected = result(setup, "inference").output;
      for (std::size_t i = 0; i < expected.size(); ++i)
        expected[i] = scale[i % channels] * expected[i] + shift[i % channels];
      const std::size_t place = layer_->affine_kernel();
      data.parameters.resize(place + 2, std::vector<double>(channels));
      std::vector<double>&kernel = data.parameters[place], &bias = data.parameters[place + 1];
      for (std::size_t i = 0; i < kernel.size(); ++i) kernel[i] *= scale[i % channels];
      for (std::size_t i = 0; i < channels; ++i) bias[i] = scale[i] * bias[i] + shift[i];
      same(expected, result(*layer_, data, setup, "affine absorbed").output, 1e-12, "inference",
           "output, affine absorbed");
    }
  }

  /// What the plan may give to a layer that fuses_activation(): the function after the layer, and its gradient.
  void fused(LayerSetup setup) {
    setup.activation = linear;
    const std::vector<double> plain = result(setup, "training, no activation").output;
    for (const ActivationFunction& f : {linear, relu, leaky_relu(0.1), elu, sigmoid, tanh}) {
      setup.activation = f;
      const std::string mode = text("training, fused ", to_string(f.kind));
      std::vector<double> expected = plain;
      kernels::activate(f, static_cast<std::int64_t>(plain.size()), plain.data(), expected.data());
      same(expected, result(setup, mode).output, 1e-12, mode, "output");
      gradients(setup, mode);
      memory(setup);
      readers(setup);
    }
  }

  /// differentiates_input_activation(): the gradient by the argument of what made the input.
  void activation_before(LayerSetup setup) const {
    const Result plain = result(setup, "training");
    for (const ActivationFunction& f : {relu, leaky_relu(0.1), elu, sigmoid, tanh}) {
      setup.input_activation = f;
      const std::string mode = text("training, behind ", to_string(f.kind));
      std::vector<double> expected = plain.d_inputs[0];
      kernels::activate_backward<double>(f, static_cast<std::int64_t>(expected.size()), nullptr, data_.inputs[0].data(),
                                         expected.data(), expected.data());
      same(expected, result(setup, mode).d_inputs[0], 1e-12, mode, "gradient before the activation");
      memory(setup);
    }
  }

  /// fuses_max_pooling(): the layer and a pooling behind it.
  void pooled(LayerSetup setup) {
    const Shape own = data_.output_shape;
    for (const std::int64_t size : {1, 2, 3}) {
      const kernels::ConvGeometry windows = kernels::with_output(
          {.h = own[0], .w = own[1], .c = own[2], .k = own[2], .r = 2, .s = size, .stride_h = 2, .stride_w = size});
      if (windows.oh < 1 || windows.ow < 1) continue;
      for (const ActivationFunction& f : {linear, relu, leaky_relu(0.1)}) {
        if (!layer_->fuses_max_pooling(windows, f)) continue;
        setup.activation = f;
        pooled(setup, windows);
      }
    }
  }
  void pooled(LayerSetup setup, kernels::ConvGeometry windows) {
    const std::string mode =
        text("fused ", to_string(setup.activation.kind), " and max pooling ", windows.r, " x ", windows.s);
    const LayerData before = data_;
    std::vector<double> plain[2];  // in inference and in training
    setup.backward = false;
    for (const bool training : {false, true}) {
      setup.training = training;
      plain[training] = result(setup, mode).output;
    }
    setup.pooling = &windows;
    data_.output_shape = Shape{windows.oh, windows.ow, windows.c};
    data_.d_output.resize(static_cast<std::size_t>(data_.output_shape.size() * batch_));
    kernels::ConvGeometry all = windows;
    all.n = batch_;
    for (const bool training : {false, true}) {
      setup.training = training;
      std::vector<double> expected(data_.d_output.size());
      kernels::max_pool_forward<double>(all, plain[training].data(), expected.data(), nullptr, 1);
      same(expected, result(setup, mode).output, 1e-12, mode, "output");
    }
    setup.backward = true;
    gradients(setup, mode);
    memory(setup);
    threads(setup, mode);
    data_ = before;
  }

  void in_float(const LayerSetup& setup, const std::string& mode) const {
    const auto layer = options_.template make<float>(data_.input_shapes);
    same(result(setup, mode), result<float>(*layer, data_, setup, mode), check_.float_tolerance, mode);
  }

  /// Options read from what visit_options shows make the same layer.
  void round_trip(const LayerSetup& setup) const {
    OptionRecord written = OptionRecord::of(options_);
    Options read;
    written.put_into(read);
    if (written.values() != OptionRecord::of(read).values())
      fail("visit_options", "values change when written and read");
    if (read.output_shape(data_.input_shapes) != data_.output_shape)
      fail("visit_options", "an option of the output's shape is missing");
    const auto layer = read.template make<double>(data_.input_shapes);
    LayerSetup own = setup;
    own.activation = layer->activation();
    same(result(setup, "training"), result(*layer, data_, own, "visit_options"), 0, "visit_options misses an option");
  }

  void view() const {
    if (data_.input_shapes.size() != 1 || data_.input_shapes[0].size() != data_.output_shape.size())
      fail("is_view", text("the output of shape ", data_.output_shape, " is not the input under another shape"));
  }

  const Options& options_;
  const CheckLayerOptions& check_;
  std::unique_ptr<Layer<double>> layer_;
  LayerData data_;
  std::int64_t batch_;
};

}  // namespace detail

/// Runs the layer of `options` on inputs of these shapes (of one sample) and throws CheckFailure unless: it writes
/// every element of its output and gradients, and nothing outside of them and of the memory that it declares; gradients
/// by inputs and parameters are central differences', in training and frozen, for its own activation and those that it
/// fuses; backward reads only what needs() declares; it gives the same bits for 1, 2, 3 and 7 threads and in place;
/// in_place, identity_in_inference, as_affine, absorbs_affine, fuses_max_pooling, differentiates_input_activation,
/// make_input_reader and reports_output hold; float agrees with double; options written and read make the same layer.
/// The layer must be a function of inputs, parameters and pass.random alone.
template <class Options>
void check_layer(const Options& options, const std::vector<Shape>& inputs, const CheckLayerOptions& check = {}) {
  bool thorough = true;
  for (const std::int64_t batch : check.batches) {
    detail::LayerCheck<Options>(options, inputs, batch, check).run(thorough);
    thorough = false;
  }
}

}  // namespace mien::inline v0::testing
