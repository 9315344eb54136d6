#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <mien/core/error.hpp>
#include <mien/core/shape.hpp>

namespace mien::inline v0 {

/// One layer of a summary table.
struct SummaryRow {
  std::string name, type;
  Shape shape;  ///< of one sample
  std::int64_t parameters = 0;
  std::vector<std::string> connections;  ///< names of the layers that it reads
  bool is_input = false;
};

/// What a summary says of a whole model.
struct SummaryTotals {
  std::int64_t trainable = 0, non_trainable = 0;
};

namespace detail {

/// Columns that end at the given positions; a text that is too long is cut so that one blank remains before the next
/// column.
class SummaryTable {
 public:
  explicit SummaryTable(std::vector<std::size_t> ends) : ends_(std::move(ends)) {}

  void rule(char c) { text_ += std::string(ends_.back(), c) + "\n"; }

  void row(const std::vector<std::string>& fields) {
    std::string line;
    for (std::size_t i = 0; i < fields.size() && i < ends_.size(); ++i) {
      if (i > 0) line.back() = ' ';
      line += fields[i];
      line.resize(ends_[i], ' ');
    }
    text_ += line + "\n";
  }

  void line(const std::string& line) { text_ += line + "\n"; }
  [[nodiscard]] const std::string& str() const { return text_; }

 private:
  std::vector<std::size_t> ends_;
  std::string text_;
};

/// 14714688 as "14,714,688".
[[nodiscard]] inline std::string with_commas(std::int64_t number) {
  std::string digits = text(number);
  for (auto i = static_cast<std::ptrdiff_t>(digits.size()) - 3; i > 0; i -= 3)
    digits.insert(static_cast<std::size_t>(i), ",");
  return digits;
}

[[nodiscard]] inline std::string summary_shape(const SummaryRow& row) {
  const std::string shape = row.shape.empty() ? "(None,)" : text("(None, ", join(row.shape), ")");
  return row.is_input ? text("[", shape, "]") : shape;
}

}  // namespace detail

/// The table of tf.keras up to 2.6: three columns for a chain of layers, a fourth with the connections for a graph.
[[nodiscard]] inline std::string summary_table(const std::string& model_name, const std::vector<SummaryRow>& rows,
                                               bool is_chain, const SummaryTotals& totals) {
  // Keras's line lengths and column shares: 65 x (.45, .85, 1) and 98 x (.33, .55, .67, 1), rounded down.
  detail::SummaryTable table(is_chain ? std::vector<std::size_t>{29, 55, 65}
                                      : std::vector<std::size_t>{32, 53, 65, 98});
  table.line(text("Model: \"", model_name, "\""));
  table.rule('_');
  table.row({"Layer (type)", "Output Shape", "Param #", "Connected to"});
  table.rule('=');
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const SummaryRow& row = rows[i];
    const auto connection = [&](std::size_t k) {
      return k < row.connections.size() ? row.connections[k] + "[0][0]" : "";
    };
    table.row({text(row.name, " (", row.type, ")"), detail::summary_shape(row), text(row.parameters), connection(0)});
    if (!is_chain)
      for (std::size_t k = 1; k < row.connections.size(); ++k) table.row({"", "", "", connection(k)});
    table.rule(i + 1 == rows.size() ? '=' : '_');
  }
  table.line("Total params: " + detail::with_commas(totals.trainable + totals.non_trainable));
  table.line("Trainable params: " + detail::with_commas(totals.trainable));
  table.line("Non-trainable params: " + detail::with_commas(totals.non_trainable));
  table.rule('_');
  return table.str();
}

}  // namespace mien::inline v0
