#pragma once
// A layer's options read from Keras's config of it. mien's options have Keras's names, so what is left is how Keras
// writes values: pairs, activations, initializers, regularizers, and a few names that changed.

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <mien/core/error.hpp>
#include <mien/graph/options.hpp>
#include <mien/io/formats/json.hpp>
#include <mien/io/layer_options.hpp>

namespace mien::inline v0::io {

/// The member of a JSON object; null if it is no object, has none of that name, or null there.
[[nodiscard]] inline const Json* member_of(const Json& object, std::string_view name) {
  if (!object.is_object()) return nullptr;
  const auto found = object.find(std::string(name));
  return found == object.end() || found->is_null() ? nullptr : &*found;
}

/// The text of a member; "" if there is none.
[[nodiscard]] inline std::string text_of(const Json& object, std::string_view name) {
  const Json* const found = member_of(object, name);
  return found != nullptr && found->is_string() ? found->get<std::string>() : std::string();
}

/// The activation that a layer of this class is ("ReLU", "ELU", "LeakyReLU", "Softmax"), from its config; nothing for
/// other classes. Throws FileError on options that the functions here do not have.
[[nodiscard]] inline std::optional<ActivationFunction> keras_activation_layer(const std::string& class_name,
                                                                              const Json& config) {
  const auto number = [&](std::string_view name, double otherwise) {
    double value = otherwise;
    if (const Json* found = member_of(config, name)) read_json(*found, value);
    return value;
  };
  if (class_name == "ReLU") {
    if (member_of(config, "max_value") != nullptr || number("threshold", 0) != 0)
      throw FileError("a ReLU with a max_value or a threshold is not among mien's activations");
    const double slope = number("negative_slope", 0);
    return slope == 0 ? relu : leaky_relu(slope);
  }
  if (class_name == "LeakyReLU") return leaky_relu(number("negative_slope", number("alpha", 0.3)));
  if (class_name == "ELU") return elu(number("alpha", 1));
  if (class_name == "Softmax") {
    if (number("axis", -1) != -1) throw FileError("a Softmax is over the last axis, -1");
    return softmax;
  }
  return std::nullopt;
}

/// Keras's value of an activation: a name, null, or an object with class_name and config.
[[nodiscard]] inline ActivationFunction keras_activation(const Json& json) {
  if (json.is_null()) return linear;
  std::string name = json.is_string() ? json.get<std::string>() : text_of(json, "class_name");
  if (json.is_object()) {
    const Json* const config = member_of(json, "config");
    if (config != nullptr && config->is_string()) {
      name = config->get<std::string>();
    } else if (const auto layer = keras_activation_layer(name, config == nullptr ? Json::object() : *config)) {
      return *layer;
    }
  }
  return activation_named(name == "swish" ? "silu" : name);
}

/// Keras's value of an initializer. One that mien does not have gives nothing: it has done its work, the weights are in
/// the file.
[[nodiscard]] inline std::optional<Initializer> keras_initializer(const Json& json) {
  const std::string name = json.is_string() ? json.get<std::string>() : text_of(json, "class_name");
  const Json* const config = member_of(json, "config");
  const auto number = [&](std::string_view key, double otherwise) {
    double value = otherwise;
    const Json* const found = config == nullptr ? nullptr : member_of(*config, key);
    if (found != nullptr && found->is_number()) read_json(*found, value);
    return value;
  };
  if (name == "Zeros" || name == "zeros") return zeros;
  if (name == "Ones" || name == "ones") return ones;
  if (name == "Constant") return constant(number("value", 0));
  if (name == "RandomUniform") return random_uniform(number("minval", -0.05), number("maxval", 0.05));
  if (name == "RandomNormal") return random_normal(number("mean", 0), number("stddev", 0.05));
  if (name == "TruncatedNormal") return truncated_normal(number("mean", 0), number("stddev", 0.05));
  if (name == "VarianceScaling" && config != nullptr) {
    const std::string mode = text_of(*config, "mode"), distribution = text_of(*config, "distribution");
    const bool uniform = distribution == "uniform",
               normal = distribution == "normal" || distribution == "truncated_normal";
    const double scale = number("scale", 1);
    if (!uniform && !normal) return std::nullopt;
    if (mode == "fan_avg" && scale == 1) return uniform ? glorot_uniform : glorot_normal;
    if (mode == "fan_in" && scale == 2) return uniform ? he_uniform : he_normal;
    if (mode == "fan_in" && scale == 1) return uniform ? lecun_uniform : lecun_normal;
    return std::nullopt;
  }
  constexpr std::array<std::pair<const char*, const Initializer*>, 6> named{{{"GlorotUniform", &glorot_uniform},
                                                                             {"GlorotNormal", &glorot_normal},
                                                                             {"HeUniform", &he_uniform},
                                                                             {"HeNormal", &he_normal},
                                                                             {"LecunUniform", &lecun_uniform},
                                                                             {"LecunNormal", &lecun_normal}}};
  for (const auto& [keras, initializer] : named)
    if (name == keras || name == initializer->name) return *initializer;
  return std::nullopt;
}

/// Keras's value of a regularizer: null, a name, or an object with l1 and l2.
[[nodiscard]] inline Regularizer keras_regularizer(const Json& json) {
  if (json.is_null()) return {};
  std::string name = json.is_string() ? json.get<std::string>() : text_of(json, "class_name");
  const Json* const config = member_of(json, "config");
  const auto number = [&](std::string_view key, double otherwise) {
    const Json* const found = config == nullptr ? nullptr : member_of(*config, key);
    double value = config == nullptr ? otherwise : 0;
    if (found != nullptr) read_json(*found, value);
    return value;
  };
  std::transform(name.begin(), name.end(), name.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  if (name == "l1") return l1(number("l1", 0.01));
  if (name == "l2") return l2(number("l2", 0.01));
  if (name == "l1l2" || name == "l1_l2") return {.l1 = number("l1", 0.01), .l2 = number("l2", 0.01)};
  throw FileError(text("expected a regularizer L1, L2 or L1L2, got '", name, "'"));
}

/// Reads every option by its name from a layer's config; what is not there, or null, keeps its default. Members that no
/// option asks for are left alone (Keras writes dtypes, names of backends and the like). Throws FileError on values
/// that it cannot take.
class KerasOptionReader final : public OptionVisitor {
 public:
  /// `who` begins every message.
  KerasOptionReader(const Json& config, std::string who) : config_(config), who_(std::move(who)) {}

  void operator()(const char* name, bool& value) override { read(name, value); }
  void operator()(const char* name, std::string& value) override { read(name, value); }
  /// A list of one number counts as the number: the axis of a batch normalisation is written so.
  void operator()(const char* name, std::int64_t& value) override {
    with(name, [&](const Json& json) { read_json(json.is_array() && json.size() == 1 ? json[0] : json, value); });
  }
  /// A pair -a, a counts as a: so are the ranges of random rotations and translations written.
  void operator()(const char* name, double& value) override {
    with(name, [&](const Json& json) {
      if (!json.is_array()) return read_json(json, value);
      std::array<double, 2> range{};
      read_json(json, range);
      if (range[0] != -range[1]) throw FileError(text("expected a range around 0, got ", range[0], " to ", range[1]));
      value = range[1];
    });
  }
  void operator()(const char* name, std::vector<double>& value) override {
    with(name, [&](const Json& json) {
      if (json.is_array()) return read_json(json, value);
      value.resize(1);
      read_json(json, value[0]);
    });
  }
  /// null in a list is an extent that is left open: -1.
  void operator()(const char* name, std::vector<std::int64_t>& value) override {
    with(name, [&](Json json) {
      if (json.is_array())
        for (Json& element : json)
          if (element.is_null()) element = -1;
      read_json(json, value);
    });
  }
  void operator()(const char* name, Size2D& value) override {
    with(name, [&](const Json& json) { value = pair(json); });
  }
  void operator()(const char* name, std::optional<Size2D>& value) override {
    with(name, [&](const Json& json) { value = pair(json); });
  }
  /// All sides; (rows, columns); or ((top, bottom), (left, right)).
  void operator()(const char* name, Border2D& value) override {
    with(name, [&](const Json& json) {
      if (json.is_array() && json.size() == 2 && json[0].is_array()) {
        std::array<std::array<std::int64_t, 2>, 2> sides{};
        for (std::size_t i = 0; i < 2; ++i) read_json(json[i], sides[i]);
        value = {sides[0][0], sides[0][1], sides[1][0], sides[1][1]};
      } else {
        const Size2D both = pair(json);
        value = {both.height, both.width};
      }
    });
  }
  void operator()(const char* name, Padding& value) override {
    with(name, [&](const Json& json) {
      if (json != "same" && json != "valid")
        throw FileError(
            text("expected 'same' or 'valid', got ", json.dump(-1, ' ', false, Json::error_handler_t::replace)));
      value = json == "same" ? Padding::same : Padding::valid;
    });
  }
  void operator()(const char*, Arithmetic&) override {}  // no affair of Keras's
  void operator()(const char* name, ActivationFunction& value) override {
    with(name, [&](const Json& json) { value = keras_activation(json); });
  }
  void operator()(const char* name, Initializer& value) override {
    with(name, [&](const Json& json) { value = keras_initializer(json).value_or(value); });
  }
  void operator()(const char* name, Regularizer& value) override {
    with(name, [&](const Json& json) { value = keras_regularizer(json); });
  }

 private:
  template <class Body>
  void with(std::string_view name, const Body& body) const {
    const Json* found = member_of(config_, name);
    if (found == nullptr && name == "negative_slope") found = member_of(config_, "alpha");  // Keras 2
    if (found == nullptr) return;
    try {
      body(*found);
    } catch (const Error& error) {
      throw FileError(text(who_, ": option '", name, "': ", error.what()));
    }
  }
  template <class Value>
  void read(const char* name, Value& value) const {
    with(name, [&](const Json& json) { read_json(json, value); });
  }
  [[nodiscard]] static Size2D pair(const Json& json) {
    std::array<std::int64_t, 2> sizes{};
    if (json.is_array()) {
      read_json(json, sizes);
    } else {
      read_json(json, sizes[0]);
      sizes[1] = sizes[0];
    }
    return {sizes[0], sizes[1]};
  }

  const Json& config_;
  std::string who_;
};

/// Throws FileError on what a layer's config asks for and mien would silently leave out.
inline void refuse_unknown_behaviour(const Json& config, const std::string& who) {
  if (text_of(config, "data_format") == "channels_first")
    throw FileError(text(who,
                         ": data_format 'channels_first'; mien keeps the channels last: load and save the model "
                         "with Keras's image_data_format 'channels_last'"));
  for (const auto& [key, value] : config.items()) {
    const bool named = key == "activity_regularizer" || key == "noise_shape" || key == "output_padding" ||
                       key.ends_with("_constraint");
    if (named && !value.is_null()) throw FileError(text(who, ": mien has no '", key, "'"));
  }
}

}  // namespace mien::inline v0::io
