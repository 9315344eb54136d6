#pragma once
// A layer's options as Keras 2's config of it: what options.hpp reads, written.

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
#include <mien/io/layer_options.hpp>

namespace mien::inline v0::io {

/// Keras's class of an initializer and what it calls the two numbers; null where there is none.
struct KerasInitializer {
  std::string_view name;  ///< mien's
  const char* class_name;
  bool random = true;  ///< its config has a seed
  const char* a = nullptr;
  const char* b = nullptr;
};
inline constexpr std::array<KerasInitializer, 13> keras_initializers{
    {{"zeros", "Zeros", false},
     {"ones", "Ones", false},
     {"constant", "Constant", false, "value"},
     {"random_uniform", "RandomUniform", true, "minval", "maxval"},
     {"random_normal", "RandomNormal", true, "mean", "stddev"},
     {"truncated_normal", "TruncatedNormal", true, "mean", "stddev"},
     {"orthogonal", "Orthogonal", true, "gain"},
     {"glorot_uniform", "GlorotUniform"},
     {"glorot_normal", "GlorotNormal"},
     {"he_uniform", "HeUniform"},
     {"he_normal", "HeNormal"},
     {"lecun_uniform", "LecunUniform"},
     {"lecun_normal", "LecunNormal"}}};

/// Writes every option under Keras 2's name of it into a layer's config. Throws OptionError, with layer and option, on
/// a value that Keras's files cannot hold.
class KerasOptionWriter final : public OptionVisitor {
 public:
  /// `who` begins every message.
  KerasOptionWriter(Json& config, std::string who) : config_(config), who_(std::move(who)) {}

  /// "bessel" is no option of Keras: its version decides.
  void operator()(const char* name, bool& value) override {
    if (std::string_view(name) != "bessel") config_[name] = value;
  }
  /// A seed below 0 is none.
  void operator()(const char* name, std::int64_t& value) override {
    config_[name] = std::string_view(name) == "seed" && value < 0 ? Json(nullptr) : Json(value);
  }
  void operator()(const char* name, double& value) override {
    config_[std::string_view(name) == "negative_slope" ? "alpha" : name] = number(name, value);
  }
  void operator()(const char* name, std::string& value) override { config_[name] = value; }
  /// A list of one number is written as the number.
  void operator()(const char* name, std::vector<double>& value) override {
    Json list = Json::array();
    for (const double x : value) list.push_back(number(name, x));
    config_[name] = list.size() == 1 ? Json(list[0]) : list;
  }
  void operator()(const char* name, std::vector<std::int64_t>& value) override { config_[name] = value; }
  void operator()(const char* name, Size2D& value) override { config_[name] = {value.height, value.width}; }
  void operator()(const char* name, std::optional<Size2D>& value) override {
    config_[name] = value ? Json{value->height, value->width} : Json(nullptr);
  }
  void operator()(const char* name, Border2D& value) override {
    config_[name] = Json::array({{value.top, value.bottom}, {value.left, value.right}});
  }
  void operator()(const char* name, Padding& value) override {
    config_[name] = value == Padding::same ? "same" : "valid";
  }
  void operator()(const char*, Arithmetic&) override {}  // no affair of Keras's
  /// Keras 2 has no function of a slope: a layer stands in its place, as `activation=LeakyReLU(0.1)` is written.
  void operator()(const char* name, ActivationFunction& value) override {
    using Kind = ActivationFunction::Kind;
    if (value.kind == Kind::leaky_relu)
      config_[name] = object("LeakyReLU", {{"alpha", number(name, value.alpha)}});
    else if (value.kind == Kind::elu && value != elu)
      config_[name] = object("ELU", {{"alpha", number(name, value.alpha)}});
    else
      config_[name] = value.kind == Kind::silu ? "swish" : to_string(value.kind);
  }
  void operator()(const char* name, Initializer& value) override {
    for (const KerasInitializer& known : keras_initializers) {
      if (known.name != value.name) continue;
      Json config = Json::object();
      if (known.random) config["seed"] = nullptr;
      if (known.a != nullptr) config[known.a] = number(name, value.a);
      if (known.b != nullptr) config[known.b] = number(name, value.b);
      config_[name] = object(known.class_name, std::move(config));
      return;
    }
    fail(name, "Keras has no initializer '", value.name, "'");
  }
  /// Keras has a constraint beside every regularizer.
  void operator()(const char* name, Regularizer& value) override {
    config_[name] = nullptr;
    if (value) config_[name] = object("L1L2", {{"l1", number(name, value.l1)}, {"l2", number(name, value.l2)}});
    const std::string_view all(name);
    config_[text(all.substr(0, all.rfind('_')), "_constraint")] = nullptr;
  }

 private:
  [[nodiscard]] static Json object(const char* class_name, Json config) {
    return {{"class_name", class_name}, {"config", std::move(config)}};
  }
  [[nodiscard]] double number(const char* name, double value) const {
    if (!std::isfinite(value)) fail(name, "is ", value, ", which Keras's files cannot hold");
    return value;
  }
  template <class... Parts>
  [[noreturn]] void fail(const char* name, const Parts&... parts) const {
    throw OptionError(text(who_, " cannot be saved for Keras: option '", name, "': ", parts...));
  }

  Json& config_;
  std::string who_;
};

/// What Keras's configs of these classes have, and layers here do not: it is the same for all that mien writes.
inline void add_keras_constants(Json& config, std::string_view type) {
  for (const std::string_view picture :
       {"Conv2D", "Conv2DTranspose", "DepthwiseConv2D", "SeparableConv2D", "MaxPooling2D", "AveragePooling2D",
        "GlobalMaxPooling2D", "GlobalAveragePooling2D", "ZeroPadding2D", "UpSampling2D", "Flatten"})
    if (type == picture) config["data_format"] = "channels_last";
  if (config.contains("bias_regularizer")) config["activity_regularizer"] = nullptr;
  if (type == "Conv2DTranspose") config["output_padding"] = nullptr;
  if (type == "Dropout") config["noise_shape"] = nullptr;
  if (type.starts_with("Random")) config["seed"] = nullptr;
}

}  // namespace mien::inline v0::io
