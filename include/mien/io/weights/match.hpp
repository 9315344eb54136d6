#pragma once
// Which tensor of a file is which parameter of a model.

#include <algorithm>
#include <array>
#include <cstddef>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <mien/core/error.hpp>
#include <mien/io/weights/known_names.hpp>
#include <mien/io/weights/model_layers.hpp>
#include <mien/io/weights/placement.hpp>
#include <mien/io/weights/stored_layers.hpp>

namespace mien::inline v0::io {

/// A parameter and where its values come from.
struct ParameterMatch {
  std::size_t parameter = 0;
  const StoredTensor* tensor = nullptr;  ///< null: every element is `fill`
  double fill = 0;
  Placement placement{};
  std::string change{};
};

/// A model's layers and a file's, put together.
struct Matching {
  std::string how;
  std::vector<const StoredLayer*> partners;  ///< of each layer of the model; null without one
  std::vector<ParameterMatch> matches{};
  std::vector<std::size_t> missing{};
  std::vector<std::string> unfit{};  ///< a line for each parameter whose tensor cannot be it
  std::vector<const StoredTensor*> extra{};
  bool from_pytorch = false;  ///< its names are PyTorch's: "weight", "running_var"

  [[nodiscard]] bool is_complete() const { return missing.empty() && unfit.empty() && extra.empty(); }
};

/// The names that a parameter has elsewhere, its own first.
[[nodiscard]] inline std::vector<std::string_view> role_names(std::string_view parameter) {
  if (parameter == "kernel") return {"kernel", "weight"};
  if (parameter == "depthwise_kernel") return {"depthwise_kernel", "kernel", "weight"};  // Keras 3 and PyTorch
  if (parameter == "gamma") return {"gamma", "weight"};
  if (parameter == "beta") return {"beta", "bias"};
  if (parameter == "moving_mean") return {"moving_mean", "running_mean"};
  if (parameter == "moving_variance") return {"moving_variance", "running_var"};
  return {parameter};
}

/// How PyTorch's tensor of that shape becomes the parameter; its shape if it does not fit is left to the caller.
struct Reshaping {
  Shape expected;  ///< of the stored tensor
  Placement placement{};
  std::string change{};
};

/// What a layer of PyTorch stores for a parameter of that shape.
[[nodiscard]] inline Reshaping pytorch_reshaping(const ModelLayer& layer, std::string_view parameter,
                                                 const Shape& shape) {
  const bool depthwise = layer.type == "DepthwiseConv2D";
  if ((parameter == "kernel" || (depthwise && parameter == "depthwise_kernel")) && shape.rank() == 4) {
    const std::int64_t outputs = depthwise ? shape[2] * shape[3] : shape[3], channels = depthwise ? 1 : shape[2];
    return {{outputs, channels, shape[0], shape[1]}, {outputs, channels, shape[0], shape[1]}, "OIHW to HWIO"};
  }
  const bool laid_out = layer.flattened && layer.flattened->size() == shape[0];
  const Shape picture = laid_out ? *layer.flattened : Shape{1, 1, shape.rank() > 0 ? shape[0] : 1};
  const bool mixed = laid_out && picture[0] * picture[1] > 1 && picture[2] > 1;
  const Placement rows{1, picture[2], picture[0], picture[1]};
  if (parameter == "kernel" && shape.rank() == 2)
    return {{shape[1], shape[0]},
            {shape[1], rows.channels, rows.height, rows.width},
            mixed ? "transposed, rows to channels-last order" : "transposed"};
  if (shape.rank() == 1 && mixed && parameter != "bias") return {shape, rows, "to channels-last order"};
  return {shape, {}, {}};
}

/// Puts the parameters of one layer and the tensors of its partner together.
class LayerMatcher {
 public:
  LayerMatcher(const std::vector<Parameter>& parameters, bool by_position, Matching& to)
      : parameters_(parameters), by_position_(by_position), to_(to) {}

