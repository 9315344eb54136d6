#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include <mien/graph/options.hpp>

namespace mien::inline v0::testing {

/// The options of a layer by name, as visit_options shows them: recorded from one object, put into another.
class OptionRecord final : public OptionVisitor {
 public:
  using Value =
      std::variant<bool, std::int64_t, double, std::string, std::vector<double>, std::vector<std::int64_t>, Size2D,
                   std::optional<Size2D>, Border2D, Padding, Arithmetic, ActivationFunction, Initializer, Regularizer>;

  template <class Options>
  [[nodiscard]] static OptionRecord of(Options options) {
    OptionRecord record;
    options.visit_options(record);
    return record;
  }
  /// Writes the recorded values over those of `options`.
  template <class Options>
  void put_into(Options& options) {
    next_ = 0;
    options.visit_options(*this);
    next_ = recording;
  }
  [[nodiscard]] const std::vector<std::pair<std::string, Value>>& values() const { return values_; }

  void operator()(const char* name, bool& value) override { visit(name, value); }
  void operator()(const char* name, std::int64_t& value) override { visit(name, value); }
  void operator()(const char* name, double& value) override { visit(name, value); }
  void operator()(const char* name, std::string& value) override { visit(name, value); }
  void operator()(const char* name, std::vector<double>& value) override { visit(name, value); }
  void operator()(const char* name, std::vector<std::int64_t>& value) override { visit(name, value); }
  void operator()(const char* name, Size2D& value) override { visit(name, value); }
  void operator()(const char* name, std::optional<Size2D>& value) override { visit(name, value); }
  void operator()(const char* name, Border2D& value) override { visit(name, value); }
  void operator()(const char* name, Padding& value) override { visit(name, value); }
  void operator()(const char* name, Arithmetic& value) override { visit(name, value); }
  void operator()(const char* name, ActivationFunction& value) override { visit(name, value); }
  void operator()(const char* name, Initializer& value) override { visit(name, value); }
  void operator()(const char* name, Regularizer& value) override { visit(name, value); }

 private:
  static constexpr std::size_t recording = static_cast<std::size_t>(-1);

  template <class T>
  void visit(const char* name, T& value) {
    if (next_ == recording)
      values_.emplace_back(name, value);
    else
      value = std::get<T>(values_.at(next_++).second);
  }

  std::vector<std::pair<std::string, Value>> values_;
  std::size_t next_ = recording;
};

}  // namespace mien::inline v0::testing
