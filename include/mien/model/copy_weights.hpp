#pragma once

#include <algorithm>
#include <string>
#include <unordered_map>
#include <vector>

#include <mien/model/model.hpp>

namespace mien::inline v0 {

/// Copies the parameters that both models have, by their names ("block1_conv1/kernel"): a base into the network that
/// stands on it, a head that was trained by itself, or back. Returns how many were copied. Throws OptionError if there
/// is none, ShapeError if a parameter has other shapes in the two; then nothing was copied.
///
///     load_weights(base, "vgg16.safetensors");
///     copy_weights(base, whole);
template <class T>
int copy_weights(const Model<T>& from, Model<T>& to) {
  std::unordered_map<std::string, std::size_t> known;
  for (std::size_t i = 0; i < from.parameters().size(); ++i) known.emplace(from.parameters()[i].name, i);
  std::vector<std::pair<std::size_t, std::size_t>> pairs;
  for (std::size_t i = 0; i < to.parameters().size(); ++i) {
    const Parameter& own = to.parameters()[i];
    const auto found = known.find(own.name);
    if (found == known.end()) continue;
    if (const Shape& shape = from.parameters()[found->second].shape; shape != own.shape)
      throw ShapeError(text("copy_weights: '", own.name, "' is ", shape, " in model '", from.name(), "' and ",
                            own.shape, " in model '", to.name(), "'; nothing was copied"));
    pairs.emplace_back(found->second, i);
  }
  if (pairs.empty())
    throw OptionError(text("copy_weights: models '", from.name(), "' and '", to.name(),
                           "' have no parameter of the same name; layers are given names with .name"));
  ParameterBlock<T>& values = to.values();
  for (const auto& [source, target] : pairs)
    std::copy(from.values()[source].begin(), from.values()[source].end(), values[target].begin());
  return static_cast<int>(pairs.size());
}

}  // namespace mien::inline v0