  void match(const ModelLayer& layer, const StoredLayer* stored) {
    for (std::size_t i = 0; i < layer.parameters.size(); ++i) {
      const std::size_t index = layer.parameters[i];
      const std::string_view name = std::string_view(parameters_[index].name).substr(layer.name.size() + 1);
      const StoredRole* role = stored == nullptr ? nullptr : find(*stored, i, name);
      if (role != nullptr) {
        add(layer, index, name, *role);
      } else if (stored != nullptr && !by_position_ && does_without(*stored, name)) {
        to_.matches.push_back({.parameter = index,
                               .fill = name == "gamma" ? 1.0 : 0.0,
                               .change = name == "gamma" ? "ones: not stored" : "zeros: not stored"});
      } else {
        to_.missing.push_back(index);
      }
    }
  }
  [[nodiscard]] const std::set<const StoredTensor*>& used() const { return used_; }

 private:
  [[nodiscard]] const StoredRole* find(const StoredLayer& stored, std::size_t i, std::string_view name) const {
    if (by_position_) return i < stored.tensors.size() ? &stored.tensors[i] : nullptr;
    for (const std::string_view role : role_names(name))
      for (const StoredRole& tensor : stored.tensors)
        if (tensor.role == role && !used_.contains(tensor.tensor)) return &tensor;
    return nullptr;
  }
  /// PyTorch's layers without bias, and its normalisations without scale and shift, do the same as ours with zeros and
  /// ones.
  [[nodiscard]] static bool does_without(const StoredLayer& stored, std::string_view name) {
    const auto has = [&](std::string_view role) {
      return std::any_of(stored.tensors.begin(), stored.tensors.end(),
                         [&](const StoredRole& tensor) { return tensor.role == role; });
    };
    return (name == "bias" && has("weight")) || ((name == "gamma" || name == "beta") && has("running_var"));
  }

  void add(const ModelLayer& layer, std::size_t index, std::string_view name, const StoredRole& role) {
    const Parameter& parameter = parameters_[index];
    const StoredTensor& tensor = *role.tensor;
    used_.insert(&tensor);
    const bool renamed = !by_position_ && role.role != name && role.role != "kernel";
    to_.from_pytorch = to_.from_pytorch || renamed;
    const Reshaping reshaping =
        renamed ? pytorch_reshaping(layer, name, parameter.shape) : Reshaping{parameter.shape, {}, {}};
    const DType type = tensor.dtype;
    if (type != DType::f16 && type != DType::bf16 && type != DType::f32 && type != DType::f64) {
      to_.unfit.push_back(text("  no floating point     ", parameter.name, ", in the file ", to_string(type)));
    } else if (tensor.shape != reshaping.expected) {
      to_.unfit.push_back(text("  other shape           ", parameter.name, " ", parameter.shape, ", in the file ",
                               tensor.shape, tensor.name == parameter.name ? "" : " (" + tensor.name + ")",
                               reshaping.expected == parameter.shape ? "" : text(" instead of ", reshaping.expected)));
    } else {
      const bool moves = reshaping.placement.outputs != 0;
      to_.matches.push_back({.parameter = index,
                             .tensor = &tensor,
                             .placement = moves ? reshaping.placement : Placement{},
                             .change = reshaping.change});
    }
  }

  const std::vector<Parameter>& parameters_;
  bool by_position_;
  Matching& to_;
  std::set<const StoredTensor*> used_;
};

/// Finds the partner of every layer, and then of every parameter.
class Matcher {
 public:
  Matcher(const std::vector<ModelLayer>& layers, const std::vector<Parameter>& parameters, const StoredLayers& stored)
      : layers_(layers), parameters_(parameters), stored_(stored) {
    for (const StoredLayer& layer : stored.layers) {
      by_name_.emplace(layer.name, &layer);
      if (!layer.key.empty()) by_key_.emplace(layer.key, &layer);
    }
  }

