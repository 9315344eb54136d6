#pragma once

#include <algorithm>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include <mien/core/error.hpp>
#include <mien/model/logs.hpp>
#include <mien/model/number_format.hpp>

namespace mien::inline v0 {

namespace detail {

/// What follows the colon in {val_loss:08.2f}.
struct FieldFormat {
  char fill = ' ';
  int width = -1;    ///< -1: not given
  int digits = -1;   ///< -1: not given
  char kind = '\0';  ///< d, f, e, or nothing

  /// Throws OptionError on anything else.
  static FieldFormat parse(std::string_view pattern, std::string_view field, std::string_view spec) {
    FieldFormat format;
    const char* at = spec.data();
    const char* const end = at + spec.size();
    const auto number = [&] {  // up to 99; -1: there is none
      int n = -1;
      while (at != end && *at >= '0' && *at <= '9' && n < 10) n = std::max(n, 0) * 10 + (*at++ - '0');
      return n;
    };
    if (at != end && *at == '0') format.fill = *at++;
    format.width = number();
    const bool point = at != end && *at == '.';
    if (point) ++at;
    if (point) format.digits = number();
    if (at != end) format.kind = *at++;
    const bool real = format.kind == 'f' || format.kind == 'e';
    const bool known = real || format.kind == 'd' || format.kind == '\0';
    if (at != end || !known || (point && (!real || format.digits < 0)))
      throw OptionError(text("file name '", pattern, "': {", field, ":", spec,
                             "} is not understood; formats are like 02d, .4f, 8.2f and .3e"));
    return format;
  }

  [[nodiscard]] std::string apply(std::string number) const {
    const auto wide = static_cast<std::size_t>(std::max(width, 0));
    if (number.size() >= wide) return number;
    const std::size_t sign = fill == '0' && number[0] == '-' ? 1 : 0;
    return number.insert(sign, wide - number.size(), fill);
  }
};

/// One {field}, without its braces.
[[nodiscard]] inline std::string format_field(std::string_view pattern, std::string_view inside, int epoch,
                                              const Logs& logs) {
  const std::size_t colon = std::min(inside.find(':'), inside.size());
  const std::string_view name = inside.substr(0, colon);
  const FieldFormat format = FieldFormat::parse(pattern, name, inside.substr(std::min(colon + 1, inside.size())));
  const bool real = format.kind == 'f' || format.kind == 'e';
  if (name == "epoch" && !real) return format.apply(text(epoch + 1));
  const std::optional<double> value = name == "epoch" ? epoch + 1 : logs.get(name);
  if (!value)
    throw OptionError(text("file name '", pattern, "': there is no '", name, "' in the logs, there are: epoch, ",
                           join(logs.names())));
  if (format.kind == 'd')
    throw OptionError(text("file name '", pattern, "': d writes whole numbers, '", name, "' is ", *value, "; write {",
                           name, ":.4f}"));
  if (!real) return format.apply(text(*value));
  return format.apply(with_digits(*value, format.digits < 0 ? 6 : format.digits, format.kind == 'e'));
}

}  // namespace detail

/// A file name with the numbers of an epoch in it, in Python's notation. {epoch} counts from 1 in the name, though it
/// is given counted from 0; {{ and }} are braces. Throws OptionError on an unknown name or format.
///
///     format_path("m.{epoch:02d}-{val_loss:.2f}.safetensors", 6, {{"val_loss", 0.466}})     m.07-0.47.safetensors
[[nodiscard]] inline std::string format_path(std::string_view pattern, int epoch, const Logs& logs) {
  std::string path;
  for (std::size_t i = 0; i < pattern.size(); ++i) {
    const char c = pattern[i];
    const bool brace = c == '{' || c == '}';
    if (!brace || pattern.substr(i + 1, 1) == pattern.substr(i, 1)) {
      path += c;
      if (brace) ++i;
      continue;
    }
    const std::size_t close = c == '{' ? pattern.find('}', i) : std::string_view::npos;
    if (close == std::string_view::npos)
      throw OptionError(text("file name '", pattern, "': the brace at character ", i + 1,
                             " has no partner; write {{ or }} for a brace"));
    path += detail::format_field(pattern, pattern.substr(i + 1, close - i - 1), epoch, logs);
    i = close;
  }
  return path;
}

}  // namespace mien::inline v0
