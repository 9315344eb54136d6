#pragma once
// Architecture as data: a node is a layer's options applied to other nodes. No weights, no scalar type.

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <mien/core/error.hpp>
#include <mien/core/shape.hpp>
#include <mien/fwd.hpp>
#include <mien/graph/options.hpp>

namespace mien::inline v0 {

/// A layer's options behind one interface. Implemented once, by LayerSpecOf, for every options struct.
class LayerSpec {
 public:
  virtual ~LayerSpec() = default;
  /// The name of the class, as Keras has it: "Conv2D".
  [[nodiscard]] virtual std::string_view type() const = 0;
  /// The name that the user gave, or "": the model then makes one up.
  [[nodiscard]] virtual const std::string& name() const = 0;
  /// Whether the options leave the parameters trainable at first.
  [[nodiscard]] virtual bool trainable() const = 0;
  /// Shows a copy of the options to the visitor.
  virtual void visit_options(OptionVisitor& visitor) const = 0;
  [[nodiscard]] virtual std::unique_ptr<Layer<float>> make(ScalarTag<float>, std::span<const Shape> inputs) const = 0;
  [[nodiscard]] virtual std::unique_ptr<Layer<double>> make(ScalarTag<double>, std::span<const Shape> inputs) const = 0;
};

/// A tensor of the graph: the output of a layer applied to other nodes. A cheap handle; nodes share ownership of all
/// they stand on. Shapes are those of one sample, without the batch.
class Node {
 public:
  Node(std::shared_ptr<const LayerSpec> layer, std::vector<Node> inputs, const Shape& shape)
      : data_(std::make_shared<const Data>(std::move(layer), std::move(inputs), shape)) {}

  [[nodiscard]] const LayerSpec& layer() const { return *data_->layer; }
  [[nodiscard]] const std::vector<Node>& inputs() const { return data_->inputs; }
  [[nodiscard]] const Shape& shape() const { return data_->shape; }
  /// Equal for handles of the same node, and for these only.
  [[nodiscard]] const void* id() const { return data_.get(); }

 private:
  struct Data {
    Data(std::shared_ptr<const LayerSpec> l, std::vector<Node> i, const Shape& s)
        : layer(std::move(l)), inputs(std::move(i)), shape(s) {}
    std::shared_ptr<const LayerSpec> layer;
    std::vector<Node> inputs;
    Shape shape;
  };
  std::shared_ptr<const Data> data_;
};

/// The LayerSpec of an options struct. The struct has
///
///     static constexpr const char* type = "Scale";               // the class's name
///     std::string name{};                                        // among its members
///     Shape output_shape(std::span<const Shape> inputs) const;   // of one sample; throws ShapeError or OptionError
///     template <class T> std::unique_ptr<Layer<T>> make(std::span<const Shape> inputs) const;
///     void visit_options(OptionVisitor& visit);                  // every member but name and trainable; optional:
///     without it
///                                                                // a model cannot be saved
///     bool trainable = true;                                     // optional
template <class Options>
class LayerSpecOf final : public LayerSpec {
 public:
  explicit LayerSpecOf(Options options) : options_(std::move(options)) {}

  [[nodiscard]] std::string_view type() const override { return Options::type; }
  [[nodiscard]] const std::string& name() const override { return options_.name; }
  [[nodiscard]] bool trainable() const override {
    if constexpr (requires { options_.trainable; }) return options_.trainable;
    return true;
  }
  void visit_options(OptionVisitor& visitor) const override {
    if constexpr (requires(Options o) { o.visit_options(visitor); }) {
      Options copy = options_;
      copy.visit_options(visitor);
    } else {
      throw OptionError(
          text("layer '", name(), "' (", type(), ") cannot be saved: its options struct has no visit_options"));
    }
  }
  [[nodiscard]] std::unique_ptr<Layer<float>> make(ScalarTag<float>, std::span<const Shape> inputs) const override {
    return options_.template make<float>(inputs);
  }
  [[nodiscard]] std::unique_ptr<Layer<double>> make(ScalarTag<double>, std::span<const Shape> inputs) const override {
    return options_.template make<double>(inputs);
  }

 private:
  Options options_;
};

/// The node of a layer applied to inputs: what the call operator of every options struct returns. The shape is worked
/// out, and the options are checked, here.
template <class Options>
[[nodiscard]] Node apply(const Options& options, std::vector<Node> inputs) {
  std::vector<Shape> shapes;
  for (const Node& input : inputs) shapes.push_back(input.shape());
  const Shape shape = options.output_shape(shapes);
  return Node(std::make_shared<const LayerSpecOf<Options>>(options), std::move(inputs), shape);
}

namespace detail {
/// "layer 'conv_1' (Conv2D)", or "layer Conv2D" without a name: how every message about a layer begins.
template <class Options>
[[nodiscard]] std::string layer_title(const Options& options) {
  return options.name.empty() ? text("layer ", Options::type)
                              : text("layer '", options.name, "' (", Options::type, ")");
}

/// Throws ShapeError unless there is exactly one input.
template <class Options>
const Shape& single_input(const Options& options, std::span<const Shape> inputs) {
  if (inputs.size() != 1) throw ShapeError(text(layer_title(options), " takes one input, got ", inputs.size()));
  return inputs[0];
}

/// Throws ShapeError unless there is exactly one input, of that rank (without the batch).
template <class Options>
const Shape& single_input(const Options& options, std::span<const Shape> inputs, int rank, const char* meaning) {
  if (single_input(options, inputs).rank() != rank)
    throw ShapeError(
        text(layer_title(options), " expected an input of shape ", meaning, " without the batch, got ", inputs[0]));
  return inputs[0];
}
}  // namespace detail

}  // namespace mien::inline v0
