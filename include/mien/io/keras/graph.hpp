#pragma once
// The architecture of a Keras model, Sequential or functional, models inside it included, as a graph of mien.

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <mien/io/architecture.hpp>
#include <mien/io/keras/call.hpp>
#include <mien/io/keras/load_options.hpp>
#include <mien/io/keras/options.hpp>
#include <mien/io/layer_factory.hpp>
#include <mien/layers/activation.hpp>
#include <mien/layers/input.hpp>

namespace mien::inline v0::io {

/// A layer of a Keras model, or a model inside it, as the file lists it.
struct KerasItem {
  std::string file_name;           ///< its name in the file
  std::string class_name;          ///< Keras's
  std::string name{};              ///< in mien; empty for models, inputs, and layers that the output does not depend on
  bool trainable = true;           ///< it and every model around it
  bool held = false;               ///< a batch normalisation that is called with training=False
  std::vector<KerasItem> inner{};  ///< a model's layers
};

struct KerasArchitecture {
  Architecture graph;
  KerasItem root;
};

[[nodiscard]] inline bool is_keras_model(std::string_view class_name) {
  return class_name == "Sequential" || class_name == "Functional" || class_name == "Model";
}

/// The objects of a model's layers.
[[nodiscard]] inline const Json& keras_layers(const Json& model) {
  const Json& config = model.at("config");
  return config.is_array() ? config : config.at("layers");
}

/// The shape, with the batch, that a layer or model says its input has; null if it does not.
[[nodiscard]] inline const Json* keras_input_shape(const Json& object) {
  const Json& config = object.at("config");
  for (const char* key : {"batch_input_shape", "batch_shape", "build_input_shape"})
    if (const Json* shape = member_of(config, key)) return shape;
  if (const Json* build = member_of(object, "build_config"))
    if (const Json* shape = member_of(*build, "input_shape")) return shape;
  const bool has_layers = is_keras_model(text_of(object, "class_name")) && !keras_layers(object).empty();
  return has_layers ? keras_input_shape(keras_layers(object).front()) : nullptr;
}

/// Builds the graph. A model inside another becomes its layers, which keep their names; a name that more than one layer
/// has is preceded by the names of the models around it: "base/conv2d".
class KerasGraphBuilder {
 public:
  KerasGraphBuilder(const LoadKerasOptions& options, std::string file) : options_(options), file_(std::move(file)) {}

  [[nodiscard]] KerasArchitecture build(const Json& model) {
    const std::string type = text_of(model, "class_name");
    if (!is_keras_model(type))
      throw FileError(text(file_, ": the model is a '", type,
                           "', neither Sequential nor functional: what its layers do ",
                           "with each other is code and not in the file"));
    count_names(model);
    KerasItem root = item_of(model, true);
    const Node output = add_model(model, std::nullopt, "", root);
    if (!input_) fail("the model", "has no input");
    std::vector<std::string> frozen;
    list_frozen(root, frozen);
    return {{*input_, output, root.file_name, type == "Sequential", options_.preprocessing, std::move(frozen)},
            std::move(root)};
  }

 private:
  template <class... Parts>
  [[noreturn]] void fail(const std::string& who, const Parts&... parts) const {
    throw FileError(text(file_, ": ", who, " ", parts...));
  }
  [[nodiscard]] static std::string title(const Json& object) {
    return text("layer '", keras_name(object), "' (", text_of(object, "class_name"), ")");
  }
  [[nodiscard]] static KerasItem item_of(const Json& object, bool trainable) {
    const Json* const own = member_of(object.at("config"), "trainable");
    return {.file_name = keras_name(object),
            .class_name = text_of(object, "class_name"),
            .trainable = trainable && (own == nullptr || *own != false)};
  }

  void count_names(const Json& model) {
    for (const Json& object : keras_layers(model)) {
      if (++layers_ > max_layers) fail("the model", "has more than ", max_layers, " layers");
      const std::string type = text_of(object, "class_name");
      if (is_keras_model(type))
        count_names(object);
      else if (type != "InputLayer")
        ++names_[keras_name(object)];
    }
  }
  static void list_frozen(const KerasItem& item, std::vector<std::string>& names) {
    if (!item.name.empty() && (!item.trainable || item.held)) names.push_back(item.name);
    for (const KerasItem& inner : item.inner) list_frozen(inner, names);
  }

