#pragma once
// Errors say who complains (a layer, a file), what was expected, what came, and what to do.

#include <array>
#include <charconv>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

namespace mien::inline v0 {

/// What every exception of the library derives from.
class Error : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// A shape that a layer, a model or a tensor cannot take.
class ShapeError : public Error {
 public:
  using Error::Error;
};

/// An option out of its range, or a call that does not fit the state of the object.
class OptionError : public Error {
 public:
  using Error::Error;
};

/// A file that is missing, unreadable, damaged, or that does not fit.
class FileError : public Error {
 public:
  using Error::Error;
};

namespace detail {

template <class X>
[[gnu::cold]] void append_text(std::string& out, const X& x) {
  if constexpr (std::is_convertible_v<const X&, std::string_view>) {
    out += std::string_view(x);
  } else if constexpr (std::is_same_v<X, char>) {
    out += x;
  } else if constexpr (std::is_same_v<X, bool>) {
    out += x ? "true" : "false";
  } else if constexpr (std::is_arithmetic_v<X>) {
    std::array<char, 48> digits{};
    out.append(digits.data(), std::to_chars(digits.data(), digits.data() + digits.size(), x).ptr);
  } else {
    out += x.to_string();
  }
}

}  // namespace detail

/// The arguments one after the other as text: strings, numbers (shortest form that reads back), anything with
/// to_string().
/// Cold: it is called to throw, and is neither inlined nor optimised for speed, which saves its users' compile time.
template <class... Parts>
[[nodiscard, gnu::cold, gnu::noinline]] std::string text(const Parts&... parts) {
  std::string out;
  (detail::append_text(out, parts), ...);
  return out;
}

/// The elements of a list as text with a separator between them.
template <class List>
[[nodiscard, gnu::cold, gnu::noinline]] std::string join(const List& list, std::string_view separator = ", ") {
  std::string out;
  bool first = true;
  for (const auto& item : list) {
    if (!first) out += separator;
    detail::append_text(out, item);
    first = false;
  }
  return out;
}

}  // namespace mien::inline v0
