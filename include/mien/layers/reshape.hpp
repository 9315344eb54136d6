#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include <mien/layers/flatten.hpp>

namespace mien::inline v0 {

/// Each sample under another shape, its numbers in the order of memory. Costs nothing.
/// Input: (N, ...). Output: (N, target_shape). No parameters. Throws OptionError on extents below 1 other than one -1,
/// ShapeError if the numbers of elements differ.
///
///     Node y = Reshape{.target_shape = {-1, 16}}(x);      // (8, 8, 4) -> (16, 16)
struct Reshape {
  static constexpr const char* type = "Reshape";

  std::vector<std::int64_t> target_shape{};  ///< without the batch; one extent may be -1: whatever is left
  std::string name{};                        ///< default: "reshape", "reshape_1", ...
  bool trainable = true;                     ///< without effect: there are no parameters

  [[nodiscard]] Shape output_shape(std::span<const Shape> inputs) const {
    const Shape& x = detail::single_input(*this, inputs);
    std::vector<std::int64_t> extents = target_shape;
    const auto open = std::find(extents.begin(), extents.end(), -1);
    if (open != extents.end()) *open = 1;
    if (extents.empty() || std::any_of(extents.begin(), extents.end(), [](auto n) { return n < 1; }))
      throw OptionError(text(detail::layer_title(*this), " expected a target_shape of positive extents, one of them ",
                             "perhaps -1, got (", join(target_shape), ")"));
    if (const std::int64_t rest = Shape(extents).size(); open != extents.end() && x.size() % rest == 0)
      *open = x.size() / rest;
    if (const Shape shape(extents); shape.size() == x.size()) return shape;
    throw ShapeError(text(detail::layer_title(*this), " cannot give its input of shape ", x, ", ", x.size(),
                          " numbers, the target_shape (", join(target_shape), ")"));
  }
  template <class T>
  [[nodiscard]] std::unique_ptr<Layer<T>> make(std::span<const Shape> inputs) const;
  void visit_options(OptionVisitor& visit) { visit("target_shape", target_shape); }
  template <class = void>
  [[nodiscard]] Node operator()(const Node& x) const {
    return apply(*this, {x});
  }
};

template <class T>
std::unique_ptr<Layer<T>> Reshape::make(std::span<const Shape>) const {
  return std::make_unique<FlattenLayer<T>>();
}

}  // namespace mien::inline v0
