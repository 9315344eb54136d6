#pragma once
// The fence around JSON: whatever an untrusted text holds, out come a value or a FileError.

#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include <mien/core/error.hpp>
#include <mien/io/formats/hex_float.hpp>
#include <nlohmann/json.hpp>

namespace mien::inline v0 {

namespace detail {

/// Watches a parse: refuses nesting deeper than any file of ours, more values than any has, and a key that stands twice
/// in one object (the parser would quietly keep the last). It sees a text before anything is made of it: the parser's
/// own callback goes through all of a list again whenever an object in it ends.
class JsonWatch final : public nlohmann::json::json_sax_t {
 public:
  static constexpr std::size_t max_depth = 64, max_values = std::size_t{1} << 21;

  bool null() override { return count(); }
  bool boolean(bool) override { return count(); }
  bool number_integer(number_integer_t) override { return count(); }
  bool number_unsigned(number_unsigned_t) override { return count(); }
  bool number_float(number_float_t, const string_t&) override { return count(); }
  bool string(string_t&) override { return count(); }
  bool binary(binary_t&) override { return count(); }
  bool start_object(std::size_t) override { return open(); }
  bool start_array(std::size_t) override { return open(); }
  bool end_object() override { return close(); }
  bool end_array() override { return close(); }
  bool key(string_t& name) override {
    if (!open_.back().insert(name).second)
      throw FileError(text("the key ", nlohmann::json(name).dump().substr(0, 100), " stands twice in one object"));
    return true;
  }
  /// The parse that follows says it better.
  bool parse_error(std::size_t, const std::string&, const nlohmann::json::exception&) override { return false; }

 private:
  bool count() {
    if (++values_ > max_values) throw FileError(text("it has more than ", max_values, " values"));
    return true;
  }
  bool open() {
    if (open_.size() == max_depth) throw FileError(text("it is nested deeper than ", max_depth, " levels"));
    open_.emplace_back();
    return count();
  }
  bool close() {
    open_.pop_back();
    return true;
  }

  std::vector<std::set<std::string>> open_;  ///< the keys of each object that is open; empty for an array
  std::size_t values_ = 0;
};

}  // namespace detail

/// The value of a JSON text. `what` begins the message: "'model.safetensors': the header". Throws FileError on text
/// that is not JSON or not UTF-8 (with the position), on nesting beyond 64 levels, on more than two million values, and
/// on a key that stands twice in an object.
[[nodiscard]] inline nlohmann::json parse_json(std::string_view json, std::string_view what) {
  detail::JsonWatch watch;
  try {
    nlohmann::json::sax_parse(json, &watch);
    return nlohmann::json::parse(json);
  } catch (const nlohmann::json::parse_error& error) {
    // The parser quotes what it read last, which may be megabytes.
    throw FileError(
        text(what, " is not valid JSON at byte ", error.byte, ": ", std::string_view(error.what()).substr(0, 200)));
  } catch (const nlohmann::json::exception& error) {
    throw FileError(text(what, " is not usable: ", std::string_view(error.what()).substr(0, 200)));
  } catch (const FileError& error) {
    throw FileError(text(what, " is not usable: ", error.what()));
  }
}

/// A number that JSON can hold: infinities and NaN, which it has no words for, become strings.
[[nodiscard]] inline nlohmann::json json_number(double x) {
  return std::isfinite(x) ? nlohmann::json(x) : nlohmann::json(hex_float(x));
}

// The value of a JSON element, strictly: 1.5 and true are no whole numbers, three numbers are no pair (the parser's own
// conversions take all of these). Throws FileError with what was expected and what came.

namespace detail {
[[noreturn]] inline void unexpected_json(const nlohmann::json& json, std::string_view expected) {
  using Handler = nlohmann::json::error_handler_t;
  throw FileError(text("expected ", expected, ", got ", json.dump(-1, ' ', false, Handler::replace).substr(0, 60)));
}
}  // namespace detail

inline void read_json(const nlohmann::json& json, bool& value) {
  if (!json.is_boolean()) detail::unexpected_json(json, "true or false");
  value = json.get<bool>();
}
inline void read_json(const nlohmann::json& json, std::int64_t& value) {
  constexpr auto most = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
  if (!json.is_number_integer() || (json.is_number_unsigned() && json.get<std::uint64_t>() > most))
    detail::unexpected_json(json, "a whole number");
  value = json.get<std::int64_t>();
}
inline void read_json(const nlohmann::json& json, double& value) {
  if (!json.is_number() && !json.is_string()) detail::unexpected_json(json, "a number");
  value = json.is_string() ? parse_hex_float(json.get_ref<const std::string&>()) : json.get<double>();
}
inline void read_json(const nlohmann::json& json, std::string& value) {
  if (!json.is_string()) detail::unexpected_json(json, "a text");
  value = json.get_ref<const std::string&>();
}
template <class X>
void read_json(const nlohmann::json& json, std::vector<X>& values) {
  if (!json.is_array()) detail::unexpected_json(json, "a list");
  values.clear();
  for (const nlohmann::json& element : json) read_json(element, values.emplace_back());
}
template <class X, std::size_t n>
void read_json(const nlohmann::json& json, std::array<X, n>& values) {
  if (!json.is_array() || json.size() != n) detail::unexpected_json(json, text("a list of ", n));
  for (std::size_t i = 0; i < n; ++i) read_json(json[i], values[i]);
}

/// A string as JSON writes it, in quotes. Throws OptionError if it is not UTF-8.
[[nodiscard]] inline std::string json_string(std::string_view value) {
  try {
    return nlohmann::json(value).dump();
  } catch (const nlohmann::json::type_error&) {
    throw OptionError("a name or text to be saved is not UTF-8");
  }
}

}  // namespace mien::inline v0
