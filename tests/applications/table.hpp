#pragma once
// Tables of layers as data.

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include <mien/mien.hpp>

namespace tables {

using namespace mien;

/// One line of a table.
struct Row {
  std::string name, type;
  Shape shape;
  std::int64_t parameters;
  std::vector<std::string> inputs{};  ///< compared where it is given
};

/// What a graph consists of, without its weights.
inline std::vector<Row> table(const Node& input, const Node& output) {
  const Network<float> network(input, output);
  const Topology& graph = network.graph;
  std::vector<Row> rows;
  for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
    Row& row = rows.emplace_back(
        Row{graph.names[i], std::string(graph.nodes[i].layer().type()), graph.nodes[i].shape(), 0, {}});
    for (const int source : graph.inputs[i]) row.inputs.push_back(graph.names[static_cast<std::size_t>(source)]);
    for (const ParameterSpec& spec : network.parameter_specs[i]) row.parameters += spec.shape.size();
  }
  return rows;
}

inline std::string to_string(const Row& row) {
  return text(row.name, " (", row.type, ") ", row.shape, " ", row.parameters, " reads ", join(row.inputs));
}

/// Compares the rows from `first` on with what is expected there.
inline void check_rows(const std::vector<Row>& rows, std::size_t first, const std::vector<Row>& expected) {
  REQUIRE(first + expected.size() <= rows.size());
  for (std::size_t i = 0; i < expected.size(); ++i) {
    const Row &row = rows[first + i], &wanted = expected[i];
    CHECK_MESSAGE((row.name == wanted.name && row.type == wanted.type && row.shape == wanted.shape &&
                   row.parameters == wanted.parameters && (wanted.inputs.empty() || row.inputs == wanted.inputs)),
                  "row ", first + i, ": expected ", to_string(wanted), ", got ", to_string(row));
  }
}

inline std::int64_t total(const std::vector<Row>& rows) {
  std::int64_t sum = 0;
  for (const Row& row : rows) sum += row.parameters;
  return sum;
}

/// Whether a model's summary closes with these three lines.
inline bool has_totals(const Model<float>& model, const char* all, const char* trainable, const char* others) {
  return model.summary().find(text("Total params: ", all, "\nTrainable params: ", trainable,
                                   "\nNon-trainable params: ", others, "\n")) != std::string::npos;
}

}  // namespace tables
