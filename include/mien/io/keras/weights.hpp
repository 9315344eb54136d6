#pragma once
// Which tensor of a Keras file is which parameter of the graph that was built from it.

#include <algorithm>
#include <cstddef>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <mien/io/formats/keras_hdf5.hpp>
#include <mien/io/formats/keras_keys.hpp>
#include <mien/io/keras/graph.hpp>
#include <mien/model/parameters.hpp>

namespace mien::inline v0::io {

/// A parameter, and the layer that it belongs to as the file has it.
struct KerasParameter {
  std::size_t place = 0;  ///< in the model's parameters()
  std::string name;       ///< "kernel"
  const KerasItem* item = nullptr;
};

/// Pairs a model's parameters with a file's tensors, by the file's own rules. What does not fit is told by problems().
class KerasWeightMap {
 public:
  KerasWeightMap(const std::vector<Parameter>& parameters, const KerasItem& root, const KerasHdf5File& file)
      : parameters_(parameters), file_(file), tensors_(parameters.size()) {
    for (std::size_t i = 0; i < parameters.size(); ++i) {
      const std::string& name = parameters[i].name;
      const std::size_t cut = name.rfind('/');
      of_layer_[name.substr(0, cut)].push_back({i, name.substr(cut + 1)});
    }
    if (file.layout() == KerasLayout::variables)
      match_keys(root, "layers/");
    else
      for (const KerasItem& item : root.inner) match_group(item);
  }

  /// The tensor of each parameter.
  [[nodiscard]] const std::vector<const StoredTensor*>& tensors() const { return tensors_; }
  /// One line for each parameter without a tensor that fits it; empty if all is well.
  [[nodiscard]] std::string problems() const {
    std::vector<std::string> lines = counts_;
    for (std::size_t i = 0; i < parameters_.size(); ++i) {
      const std::string what = text(parameters_[i].name, " ", parameters_[i].shape);
      if (tensors_[i] == nullptr)
        lines.push_back("  missing in the file   " + what);
      else if (tensors_[i]->shape != parameters_[i].shape)
        lines.push_back(
            text("  other shape           ", what, ", in the file ", tensors_[i]->name, " ", tensors_[i]->shape));
      else if (tensors_[i]->dtype != DType::f32 && tensors_[i]->dtype != DType::f64)
        lines.push_back(text("  not F32 or F64        ", what, ", in the file ", to_string(tensors_[i]->dtype)));
    }
    return join(lines, "\n");
  }

 private:
  using List = std::vector<KerasParameter>;

  [[nodiscard]] List parameters_of(const KerasItem& item) const {
    List list;
    if (const auto found = of_layer_.find(item.name); !item.name.empty() && found != of_layer_.end())
      list = found->second;
    for (KerasParameter& parameter : list) parameter.item = &item;
    return list;
  }

  /// Keras 3: layers/<key>/vars/<number>, a model inside with layers/ of its own.
  void match_keys(const KerasItem& model, const std::string& prefix) {
    KerasKeys keys;
    for (const KerasItem& item : model.inner) {
      const std::string path = prefix + keys.next(item.class_name);
      match_keys(item, path + "/layers/");
      const List list = parameters_of(item);
      for (std::size_t i = 0; i < list.size(); ++i) tensors_[list[i].place] = file_.find(text(path, "/vars/", i));
    }
  }

  /// Keras 2: a group for each layer, and one for a model inside: all of its weights.
  void match_group(const KerasItem& item) {
    std::vector<const StoredTensor*> group;
    for (const StoredTensor& tensor : file_.tensors())
      if (tensor.layer == item.file_name) group.push_back(&tensor);
    const List in_order = all_parameters(item);
    if (in_order.empty()) return;
    for (const List& list : {saved_order(in_order, true), saved_order(in_order, false), in_order})
      if (fits(list, group)) return take(list, group);
    take(in_order, group);  // problems() will tell
    if (in_order.size() != group.size())
      counts_.push_back(text("  other number          '", item.file_name, "' has ", in_order.size(),
                             " weights, in the file ", group.size()));
  }
  [[nodiscard]] List all_parameters(const KerasItem& item) const {
    List list = parameters_of(item);
    for (const KerasItem& inner : item.inner) {
      const List more = all_parameters(inner);
      list.insert(list.end(), more.begin(), more.end());
    }
    return list;
  }
  /// Keras lists what is trained before the rest, each in the layers' order: `frozen` layers, if they are minded, have
  /// nothing that is trained.
  [[nodiscard]] List saved_order(List list, bool frozen) const {
    std::stable_partition(list.begin(), list.end(), [&](const KerasParameter& p) {
      return !parameters_[p.place].statistic && (!frozen || p.item->trainable);
    });
    return list;
  }
  [[nodiscard]] bool fits(const List& list, const std::vector<const StoredTensor*>& group) const {
    if (list.size() != group.size()) return false;
    for (std::size_t i = 0; i < list.size(); ++i)
      if (group[i]->shape != parameters_[list[i].place].shape || !alike(list[i].name, group[i]->name)) return false;
    return true;
  }
  void take(const List& list, const std::vector<const StoredTensor*>& group) {
    for (std::size_t i = 0; i < std::min(list.size(), group.size()); ++i) tensors_[list[i].place] = group[i];
  }
  /// Whether a weight "conv2d_1/kernel:0" may be the parameter "kernel": not if its name is that of another one.
  [[nodiscard]] static bool alike(std::string_view parameter, std::string_view weight) {
    weight = weight.substr(weight.rfind('/') + 1);
    weight = weight.substr(0, weight.find(':'));
    if (weight == parameter || (weight == "kernel" && parameter == "depthwise_kernel")) return true;
    constexpr std::string_view names[] = {"kernel", "bias", "depthwise_kernel", "pointwise_kernel",
                                          "gamma",  "beta", "moving_mean",      "moving_variance"};
    return std::find(std::begin(names), std::end(names), weight) == std::end(names);
  }

  const std::vector<Parameter>& parameters_;
  const KerasHdf5File& file_;
  std::map<std::string, List> of_layer_;
  std::vector<const StoredTensor*> tensors_;
  std::vector<std::string> counts_;
};

}  // namespace mien::inline v0::io
