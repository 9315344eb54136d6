#pragma once
// One forward and backward pass of a layer, in memory that shows every mistake.

#include <cmath>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include <mien/core/error.hpp>
#include <mien/core/parallel.hpp>
#include <mien/layers/layer.hpp>
#include <mien/testing/check_gradients.hpp>
#include <mien/testing/guarded.hpp>
#include <mien/testing/row_snapshot.hpp>

namespace mien::inline v0::testing {

/// What a layer is run on: one sample's shapes, and values for a batch.
struct LayerData {
  std::vector<Shape> input_shapes;
  Shape output_shape;
  std::vector<ParameterSpec> specs;
  std::vector<std::vector<double>> inputs, parameters;
  std::vector<double> d_output;
};

/// How it is run.
struct LayerSetup {
  std::int64_t batch = 1;
  bool training = true;
  bool trainable = true;
  int threads = 1;
  ActivationFunction activation{};
  bool backward = true;
  bool readers = false;   ///< the layer's own has read its input, another one reads its output, where there are such
  bool in_place = false;  ///< output in the input's memory, d_input in d_output's
  bool backward_in_place = false;                  ///< d_input in d_output's memory
  const kernels::ConvGeometry* pooling = nullptr;  ///< as the pass has it; the output's shape is then the pooled one
  ActivationFunction input_activation{};
  enum class Undeclared { kept, poisoned, absent } undeclared = Undeclared::kept;  ///< what backward does not need
  int unwanted_input = -1;                                                         ///< whose gradient nobody wants
};

/// What it left.
template <class T>
struct LayerResult {
  std::vector<T> output;
  std::vector<std::vector<T>> parameters, d_inputs, d_parameters;
};

namespace detail {

/// A tensor in guarded memory.
template <class T>
class GuardedTensor {
 public:
  GuardedTensor(std::string name, const Shape& shape)
      : name_(std::move(name)), shape_(shape), memory_(static_cast<std::size_t>(shape.size()) * sizeof(T)) {}
  GuardedTensor(std::string name, const Shape& shape, const std::vector<double>& values)
      : GuardedTensor(std::move(name), shape) {
    for (std::size_t i = 0; i < values.size(); ++i) view()[static_cast<std::int64_t>(i)] = static_cast<T>(values[i]);
  }
  [[nodiscard]] TensorView<T> view() const { return {reinterpret_cast<T*>(memory_.data()), shape_}; }
  [[nodiscard]] TensorView<T> absent() const { return {nullptr, shape_}; }
  void poison() { memory_.poison(); }
  /// The values. Throws CheckFailure if one of them is NaN or a guard was written to.
  [[nodiscard]] std::vector<T> values() const {
    check_guards();
    for (std::int64_t i = 0; i < view().size(); ++i)
      if (std::isnan(view()[i]))
        throw CheckFailure(text(name_, " of shape ", shape_, ": element ", i, " is NaN or was never written"));
    return {view().begin(), view().end()};
  }
  void check_guards() const {
    if (!memory_.intact()) throw CheckFailure(text(name_, " of shape ", shape_, ": written to outside of its memory"));
  }

 private:
  std::string name_;
  Shape shape_;
  Guarded memory_;
};

inline void check_guards(const Guarded& memory, const char* name) {
  if (!memory.intact())
    throw CheckFailure(text(name, ": written to outside of the ", memory.size(), " bytes that the layer declares"));
}

}  // namespace detail

/// Runs a layer. Throws CheckFailure on memory written outside of what was given and on results that are NaN.
template <class T>
class LayerRun {
 public:
  LayerRun(const Layer<T>& layer, const LayerData& data, const LayerSetup& setup)
      : layer_(layer), data_(data), setup_(setup), output_("output", data.output_shape.with_batch(setup.batch)) {
    for (std::size_t i = 0; i < data.inputs.size(); ++i)
      inputs_.emplace_back(text("input ", i), data.input_shapes[i].with_batch(setup.batch), data.inputs[i]);
    for (std::size_t i = 0; i < data.parameters.size(); ++i) {
      const bool declared = i < data.specs.size();
      const Shape shape = declared ? data.specs[i].shape : Shape{static_cast<std::int64_t>(data.parameters[i].size())};
      parameters_.emplace_back(declared ? data.specs[i].name : "a bias beyond the declared parameters", shape,
                               data.parameters[i]);
      parameter_views_.push_back(parameters_.back().view());
    }
  }

  [[nodiscard]] LayerResult<T> run() {
    LayerResult<T> result;
    forward();
    result.output = output().values();
    if (setup_.backward) backward(result);
    for (const auto& parameter : parameters_) result.parameters.push_back(parameter.values());
    for (const auto& input : inputs_) input.check_guards();
    detail::check_guards(saved_, "saved");
    return result;
  }

 private:
  [[nodiscard]] detail::GuardedTensor<T>& output() { return setup_.in_place ? inputs_[0] : output_; }
  [[nodiscard]] Pass pass() const {
    return {setup_.batch,
            setup_.training,
            setup_.trainable,
            setup_.threads,
            {.seed = 5, .purpose = 1, .step = 2},
            setup_.activation,
            setup_.pooling,
            setup_.input_activation};
  }
  [[nodiscard]] std::byte* saved() const { return setup_.training ? saved_.data() : nullptr; }

