#pragma once

#include <algorithm>
#include <cstring>
#include <string>
#include <vector>

#include <mien/core/memory.hpp>
#include <mien/core/random.hpp>
#include <mien/core/tensor.hpp>
#include <mien/model/network.hpp>

namespace mien::inline v0 {

/// One parameter of a model: where it stands in the block, and what its layer said of it.
struct Parameter {
  int node = 0;
  std::string name;  ///< "layer/kernel"
  Shape shape;
  std::int64_t offset = 0;  ///< in elements from the start of the block
  bool statistic = false;   ///< moving means and variances: updated by forward, without a gradient
  Initializer initializer{};
  Regularizer regularizer{};
};

/// Where every parameter of a network stands in one block of memory: what gradients reach first, in the order of the
/// layers, then the statistics. The optimizer's moments are blocks of the same layout without the statistics; gradients
/// have a GradientWindow.
template <class T>
class ParameterLayout {
 public:
  explicit ParameterLayout(const Network<T>& network) {
    for (int node = 0; node < network.size(); ++node)
      for (const ParameterSpec& spec : network.parameter_specs[static_cast<std::size_t>(node)])
        all_.push_back({.node = node,
                        .name = network.graph.names[static_cast<std::size_t>(node)] + "/" + spec.name,
                        .shape = spec.shape,
                        .statistic = !spec.trainable,
                        .initializer = spec.initializer,
                        .regularizer = spec.regularizer});
    place(false);
    gradient_size_ = size_;
    place(true);
  }

  /// In the order of the layers, each layer's in the order that it declared: the order of Keras's files.
  [[nodiscard]] const std::vector<Parameter>& all() const { return all_; }
  [[nodiscard]] std::int64_t size() const { return size_; }                    ///< elements of the whole block
  [[nodiscard]] std::int64_t gradient_size() const { return gradient_size_; }  ///< elements without the statistics

  /// Elements that a parameter takes in a block: whole cache lines.
  [[nodiscard]] static std::int64_t room(const Parameter& parameter) {
    constexpr auto line = static_cast<std::int64_t>(cache_line / sizeof(T));
    return (parameter.shape.size() + line - 1) / line * line;
  }

 private:
  /// Gives the statistics, or the others, their places behind one another.
  void place(bool statistics) {
    for (Parameter& parameter : all_) {
      if (parameter.statistic != statistics) continue;
      parameter.offset = size_;
      size_ += room(parameter);
    }
  }

  std::vector<Parameter> all_;
  std::int64_t size_ = 0, gradient_size_ = 0;
};

/// What layers are given of a block of numbers: a view of each parameter.
template <class T>
class ParameterViews {
 public:
  /// `data(i)` is where parameter i stands, or null.
  template <class Data>
  ParameterViews(const ParameterLayout<T>& layout, const Data& data) {
    for (std::size_t i = 0; i < layout.all().size(); ++i) {
      const Parameter& parameter = layout.all()[i];
      const auto node = static_cast<std::size_t>(parameter.node);
      if (node >= nodes_.size()) nodes_.resize(node + 1);
      nodes_[node].emplace_back(data(i), parameter.shape);
      flat_.push_back(nodes_[node].back());
    }
  }

  /// A node's parameters, in the order of declaration.
  [[nodiscard]] std::span<const TensorView<T>> of(int node) const {
    if (static_cast<std::size_t>(node) >= nodes_.size()) return {};
    return nodes_[static_cast<std::size_t>(node)];
  }
  /// Parameter i of the layout's all().
  [[nodiscard]] const TensorView<T>& operator[](std::size_t i) const { return flat_[i]; }

 private:
  std::vector<std::vector<TensorView<T>>> nodes_;
  std::vector<TensorView<T>> flat_;
};

/// A block of numbers in a layout, and the views of it that layers are given.
template <class T>
class ParameterBlock {
 public:
  /// Zeros. `with_statistics` false: a block for moments, whose views of statistics have no data.
  ParameterBlock(const ParameterLayout<T>& layout, bool with_statistics)
      : values_(Shape{with_statistics ? layout.size() : layout.gradient_size()}), views_(layout, [&](std::size_t i) {
          const Parameter& parameter = layout.all()[i];
          return parameter.statistic && !with_statistics ? nullptr : values_.data() + parameter.offset;
        }) {}
  ParameterBlock(ParameterBlock&&) noexcept = default;
  ParameterBlock& operator=(ParameterBlock&&) noexcept = default;
  ParameterBlock(const ParameterBlock&) = delete;
  ParameterBlock& operator=(const ParameterBlock&) = delete;
  ~ParameterBlock() = default;

  /// A node's parameters, in the order of declaration.
  [[nodiscard]] std::span<const TensorView<T>> of(int node) const { return views_.of(node); }
  /// Parameter i of the layout's all().
  [[nodiscard]] const TensorView<T>& operator[](std::size_t i) const { return views_[i]; }
  [[nodiscard]] Tensor<T>& values() { return values_; }
  [[nodiscard]] const Tensor<T>& values() const { return values_; }

 private:
  Tensor<T> values_;
  ParameterViews<T> views_;
};

/// Draws every parameter's first values: each from a stream of its own, so that one layer more does not change the
/// others' numbers.
template <class T>
void initialize(const ParameterLayout<T>& layout, std::uint64_t seed, const ParameterBlock<T>& block) {
  for (std::size_t i = 0; i < layout.all().size(); ++i) {
    const Parameter& parameter = layout.all()[i];
    std::vector<double> values(static_cast<std::size_t>(parameter.shape.size()));
    initialize(parameter.initializer, parameter.shape, {seed, random_purpose::initializer, i}, values);
    std::transform(values.begin(), values.end(), block[i].begin(), [](double v) { return static_cast<T>(v); });
  }
}

}  // namespace mien::inline v0