  /// The node of the model's own input.
  Node make_input(const Json* shape, const std::string& name) {
    Shape sample = options_.input_shape;
    if (sample.empty()) {
      std::vector<std::int64_t> extents;
      for (std::size_t i = 1; shape != nullptr && shape->is_array() && i < shape->size(); ++i) {
        if ((*shape)[i].is_null())
          fail("input '" + name + "'", "leaves extents open, ", shape->dump(), "; say which with .input_shape");
        read_json((*shape)[i], extents.emplace_back());
      }
      if (extents.empty()) fail("the model", "says nothing of its input's shape; say it with .input_shape");
      sample = Shape(extents);
    }
    take_name(name);
    input_ = Input(sample, name);
    return *input_;
  }

  Node add_model(const Json& model, const std::optional<Node>& input, const std::string& prefix, KerasItem& item) {
    for (const Json& object : keras_layers(model)) item.inner.push_back(item_of(object, item.trainable));
    return item.class_name == "Sequential" ? add_sequential(model, input, prefix, item)
                                           : add_functional(model, input, prefix, item);
  }

  Node add_sequential(const Json& model, std::optional<Node> last, const std::string& prefix, KerasItem& item) {
    const Json& layers = keras_layers(model);
    for (std::size_t i = 0; i < layers.size(); ++i) {
      const bool is_input = text_of(layers[i], "class_name") == "InputLayer";
      if (!last && is_input) {
        last = make_input(keras_input_shape(layers[i]), keras_name(layers[i]));
      } else if (!is_input) {
        if (!last) {
          const Json* const own = keras_input_shape(layers[i]);
          last = make_input(own != nullptr ? own : keras_input_shape(model), keras_name(layers[i]) + "_input");
        }
        last = add_layer(layers[i], {*last}, prefix, item.inner[i], 0);
      }
    }
    if (!last) fail("model '" + item.file_name + "'", "has no layers");
    return *last;
  }

  /// A functional model while it is built: its layers by name, and the calls that were made.
  struct Functional {
    const Json& layers;
    std::string who;
    KerasItem& item;
    std::map<std::string, std::size_t> places{};  ///< of the layers among `layers`
    std::map<KerasTensor, Node> made{};
    std::map<std::size_t, int> calls{};  ///< of a layer

    [[nodiscard]] std::size_t place(const KerasTensor& tensor) const {
      const auto found = places.find(tensor.layer);
      if (found == places.end()) throw FileError(text(who, " reads '", tensor.layer, "', which it does not have"));
      return found->second;
    }
  };

  Node add_functional(const Json& model, const std::optional<Node>& input, const std::string& prefix, KerasItem& item) {
    const Json& config = model.at("config");
    Functional f{keras_layers(model), text(file_, ": model '", item.file_name, "'"), item};
    for (std::size_t i = 0; i < f.layers.size(); ++i)
      if (const std::string name = keras_name(f.layers[i]); !f.places.emplace(name, i).second)
        throw FileError(text(f.who, " has two layers named '", name, "'"));
    const KerasTensor source = single(config.at("input_layers"), f.who, "inputs");
    const KerasTensor result = single(config.at("output_layers"), f.who, "outputs");
    const Json& first = f.layers[f.place(source)];
    if (input)
      f.made.emplace(source, *input);
    else
      f.made.emplace(source, make_input(keras_input_shape(first), source.layer));
    make_calls(f, result, prefix);
    return f.made.at(result);
  }

  /// Every call that `result` depends on, each after those that it reads; without recursion, because graphs are deep.
  void make_calls(Functional& f, const KerasTensor& result, const std::string& prefix) {
    std::vector<KerasTensor> stack{result};
    std::set<KerasTensor> open;  // those whose inputs were put on the stack
    while (!stack.empty()) {
      const KerasTensor now = stack.back();
      const Json& object = f.layers[f.place(now)];
      if (f.made.contains(now)) {
        stack.pop_back();
        continue;
      }
      if (text_of(object, "class_name") == "InputLayer")
        throw FileError(text(f.who, " depends on '", now.layer, "', which is not its input"));
      const KerasCall call = keras_call(object, now.node, text(file_, ": ", title(object)));
      if (open.insert(now).second) {
        for (std::size_t i = call.inputs.size(); i-- > 0;) {  // the first will be made first
          const KerasTensor& tensor = call.inputs[i];
          if (open.contains(tensor) && !f.made.contains(tensor))
            throw FileError(text(f.who, " runs in a circle through '", tensor.layer, "'"));
          stack.push_back(tensor);
        }
        continue;
      }
      std::vector<Node> inputs;
      for (const KerasTensor& tensor : call.inputs) inputs.push_back(f.made.at(tensor));
      const std::size_t place = f.place(now);
      KerasItem& item = f.item.inner[place];
      f.made.emplace(now, add_layer(object, std::move(inputs), prefix, item, f.calls[place]++));
      if (call.inference) hold_normalization(item);
      stack.pop_back();
    }
  }

