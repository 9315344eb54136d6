#pragma once
// Options of layers, optimizers and losses as JSON: one visitor writes, one reads.

#include <algorithm>
#include <array>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include <mien/core/error.hpp>
#include <mien/graph/options.hpp>
#include <mien/io/formats/json.hpp>

namespace mien::inline v0::io {

using Json = nlohmann::json;

/// Writes every option under its name.
class OptionWriter final : public OptionVisitor {
 public:
  explicit OptionWriter(Json& out) : out_(out) { out_ = Json::object(); }

  void operator()(const char* name, bool& value) override { out_[name] = value; }
  void operator()(const char* name, std::int64_t& value) override { out_[name] = value; }
  void operator()(const char* name, double& value) override { out_[name] = json_number(value); }
  void operator()(const char* name, std::string& value) override { out_[name] = value; }
  void operator()(const char* name, std::vector<double>& value) override {
    out_[name] = Json::array();
    for (const double x : value) out_[name].push_back(json_number(x));
  }
  void operator()(const char* name, std::vector<std::int64_t>& value) override { out_[name] = value; }
  void operator()(const char* name, Size2D& value) override { out_[name] = {value.height, value.width}; }
  void operator()(const char* name, std::optional<Size2D>& value) override {
    out_[name] = value ? Json{value->height, value->width} : Json(nullptr);
  }
  void operator()(const char* name, Border2D& value) override {
    out_[name] = {value.top, value.bottom, value.left, value.right};
  }
  void operator()(const char* name, Padding& value) override { out_[name] = value == Padding::same ? "same" : "valid"; }
  void operator()(const char* name, Arithmetic& value) override {
    out_[name] = value == Arithmetic::strict ? "strict" : "fast";
  }
  void operator()(const char* name, ActivationFunction& value) override {
    out_[name] = {{"name", to_string(value.kind)}, {"alpha", json_number(value.alpha)}};
  }
  void operator()(const char* name, Initializer& value) override {
    out_[name] = {{"name", value.name}, {"a", json_number(value.a)}, {"b", json_number(value.b)}};
  }
  void operator()(const char* name, Regularizer& value) override {
    out_[name] = {{"l1", json_number(value.l1)}, {"l2", json_number(value.l2)}};
  }

 private:
  Json& out_;
};

/// Reads every option by its name; what is not there keeps its default. Throws FileError on a value of another type.
/// After the visit, finish() throws on names that nobody asked for: a file from a newer version is refused and not
/// half-understood.
class OptionReader final : public OptionVisitor {
 public:
  /// `who` begins every message: "model.safetensors: layer 'conv' (Conv2D)".
  OptionReader(const Json& in, std::string who) : in_(in), who_(std::move(who)) {
    if (!in.is_object()) throw FileError(text(who_, ": options are no JSON object"));
  }

  void operator()(const char* name, bool& value) override { read(name, value); }
  void operator()(const char* name, std::int64_t& value) override { read(name, value); }
  void operator()(const char* name, double& value) override { read(name, value); }
  void operator()(const char* name, std::string& value) override { read(name, value); }
  void operator()(const char* name, std::vector<double>& value) override { read(name, value); }
  void operator()(const char* name, std::vector<std::int64_t>& value) override { read(name, value); }
  void operator()(const char* name, Size2D& value) override {
    std::array<std::int64_t, 2> pair{value.height, value.width};
    read(name, pair);
    value = {pair[0], pair[1]};
  }
  void operator()(const char* name, std::optional<Size2D>& value) override {
    if (in_.contains(name) && in_[name].is_null()) {
      seen_.emplace_back(name);
      value.reset();
    } else if (in_.contains(name)) {
      (*this)(name, value.emplace());
    }
  }
  void operator()(const char* name, Border2D& value) override {
    std::array<std::int64_t, 4> sides{value.top, value.bottom, value.left, value.right};
    read(name, sides);
    value = {sides[0], sides[1], sides[2], sides[3]};
  }
  void operator()(const char* name, Padding& value) override {
    value = first_of(name, "same", "valid", value == Padding::same) ? Padding::same : Padding::valid;
  }
  void operator()(const char* name, Arithmetic& value) override {
    value = first_of(name, "strict", "fast", value == Arithmetic::strict) ? Arithmetic::strict : Arithmetic::fast;
  }
  void operator()(const char* name, ActivationFunction& value) override {
    if (const Json* object = named(name)) value = activation_named(kind(name, *object))(member(name, *object, "alpha"));
  }
  void operator()(const char* name, Initializer& value) override {
    if (const Json* object = named(name))
      value = initializer_named(kind(name, *object), member(name, *object, "a"), member(name, *object, "b"));
  }
  void operator()(const char* name, Regularizer& value) override {
    if (const Json* object = named(name)) value = {member(name, *object, "l1"), member(name, *object, "l2")};
  }

  void finish() const {
    for (const auto& [name, value] : in_.items())
      if (std::find(seen_.begin(), seen_.end(), name) == seen_.end())
        throw FileError(text(who_, ": unknown option '", name, "'; the file may come from a newer version of mien"));
  }

 private:
  /// Whether an option of two values has the first; `otherwise` if it is not there.
  [[nodiscard]] bool first_of(const char* name, const char* first, const char* second, bool otherwise) {
    std::string word = otherwise ? first : second;
    read(name, word);
    if (word != first && word != second)
      throw FileError(text(who_, ": option '", name, "' is '", first, "' or '", second, "', got '", word, "'"));
    return word == first;
  }

  const Json* named(const char* name) {
    seen_.emplace_back(name);
    const auto found = in_.find(name);
    if (found == in_.end()) return nullptr;
    if (!found->is_object()) throw FileError(text(who_, ": option '", name, "' is no JSON object"));
    return &*found;
  }

  /// The name, and a number, of an option that is an object.
  [[nodiscard]] std::string kind(const char* name, const Json& object) const {
    std::string value;
    if (object.contains("name")) strictly(name, object["name"], value);
    return value;
  }
  [[nodiscard]] double member(const char* name, const Json& object, const char* key) const {
    double value = 0;
    if (object.contains(key)) strictly(name, object[key], value);
    return value;
  }

  template <class Value>
  void read(const char* name, Value& value) {
    seen_.emplace_back(name);
    if (const auto found = in_.find(name); found != in_.end()) strictly(name, *found, value);
  }

  template <class Value>
  void strictly(const char* name, const Json& json, Value& value) const {
    try {
      read_json(json, value);
    } catch (const FileError& error) {
      throw FileError(text(who_, ": option '", name, "': ", error.what()));
    }
  }

  const Json& in_;
  std::string who_;
  std::vector<std::string> seen_;
};

}  // namespace mien::inline v0::io
