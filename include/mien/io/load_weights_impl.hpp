#pragma once
// What load_weights.hpp declares.

#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <mien/core/error.hpp>
#include <mien/core/log.hpp>
#include <mien/io/formats/open_tensor_file.hpp>
#include <mien/io/load_weights.hpp>
#include <mien/io/weights/compare_with_saved.hpp>
#include <mien/io/weights/match.hpp>
#include <mien/io/weights/model_layers.hpp>
#include <mien/io/weights/placement.hpp>
#include <mien/io/weights/saved_model.hpp>
#include <mien/io/weights/source_checks.hpp>
#include <mien/io/weights/stored_layers.hpp>

namespace mien::inline v0 {

namespace io {

/// What does not fit, one line for each.
[[nodiscard]] inline std::string complaints(const Matching& matching, const std::vector<Parameter>& parameters) {
  std::vector<std::string> lines = matching.unfit;
  for (const std::size_t i : matching.missing)
    lines.push_back(text("  missing in the file   ", parameters[i].name, " ", parameters[i].shape));
  for (const StoredTensor* tensor : matching.extra)
    lines.push_back(text("  unknown to the model  ", tensor->name, " ", tensor->shape));
  constexpr std::size_t most = 100;
  if (lines.size() > most) {
    const std::size_t left_out = lines.size() - most;
    lines.resize(most);
    lines.push_back(text("  and ", left_out, " more"));
  }
  return join(lines, "\n");
}

/// The matching of a file with a model. Throws FileError unless it is good enough to load.
[[nodiscard]] inline Matching match_file(const TensorFile& file, const StoredLayers& stored, const Topology& graph,
                                         const std::vector<ModelLayer>& layers,
                                         const std::vector<Parameter>& parameters, std::string_view model,
                                         const LoadWeightsOptions& options, WeightReport& report) {
  Matching matching = Matcher(layers, parameters, stored).match();
  require_stride_in_3x3(graph, layers, matching, file.path());
  if ((options.strict && !matching.is_complete()) || (matching.matches.empty() && !parameters.empty()))
    throw FileError(text("'", file.path(), "' (", file.format(), ") does not fit model '", model,
                         "', whose weights were not changed:\n", complaints(matching, parameters),
                         options.strict && !matching.matches.empty()
                             ? "\nWith {.strict = false}, load_weights takes what fits and leaves the rest."
                             : ""));
  if (std::string note = epsilon_note(graph, layers, matching); !note.empty()) report.notes.push_back(std::move(note));
  for (const std::string& line : matching.unfit) report.notes.push_back("left out:" + line);
  return matching;
}

/// The report, before any value was read.
inline void describe(const Matching& matching, const TensorFile& file, const std::vector<Parameter>& parameters,
                     WeightReport& report) {
  report.file = file.path();
  report.format = file.format();
  report.matched_by = matching.how;
  for (const ParameterMatch& match : matching.matches) {
    const Parameter& parameter = parameters[match.parameter];
    const bool stored = match.tensor != nullptr;
    report.matched.push_back({.parameter = parameter.name,
                              .tensor = stored ? match.tensor->name : "",
                              .shape = parameter.shape,
                              .stored_shape = stored ? match.tensor->shape : parameter.shape,
                              .dtype = stored ? match.tensor->dtype : DType::f32,
                              .change = match.change});
  }
  std::vector<bool> has(parameters.size(), false);
  for (const ParameterMatch& match : matching.matches) has[match.parameter] = true;
  for (std::size_t i = 0; i < parameters.size(); ++i)
    if (!has[i]) report.missing.push_back({parameters[i].name, parameters[i].shape});
  for (const StoredTensor* tensor : matching.extra) report.extra.push_back({tensor->name, tensor->shape});
}

/// "1 value is", "3 values are".
[[nodiscard]] inline std::string values_are(std::int64_t count) {
  return text(count, count == 1 ? " value is" : " values are");
}

/// A line about what is not finite in the weights that were read; empty if everything is.
[[nodiscard]] inline std::string not_finite_note(const WeightReport& report) {
  std::int64_t count = 0;
  const WeightReport::Row* first = nullptr;
  for (const WeightReport::Row& row : report.matched) {
    count += row.not_finite;
    if (first == nullptr && row.not_finite > 0) first = &row;
  }
  return count == 0 ? "" : text(values_are(count), " NaN or infinite, the first of '", first->parameter, "'");
}

/// Writes one parameter.
template <class T>
void write_parameter(const TensorFile& file, const ParameterMatch& match, const TensorView<T>& to) {
  if (match.tensor == nullptr) {
    std::fill(to.begin(), to.end(), static_cast<T>(match.fill));
    return;
  }
  ParameterWriter<T> writer(match.placement, match.tensor->dtype, to);
  file.stream(*match.tensor, [&](std::span<const std::byte> bytes) { writer(bytes); });
  writer.flush();
}

}  // namespace io

template <class T>
WeightReport load_weights(Model<T>& model, const std::filesystem::path& path, const LoadWeightsOptions& options) {
  const std::unique_ptr<TensorFile> file = open_tensor_file(path);
  const io::StoredLayers stored = io::stored_layers(*file);
  const std::vector<Parameter>& parameters = model.parameters();
  const Topology& graph = model.network().graph;
  const std::vector<io::ModelLayer> layers = io::model_layers(graph, parameters);
  WeightReport report{.model = model.name()};
  const io::Matching matching = io::match_file(*file, stored, graph, layers, parameters, model.name(), options, report);
  const io::SavedModel saved = io::saved_model_of(*file);
  for (std::string& note : io::compare_with_saved(saved, graph, layers, matching, model.preprocessing(), file->path()))
    report.notes.push_back(std::move(note));
  if (saved.layers.empty())
    if (std::string note = io::stride_note(graph, layers, matching, *file); !note.empty())
      report.notes.push_back(std::move(note));
  report.preprocessing = saved.preprocessing;
  io::describe(matching, *file, parameters, report);
  for (std::size_t i = 0; i < matching.matches.size(); ++i)
    if (const StoredTensor* tensor = matching.matches[i].tensor; tensor != nullptr)
      report.matched[i].not_finite = io::count_not_finite<T>(*file, *tensor);
  if (std::string note = io::not_finite_note(report); !note.empty()) report.notes.push_back(std::move(note));

  const ParameterBlock<T>& values = model.values();
  try {
    for (const io::ParameterMatch& match : matching.matches)
      io::write_parameter<T>(*file, match, values[match.parameter]);
  } catch (const FileError& error) {
    throw FileError(text(error.what(), "; it was intact a moment ago, so it was changed while it was read: model '",
                         model.name(), "' now has some of its old weights and some of the new"));
  }
  if (options.print_to != nullptr) write_to(options.print_to, report.to_string());
  return report;
}

MIEN_INLINE std::string WeightReport::to_string() const {
  const auto padded = [](std::string column, std::size_t width) {
    column.resize(std::max(column.size() + 2, width), ' ');
    return column;
  };
  std::size_t names = 12, tensors = 12, shapes = 12;
  for (const Row& row : matched) {
    names = std::max(names, row.parameter.size() + 2);
    tensors = std::max(tensors, row.tensor.size() + 2);
    shapes = std::max(shapes, row.shape.to_string().size() + 2);
  }
  std::string out =
      text("'", file, "' (", format, ") into model '", model, "': ", matched.size(), " matched by ", matched_by, ", ",
           reshaped().size(), " reshaped, ", missing.size(), " missing, ", extra.size(), " extra\n");
  for (const Row& row : matched) {
    const std::string from = row.stored_shape == row.shape ? "" : text("from ", row.stored_shape, " ");
    const std::string nans = row.not_finite == 0 ? "" : text("  ", io::values_are(row.not_finite), " NaN or infinite");
    std::string line =
        text("  matched  ", padded(row.parameter, names), padded(row.tensor, tensors),
             padded(row.shape.to_string(), shapes), mien::to_string(row.dtype), " ", from, row.change, nans);
    line.erase(line.find_last_not_of(' ') + 1);
    out += line + "\n";
  }
  for (const Tensor& tensor : missing) out += text("  missing  ", padded(tensor.name, names), tensor.shape, "\n");
  for (const Tensor& tensor : extra) out += text("  extra    ", padded(tensor.name, names), tensor.shape, "\n");
  for (const std::string& note : notes) out += text("  note: ", note, "\n");
  return out;
}

}  // namespace mien::inline v0