  static void hold_normalization(KerasItem& item) {
    item.held = item.held || item.class_name.starts_with("BatchNormalization");
    for (KerasItem& inner : item.inner) hold_normalization(inner);
  }

  /// The one input or output of a functional model.
  [[nodiscard]] static KerasTensor single(const Json& json, const std::string& who, const char* what) {
    KerasCall call;
    add_keras_tensors(json, call, who);
    if (call.inputs.size() == 1) return call.inputs[0];
    std::vector<std::string> names;
    for (const KerasTensor& tensor : call.inputs) names.push_back("'" + tensor.layer + "'");
    throw FileError(text(who, " has ", names.size(), " ", what, ", ", join(names), "; a model of mien has one"));
  }

  /// A layer, or a model, applied. `earlier`: how many calls of it were made before.
  Node add_layer(const Json& object, std::vector<Node> inputs, const std::string& prefix, KerasItem& item,
                 int earlier) {
    const std::string who = text(file_, ": ", title(object));
    if (is_keras_model(item.class_name)) {
      if (inputs.size() != 1) throw FileError(text(who, " has ", inputs.size(), " inputs; a model of mien has one"));
      if (earlier > 0) shared(who);
      return add_model(object, inputs[0], prefix + item.file_name + "/", item);
    }
    const Json& config = object.at("config");
    refuse_unknown_behaviour(config, who);
    if (earlier == 0) item.name = names_.at(item.file_name) > 1 ? prefix + item.file_name : item.file_name;
    const std::string name = earlier == 0 ? item.name : text(item.name, "_call", earlier + 1);
    take_name(name);
    try {
      Node node = make_layer(object, config, name, std::move(inputs), who);
      if (earlier > 0 && has_parameters(node)) shared(who);
      return node;
    } catch (const FileError&) {
      throw;
    } catch (const Error& error) {
      throw FileError(text(file_, ": ", error.what()));
    }
  }
  Node make_layer(const Json& object, const Json& config, const std::string& name, std::vector<Node> inputs,
                  const std::string& who) const {
    const std::string type = text_of(object, "class_name");
    if (!options_.custom_objects.makers().contains(type) && type != "LeakyReLU") {
      std::optional<ActivationFunction> f;
      try {
        f = keras_activation_layer(type, config);
      } catch (const FileError& error) {
        throw FileError(text(who, ": ", error.what()));
      }
      if (f) return mien::apply(Activation{.activation = *f, .name = name}, std::move(inputs));
    }
    KerasOptionReader reader(config, who);
    const char* const known = type == "BatchNormalizationV1" ? "BatchNormalization" : type.c_str();
    return find_layer(known, options_.custom_objects, who)(reader, name, std::move(inputs));
  }
  /// Where a file leaves a name out, the model will make one.
  void take_name(const std::string& name) {
    if (!name.empty() && !taken_.insert(name).second) fail("two layers", "are named '", name, "'; rename one in Keras");
  }
  [[nodiscard]] static bool has_parameters(const Node& node) {
    std::vector<Shape> shapes;
    for (const Node& input : node.inputs()) shapes.push_back(input.shape());
    return !node.layer().make(ScalarTag<float>{}, shapes)->parameters().empty();
  }
  [[noreturn]] static void shared(const std::string& who) {
    throw FileError(
        text(who, " is called more than once and shares its weights between the calls, which mien has not"));
  }

  const LoadKerasOptions& options_;
  std::string file_;
  std::optional<Node> input_;
  std::map<std::string, int> names_;  ///< how many layers have it
  std::set<std::string> taken_;       ///< the names of the layers that were made
  std::size_t layers_ = 0;
};

/// The graph of a Keras model's config: {"class_name", "config"}. `file` begins every message. Throws FileError that
/// names the layer and its class.
[[nodiscard]] inline KerasArchitecture keras_architecture_from(const Json& model, const LoadKerasOptions& options,
                                                               const std::string& file) {
  try {
    return KerasGraphBuilder(options, file).build(model);
  } catch (const Json::exception& error) {
    throw FileError(text(file, ": the architecture is damaged: ", error.what()));
  } catch (const Error& error) {
    if (std::string_view(error.what()).starts_with(file)) throw;
    throw FileError(text(file, ": the architecture is damaged: ", error.what()));
  }
}

}  // namespace mien::inline v0::io