  void forward() {
    const Guarded workspace(layer_.forward_workspace(setup_.batch, setup_.threads));
    if (setup_.training) saved_ = Guarded(layer_.saved_bytes(setup_.batch));
    std::vector<TensorView<const T>> inputs;
    for (const auto& input : inputs_) inputs.push_back(input.view());
    ForwardPass<T> forward{{pass()}, inputs, output().view(), parameter_views_, saved(), workspace.data()};
    if (setup_.readers)
      forward_with_readers(forward);
    else
      layer_.forward(forward);
    detail::check_guards(workspace, "workspace of forward");
    if (setup_.training) detail::check_guards(saved_, "saved");
  }

  void forward_with_readers(ForwardPass<T>& pass) {
    const Guarded memory(layer_.input_reader_bytes(setup_.batch));
    if (memory.size() > 0) {
      const TensorView<const T> input = pass.inputs[0];
      kernels::RowReader* const reader = layer_.make_input_reader(setup_.batch, input.data(), memory.data());
      if (reader == nullptr) throw CheckFailure("input_reader_bytes(), but make_input_reader() makes none");
      // Each row twice, a part of its columns at a time: who writes an input may share out either.
      const std::int64_t columns = input.shape()[-1], rows = input.size() / columns;
      parallel_for(setup_.threads, 2 * rows, [&](std::int64_t task, int) {
        reader->finished(task % rows, 1, task < rows ? columns / 2 : columns - columns / 2);
      });
      pass.input_reader = reader;
    }
    const std::int64_t columns = pass.output.shape()[-1];
    RowSnapshot<T> snapshot(pass.output.size() / columns, columns, pass.output.data(), columns);
    const bool reports = layer_.reports_output(setup_.activation);
    if (reports) pass.output_reader = &snapshot;
    layer_.forward(pass);
    detail::check_guards(memory, "input reader");
    if (reports && !snapshot.complete())
      throw CheckFailure("reports_output(), but the reader was not told of each value once, when it stood");
  }

  void backward(LayerResult<T>& result) {
    using Undeclared = LayerSetup::Undeclared;
    BackwardNeeds needs = layer_.needs(setup_.activation);
    needs.output = needs.output || setup_.input_activation != linear;
    const bool shared = setup_.in_place || setup_.backward_in_place;
    const Guarded workspace(layer_.backward_workspace(setup_.batch, setup_.threads));
    detail::GuardedTensor<T> d_output("d_output", data_.output_shape.with_batch(setup_.batch), data_.d_output);
    std::vector<detail::GuardedTensor<T>> d_inputs, d_parameters;
    std::vector<TensorView<const T>> inputs;
    std::vector<TensorView<T>> d_input_views, d_parameter_views;
    if (setup_.undeclared == Undeclared::poisoned && !needs.output && !(setup_.in_place && needs.inputs))
      output().poison();
    for (std::size_t i = 0; i < inputs_.size(); ++i) {
      if (setup_.undeclared == Undeclared::poisoned && !needs.inputs && !setup_.in_place) inputs_[i].poison();
      const bool absent = setup_.undeclared == Undeclared::absent && !needs.inputs;
      inputs.push_back(absent ? inputs_[i].absent() : inputs_[i].view());
      d_inputs.emplace_back(text("gradient by input ", i), data_.input_shapes[i].with_batch(setup_.batch));
      const bool unwanted = static_cast<int>(i) == setup_.unwanted_input;
      d_input_views.push_back(unwanted ? d_inputs[i].absent()
                              : shared ? TensorView<T>(d_output.view().data(), inputs_[i].view().shape())
                                       : d_inputs[i].view());
    }
    for (const ParameterSpec& spec : data_.specs) {
      d_parameters.emplace_back(text("gradient by ", spec.name), spec.shape);
      const bool wanted = setup_.trainable && spec.trainable;
      d_parameter_views.push_back(wanted ? d_parameters.back().view() : d_parameters.back().absent());
    }
    const bool no_output = setup_.undeclared == Undeclared::absent && !needs.output;
    layer_.backward({pass(), inputs, no_output ? output().absent() : output().view(), d_output.view(), d_input_views,
                     parameter_views_, d_parameter_views, saved(), workspace.data()});
    detail::check_guards(workspace, "workspace of backward");
    d_output.check_guards();
    for (std::size_t i = 0; i < d_inputs.size(); ++i) {
      const auto& memory = shared ? d_output : d_inputs[i];
      result.d_inputs.push_back(d_input_views[i] ? memory.values() : std::vector<T>{});
    }
    for (std::size_t i = 0; i < d_parameters.size(); ++i)
      result.d_parameters.push_back(d_parameter_views[i] ? d_parameters[i].values() : std::vector<T>{});
  }

  const Layer<T>& layer_;
  const LayerData& data_;
  LayerSetup setup_;
  std::vector<detail::GuardedTensor<T>> inputs_, parameters_;
  std::vector<TensorView<T>> parameter_views_;
  detail::GuardedTensor<T> output_;
  Guarded saved_;
};

}  // namespace mien::inline v0::testing
