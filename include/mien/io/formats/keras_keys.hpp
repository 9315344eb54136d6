#pragma once
// The keys that Keras 3 gives layers in `.weights.h5`: the class in snake case, and a number from the second on.

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>

#include <mien/core/error.hpp>

namespace mien::inline v0 {

namespace detail {

constexpr bool is_upper(char c) { return c >= 'A' && c <= 'Z'; }
constexpr bool is_lower(char c) { return c >= 'a' && c <= 'z'; }

/// A key as its class and its number, so that "conv2d_10" stands behind "conv2d_9".
[[nodiscard]] inline std::pair<std::string_view, std::uint64_t> keras_key_order(std::string_view key) {
  const std::size_t line = key.rfind('_');
  const std::string_view digits = line == std::string_view::npos ? "" : key.substr(line + 1);
  if (digits.empty() || digits.size() > 18 || digits.find_first_not_of("0123456789") != std::string_view::npos)
    return {key, 0};
  std::uint64_t number = 0;
  for (const char digit : digits) number = number * 10 + static_cast<std::uint64_t>(digit - '0');
  return {key.substr(0, line), number};
}

}  // namespace detail

/// A class's name in snake case, as Keras forms it: "Conv2D" is "conv2d", "LeakyReLU" is "leaky_re_lu".
[[nodiscard]] inline std::string keras_snake_case(std::string_view name) {
  std::string result;
  for (std::size_t i = 0; i < name.size(); ++i) {
    const bool word = i + 1 < name.size() && detail::is_lower(name[i + 1]);
    if (i > 0 && detail::is_upper(name[i]) && (word || detail::is_lower(name[i - 1]))) result += '_';
    result += detail::is_upper(name[i]) ? static_cast<char>(name[i] - 'A' + 'a') : name[i];
  }
  return result;
}

/// Gives the layers of a model their keys. Ask for each layer of the model in its order, nested models as one layer.
///
///     KerasKeys keys;
///     keys.next("Conv2D");   // "conv2d"
///     keys.next("Conv2D");   // "conv2d_1"
class KerasKeys {
 public:
  [[nodiscard]] std::string next(std::string_view class_name) {
    std::string key = keras_snake_case(class_name);
    const int before = used_[key]++;
    return before == 0 ? key : text(key, "_", before);
  }

 private:
  std::map<std::string, int> used_;
};

}  // namespace mien::inline v0
