#pragma once
// What probe.hpp declares.

#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>
#include <type_traits>
#include <utility>

#include <mien/core/error.hpp>
#include <mien/io/formats/convert.hpp>
#include <mien/io/formats/open_tensor_file.hpp>
#include <mien/io/formats/safetensors.hpp>
#include <mien/io/probe.hpp>

namespace mien::inline v0 {

namespace io {

/// More samples prove no more, and a file should not decide how large a batch is.
inline constexpr std::int64_t max_probe_samples = 16;

/// A stored tensor as T, if it has that shape.
template <class T>
[[nodiscard]] Tensor<T> read_tensor(const TensorFile& file, const StoredTensor& stored, const Shape& expected) {
  if (stored.shape != expected)
    throw FileError(text("'", file.path(), "' is no probe of this model: '", stored.name, "' should be ", expected,
                         ", but is ", stored.shape));
  std::vector<std::byte> bytes(stored.bytes);
  file.read(stored, bytes);
  Tensor<T> tensor(expected);
  mien::detail::convert_numbers(stored.dtype, bytes, tensor.data());
  return tensor;
}

/// The largest difference by the largest number; infinity where one is not a number.
template <class T>
[[nodiscard]] double relative_difference(const Tensor<T>& got, const Tensor<T>& expected) {
  double largest = 0, difference = 0;
  for (std::int64_t i = 0; i < got.size(); ++i) {
    const double e = expected[i], d = std::abs(static_cast<double>(got[i]) - e);
    if (!std::isfinite(d)) return std::numeric_limits<double>::infinity();
    largest = std::max(largest, std::abs(e));
    difference = std::max(difference, d);
  }
  return difference == 0 ? 0 : difference / std::max(largest, std::numeric_limits<double>::min());
}

}  // namespace io

template <class T>
void save_probe(Model<T>& model, TensorView<const T> x, const std::filesystem::path& path) {
  const Shape& input = model.input_shape();
  const std::int64_t samples = x.shape().rank() > 0 ? x.shape()[0] : 0;
  if (samples < 1 || samples > io::max_probe_samples || x.shape() != input.with_batch(samples))
    throw ShapeError(text("a probe of model '", model.name(), "' is 1 to ", io::max_probe_samples, " samples of ",
                          input, ", got ", x.shape()));
  constexpr DType type = std::is_same_v<T, float> ? DType::f32 : DType::f64;
  const std::vector<std::string>& names = model.network().graph.names;
  std::vector<Tensor<T>> outputs;
  std::vector<NamedTensor> tensors{{"input", type, x.shape(), std::as_bytes(x.span())}};
  for (std::size_t i = 1; i < names.size(); ++i) outputs.push_back(model.output_of(names[i], x));
  for (std::size_t i = 1; i < names.size(); ++i)
    tensors.push_back({names[i], type, outputs[i - 1].shape(), std::as_bytes(outputs[i - 1].span())});
  write_safetensors(path, tensors, {{"format", "mien probe"}});
}

template <class T>
ProbeReport compare_with_probe(Model<T>& model, const std::filesystem::path& path, double tolerance) {
  const std::unique_ptr<TensorFile> file = open_tensor_file(path);
  const StoredTensor* input = file->find("input");
  if (input == nullptr) throw FileError(text("'", file->path(), "' is no probe: it has no tensor 'input'"));
  const std::int64_t samples = input->shape.rank() > 0 ? input->shape[0] : 0;
  if (samples < 1 || samples > io::max_probe_samples)
    throw FileError(text("'", file->path(), "' is no probe: it has ", samples, " samples; 1 to ", io::max_probe_samples,
                         " are allowed"));
  const Tensor<T> x = io::read_tensor<T>(*file, *input, model.input_shape().with_batch(samples));
  const Network<T>& network = model.network();
  ProbeReport report{.file = file->path(), .tolerance = tolerance};
  for (int node = 1; node < network.size(); ++node) {
    const std::string& layer = network.graph.names[static_cast<std::size_t>(node)];
    const StoredTensor* stored = file->find(layer);
    if (stored == nullptr) continue;
    const Tensor<T> expected = io::read_tensor<T>(*file, *stored, network.shape(node).with_batch(samples));
    report.layers.push_back({layer, io::relative_difference(model.output_of(layer, x), expected)});
  }
  if (report.layers.size() + 1 != file->tensors().size() || report.layers.empty())
    throw FileError(text("'", file->path(), "' is no probe of this model: of its ", file->tensors().size() - 1,
                         " layers the model has ", report.layers.size()));
  return report;
}

template <class T>
void require_probe(Model<T>& model, const std::filesystem::path& path, double tolerance) {
  const ProbeReport report = compare_with_probe(model, path, tolerance);
  for (const ProbeReport::Row& row : report.layers)
    if (report.departs(row))
      throw FileError(text("'", report.file, "': model '", model.name(), "' departs from its probe at layer '",
                           row.layer, "', by ", row.difference, " of its largest number; at most ", tolerance,
                           " is allowed"));
}

MIEN_INLINE std::string ProbeReport::to_string() const {
  std::size_t width = 0;
  for (const Row& row : layers) width = std::max(width, row.layer.size() + 2);
  const std::string first = first_departure();
  std::string out =
      text("'", file, "': ", layers.size(), " layers compared, ",
           first.empty() ? "all agree" : "the first that departs is '" + first + "'", " (tolerance ", tolerance, ")\n");
  for (const Row& row : layers) {
    std::string name = row.layer;
    name.resize(width, ' ');
    out += text("  ", name, row.difference, departs(row) ? "  departs" : "", "\n");
  }
  return out;
}

}  // namespace mien::inline v0