  /// The matching by names that finds most layers; where it is not complete, the one by order, if that one is.
  [[nodiscard]] Matching match() const {
    Matching best = by_names();
    if (best.is_complete()) return best;
    Matching ordered = by_order(best);
    return ordered.is_complete() ? ordered : best;
  }

 private:
  using Name = std::string (*)(std::string_view);

  [[nodiscard]] Matching by_names() const {
    const std::pair<const char*, Name> ways[] = {{"name", [](std::string_view name) { return std::string(name); }},
                                                 {torchvision_names, torchvision_vgg16_name},
                                                 {torchvision_names, torchvision_resnet50_name},
                                                 {old_keras_names, old_keras_resnet50_name}};
    Matching best;
    std::size_t most = 0;
    const auto consider = [&](const char* how, const auto& partner) {
      Matching candidate{.how = how, .partners = {}};
      std::size_t found = 0;
      for (const ModelLayer& layer : layers_) {
        candidate.partners.push_back(partner(layer));
        if (candidate.partners.back() != nullptr) ++found;
      }
      if (best.how.empty() || found > most) {
        best = std::move(candidate);
        most = found;
      }
    };
    for (const std::string& prefix : prefixes())
      for (const auto& [how, name] : ways)
        consider(how, [&, translate = name](const ModelLayer& layer) {
          const std::string theirs = translate(layer.name);
          return theirs.empty() ? nullptr : find(by_name_, prefix + theirs);
        });
    consider("Keras's keys", [&](const ModelLayer& layer) { return find(by_key_, layer.key); });
    fill_in(best);
    return best;
  }

  /// What may stand before a layer's name: nothing, or what stands before all in the file. PyTorch names a network
  /// inside another "module.", "backbone."; one inside that "module.backbone.".
  [[nodiscard]] std::vector<std::string> prefixes() const {
    std::vector<std::string> prefixes{""};
    if (stored_.by_position || stored_.layers.empty()) return prefixes;
    const std::string& first = stored_.layers.front().name;
    std::size_t common = first.size();
    for (const StoredLayer& layer : stored_.layers)
      common =
          static_cast<std::size_t>(std::mismatch(first.begin(), first.begin() + static_cast<std::ptrdiff_t>(common),
                                                 layer.name.begin(), layer.name.end())
                                       .first -
                                   first.begin());
    constexpr std::size_t most = 5;
    for (std::size_t dot = first.find('.'); dot < common && prefixes.size() < most; dot = first.find('.', dot + 1))
      prefixes.push_back(first.substr(0, dot + 1));
    return prefixes;
  }

  /// The first layer of the model with the first of the file, and so on. Whose name both have must meet himself.
  [[nodiscard]] Matching by_order(const Matching& named) const {
    Matching result{.how = "order of the layers", .partners = {}};
    const bool same_count = layers_.size() == stored_.layers.size();
    for (std::size_t i = 0; i < layers_.size(); ++i) {
      const StoredLayer* partner = same_count ? &stored_.layers[i] : nullptr;
      if (named.partners[i] != nullptr && named.partners[i] != partner) partner = nullptr;
      result.partners.push_back(partner);
    }
    fill_in(result);
    return result;
  }

  void fill_in(Matching& matching) const {
    LayerMatcher matcher(parameters_, stored_.by_position, matching);
    for (std::size_t i = 0; i < layers_.size(); ++i) matcher.match(layers_[i], matching.partners[i]);
    for (const StoredLayer& layer : stored_.layers)
      for (const StoredRole& role : layer.tensors)
        if (!matcher.used().contains(role.tensor)) matching.extra.push_back(role.tensor);
  }

  using Index = std::map<std::string, const StoredLayer*, std::less<>>;
  [[nodiscard]] static const StoredLayer* find(const Index& index, const std::string& name) {
    const auto found = index.find(name);
    return name.empty() || found == index.end() ? nullptr : found->second;
  }

  const std::vector<ModelLayer>& layers_;
  const std::vector<Parameter>& parameters_;
  const StoredLayers& stored_;
  Index by_name_, by_key_;
};

}  // namespace mien::inline v0::io
