#pragma once
// The types that layers' options are made of, and how an options struct shows its members to files.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <mien/activations/activation.hpp>
#include <mien/core/arithmetic.hpp>
#include <mien/core/shape.hpp>
#include <mien/initializers/initializer.hpp>
#include <mien/regularizers/regularizer.hpp>

namespace mien::inline v0 {

/// Rows and columns of a window, a stride, a picture: `.kernel_size = 3` is 3 x 3, `.kernel_size = {1, 5}` is one row
/// of five.
struct Size2D {
  std::int64_t height = 1, width = 1;

  constexpr Size2D() = default;
  constexpr Size2D(std::int64_t both) : height(both), width(both) {}  // NOLINT: a number is a square
  constexpr Size2D(std::int64_t rows, std::int64_t columns) : height(rows), width(columns) {}

  [[nodiscard]] std::string to_string() const { return text("(", height, ", ", width, ")"); }
  friend constexpr bool operator==(const Size2D&, const Size2D&) = default;
};

/// 'valid': windows inside the picture only. 'same': ceil(n / stride) outputs; the odd row or column of padding goes
/// bottom, right.
enum class Padding : int { valid, same };

/// Rows or columns added on the four sides: `.padding = 3`, `{1, 2}` (rows, columns), or all four.
struct Border2D {
  std::int64_t top = 0, bottom = 0, left = 0, right = 0;

  constexpr Border2D() = default;
  constexpr Border2D(std::int64_t all)
      : top(all), bottom(all), left(all), right(all) {}  // NOLINT: a number is all sides
  constexpr Border2D(std::int64_t rows, std::int64_t columns)
      : top(rows), bottom(rows), left(columns), right(columns) {}
  constexpr Border2D(std::int64_t t, std::int64_t b, std::int64_t l, std::int64_t r)
      : top(t), bottom(b), left(l), right(r) {}
  friend constexpr bool operator==(const Border2D&, const Border2D&) = default;
};

/// Sees the options of a layer by name, in the order of the struct, and may change them: one function of a layer serves
/// writing, reading and comparing. Implemented by io/ for JSON.
class OptionVisitor {
 public:
  virtual ~OptionVisitor() = default;
  virtual void operator()(const char* name, bool& value) = 0;
  virtual void operator()(const char* name, std::int64_t& value) = 0;
  virtual void operator()(const char* name, double& value) = 0;
  virtual void operator()(const char* name, std::string& value) = 0;
  virtual void operator()(const char* name, std::vector<double>& value) = 0;
  virtual void operator()(const char* name, std::vector<std::int64_t>& value) = 0;
  virtual void operator()(const char* name, Size2D& value) = 0;
  virtual void operator()(const char* name, std::optional<Size2D>& value) = 0;
  virtual void operator()(const char* name, Border2D& value) = 0;
  virtual void operator()(const char* name, Padding& value) = 0;
  virtual void operator()(const char* name, Arithmetic& value) = 0;
  virtual void operator()(const char* name, ActivationFunction& value) = 0;
  virtual void operator()(const char* name, Initializer& value) = 0;
  virtual void operator()(const char* name, Regularizer& value) = 0;
};

}  // namespace mien::inline v0
