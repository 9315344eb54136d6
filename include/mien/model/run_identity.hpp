#pragma once
// What a run and the one that takes it up must have in common, as lines of text: a checkpoint holds them, and the first
// one that differs says what is another.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <mien/core/error.hpp>
#include <mien/data/dataset.hpp>
#include <mien/graph/options.hpp>
#include <mien/model/fit_options.hpp>
#include <mien/model/model.hpp>

namespace mien::inline v0::detail {

/// Options as ", name value" one after the other.
class OptionText final : public OptionVisitor {
 public:
  void operator()(const char* name, bool& value) override { add(name, value); }
  void operator()(const char* name, std::int64_t& value) override { add(name, value); }
  void operator()(const char* name, double& value) override { add(name, value); }
  void operator()(const char* name, std::string& value) override { add(name, value); }
  void operator()(const char* name, std::vector<double>& value) override { add_all(name, value); }
  void operator()(const char* name, std::vector<std::int64_t>& value) override { add_all(name, value); }
  void operator()(const char* name, Size2D& value) override { add(name, value); }
  void operator()(const char* name, std::optional<Size2D>& value) override {
    add(name, value ? value->to_string() : "none");
  }
  void operator()(const char* name, Border2D& value) override {
    add(name, text(value.top, " ", value.bottom, " ", value.left, " ", value.right));
  }
  void operator()(const char* name, Padding& value) override { add(name, value == Padding::same ? "same" : "valid"); }
  void operator()(const char* name, Arithmetic& value) override {
    add(name, value == Arithmetic::strict ? "strict" : "fast");
  }
  void operator()(const char* name, ActivationFunction& value) override {
    add(name, text(to_string(value.kind), " ", value.alpha));
  }
  void operator()(const char* name, Initializer& value) override {
    add(name, text(value.name, " ", value.a, " ", value.b));
  }
  void operator()(const char* name, Regularizer& value) override { add(name, text(value.l1, " ", value.l2)); }

  [[nodiscard]] std::string take() { return std::move(text_); }

 private:
  template <class X>
  void add(const char* name, const X& value) {
    text_ += text(", ", name, " ", value);
  }
  template <class X>
  void add_all(const char* name, const std::vector<X>& values) {
    text_ += text(", ", name);
    for (const X& value : values) text_ += text(" ", value);
  }
  std::string text_;
};

template <class Options>
[[nodiscard]] std::string options_as_text(const Options& options) {
  OptionText lines;
  options.visit_options(lines);
  return lines.take();
}

/// Samples, their shape, and how many there are of each class. Not the values: to read them all again would cost a part
/// of an epoch.
[[nodiscard]] inline std::string describe_data(const Dataset& data) {
  std::string line = text(data.size(), " samples of ", data.sample_shape());
  if (!data.has_labels()) return line;
  const std::vector<std::int64_t> counts = data.class_counts();
  for (std::size_t i = 0; i < counts.size(); ++i) line += text(", ", counts[i], " ", data.class_names()[i]);
  return line;
}

/// A line for each layer: what it is called, what it is, what it reads, its options.
template <class T>
[[nodiscard]] std::string describe_layers(const Model<T>& model) {
  const Topology& graph = model.network().graph;
  std::string lines = text("\ninput ", model.input_shape());
  for (int node = 1; node < graph.size(); ++node) {
    const auto i = static_cast<std::size_t>(node);
    lines += text("\n", graph.names[i], " ", graph.nodes[i].layer().type(), ", of");
    for (const int source : graph.inputs[i]) lines += text(" ", graph.names[static_cast<std::size_t>(source)]);
    lines += options_as_text(graph.nodes[i].layer());
  }
  for (const Parameter& parameter : model.parameters())
    lines += text("\n", parameter.name, " ", parameter.shape, model.is_trainable(parameter.node) ? "" : ", frozen");
  return lines;
}

/// All of it. The number of epochs is not among them: a run may be prolonged.
template <class T>
[[nodiscard]] std::string run_identity(const Model<T>& model, const Dataset& data,
                                       const std::optional<Dataset>& validation, const FitOptions& fit) {
  const CompileOptions& options = model.trainer().options();
  std::string lines =
      text("seed ", model.seed(), "\nbits of a number: ", 8 * sizeof(T), "\narithmetic ",
           model.arithmetic() == Arithmetic::strict ? "strict" : "fast", model.autotune() ? ", autotuned" : "");
  lines += describe_layers(model);
  lines += text("\noptimizer ", options.optimizer->type(), options_as_text(*options.optimizer), "\nloss ",
                options.loss->type(), options_as_text(*options.loss));
  lines += text("\nbatch size ", fit.batch_size, fit.shuffle ? "" : ", in order", "\nclass weights");
  for (const double weight : fit.class_weight) lines += text(" ", weight);
  lines += text("\ntraining data ", describe_data(data));
  lines += text("\nvalidation data ", validation ? describe_data(*validation) : "none");
  return lines;
}

}  // namespace mien::inline v0::detail
