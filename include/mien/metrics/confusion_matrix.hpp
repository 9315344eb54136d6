#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <string>
#include <utility>
#include <vector>

#include <mien/core/error.hpp>

namespace mien::inline v0 {

/// Counts of (actual class, predicted class): which emotions are taken for which.
///
///     ConfusionMatrix matrix({"angry", "happy", "sad"});
///     matrix.add(0, 2);                                   // an angry face that was taken for a sad one
///     std::cout << matrix.to_string();
class ConfusionMatrix {
 public:
  /// Classes with names; a class without one is shown as its number.
  explicit ConfusionMatrix(std::vector<std::string> names)
      : names_(std::move(names)), counts_(names_.size() * names_.size()) {}
  explicit ConfusionMatrix(std::int64_t classes) : ConfusionMatrix(numbers(classes)) {}

  [[nodiscard]] std::int64_t classes() const { return static_cast<std::int64_t>(names_.size()); }
  [[nodiscard]] const std::vector<std::string>& names() const { return names_; }

  /// Throws OptionError unless both are in 0 ... classes-1.
  void add(std::int64_t actual, std::int64_t predicted, std::int64_t samples = 1) {
    counts_[index(actual, predicted)] += samples;
  }
  [[nodiscard]] std::int64_t count(std::int64_t actual, std::int64_t predicted) const {
    return counts_[index(actual, predicted)];
  }

  [[nodiscard]] std::int64_t total() const {
    std::int64_t sum = 0;
    for (const std::int64_t n : counts_) sum += n;
    return sum;
  }
  /// Samples of that class.
  [[nodiscard]] std::int64_t actual_total(std::int64_t actual) const {
    std::int64_t sum = 0;
    for (std::int64_t k = 0; k < classes(); ++k) sum += count(actual, k);
    return sum;
  }
  /// Samples taken for that class.
  [[nodiscard]] std::int64_t predicted_total(std::int64_t predicted) const {
    std::int64_t sum = 0;
    for (std::int64_t k = 0; k < classes(); ++k) sum += count(k, predicted);
    return sum;
  }

  /// The fraction of samples on the diagonal; 0 of none.
  [[nodiscard]] double accuracy() const {
    std::int64_t hits = 0;
    for (std::int64_t k = 0; k < classes(); ++k) hits += count(k, k);
    return ratio(hits, total());
  }
  /// Of the samples taken for the class, the fraction that are of it; 0 of none.
  [[nodiscard]] double precision(std::int64_t k) const { return ratio(count(k, k), predicted_total(k)); }
  /// Of the samples of the class, the fraction that were recognised; 0 of none.
  [[nodiscard]] double recall(std::int64_t k) const { return ratio(count(k, k), actual_total(k)); }
  /// Harmonic mean of precision and recall.
  [[nodiscard]] double f1(std::int64_t k) const { return ratio(2 * count(k, k), actual_total(k) + predicted_total(k)); }

  /// A table: a row an actual class, a column a predicted one, with recall at the right and precision below.
  [[nodiscard]] std::string to_string() const;
  /// The counts as CSV, names in the first row and column; names with commas, quotes or line ends are quoted.
  [[nodiscard]] std::string to_csv() const;

 private:
  static std::vector<std::string> numbers(std::int64_t classes) {
    std::vector<std::string> names;
    for (std::int64_t k = 0; k < classes; ++k) names.push_back(text(k));
    return names;
  }
  static double ratio(std::int64_t a, std::int64_t b) {
    return b == 0 ? 0.0 : static_cast<double>(a) / static_cast<double>(b);
  }
  [[nodiscard]] std::size_t index(std::int64_t actual, std::int64_t predicted) const {
    if (std::min(actual, predicted) < 0 || std::max(actual, predicted) >= classes())
      throw OptionError(text("a confusion matrix of ", classes(), " classes got actual class ", actual,
                             " and predicted class ", predicted, ": expected numbers from 0 to ", classes() - 1));
    return static_cast<std::size_t>(actual * classes() + predicted);
  }

  std::vector<std::string> names_;
  std::vector<std::int64_t> counts_;
};

inline std::string ConfusionMatrix::to_string() const {
  const auto percent = [](double fraction) {
    char digits[16];
    std::snprintf(digits, sizeof digits, "%.1f%%", 100 * fraction);
    return std::string(digits);
  };
  std::vector<std::vector<std::string>> rows(1);
  rows[0].push_back("actual \\ predicted");
  rows[0].insert(rows[0].end(), names_.begin(), names_.end());
  rows[0].push_back("recall");
  for (std::int64_t i = 0; i < classes(); ++i) {
    rows.push_back({names_[static_cast<std::size_t>(i)]});
    for (std::int64_t k = 0; k < classes(); ++k) rows.back().push_back(text(count(i, k)));
    rows.back().push_back(percent(recall(i)));
  }
  rows.push_back({"precision"});
  for (std::int64_t k = 0; k < classes(); ++k) rows.back().push_back(percent(precision(k)));
  rows.back().push_back(percent(accuracy()));

  std::vector<std::size_t> widths(rows[0].size());
  for (const auto& row : rows)
    for (std::size_t c = 0; c < row.size(); ++c) widths[c] = std::max(widths[c], row[c].size());
  std::string out;
  for (const auto& row : rows) {
    out += row[0] + std::string(widths[0] - row[0].size(), ' ');
    for (std::size_t c = 1; c < row.size(); ++c) out += std::string(2 + widths[c] - row[c].size(), ' ') + row[c];
    out += '\n';
  }
  return out;
}

inline std::string ConfusionMatrix::to_csv() const {
  const auto field = [](const std::string& name) {
    if (name.find_first_of(",\"\r\n") == std::string::npos) return name;
    std::string quoted = "\"";
    for (const char c : name) quoted += c == '"' ? std::string("\"\"") : std::string(1, c);
    return quoted + '"';
  };
  std::string out = "actual";
  for (const std::string& name : names_) out += ',' + field(name);
  out += '\n';
  for (std::int64_t i = 0; i < classes(); ++i) {
    out += field(names_[static_cast<std::size_t>(i)]);
    for (std::int64_t k = 0; k < classes(); ++k) out += text(',', count(i, k));
    out += '\n';
  }
  return out;
}

}  // namespace mien::inline v0
