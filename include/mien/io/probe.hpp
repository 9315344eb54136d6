#pragma once
// Probes: an input and what a model's layers make of it, in a file, to find out later or elsewhere whether, and from
// which layer on, a model computes something else.

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include <mien/core/compiled.hpp>
#include <mien/core/tensor.hpp>
#include <mien/model/model.hpp>

namespace mien::inline v0 {

/// How a model's layers differ from a probe.
struct ProbeReport {
  struct Row {
    std::string layer;
    double difference = 0;  ///< the largest, divided by the largest number that the probe has for this layer
  };
  std::string file;
  double tolerance = 0;
  std::vector<Row> layers{};  ///< in the order of the model

  [[nodiscard]] bool departs(const Row& row) const { return !(row.difference <= tolerance); }
  /// The first layer that differs by more than the tolerance; "" if all agree.
  [[nodiscard]] std::string first_departure() const {
    for (const Row& row : layers)
      if (departs(row)) return row.layer;
    return "";
  }
  /// A line for each layer.
  [[nodiscard]] MIEN_INLINE std::string to_string() const;
};

/// Writes what every layer gives for a batch x (N, input) of at most 16, in inference, as safetensors: "input", and the
/// layers under their names. x is what predict takes: preprocessing is part of what is
/// probed. Throws ShapeError, FileError.
template <class T>
void save_probe(Model<T>& model, TensorView<const T> x, const std::filesystem::path& path);

/// Runs the model on the input of a probe and compares what it has of the layers. The file may be of any format that
/// `open_tensor_file` reads, so that another library can write it, channels last, with the input as it is before the
/// model's preprocessing:
///
///     np.savez("probe.npz", input=x, conv1=..., predictions=...)              # Python
///     std::cout << compare_with_probe(model, "probe.npz").to_string();        // C++
///
/// Throws FileError if it is no probe of this model: "input" is missing, a layer is unknown, a shape is another.
template <class T>
[[nodiscard]] ProbeReport compare_with_probe(Model<T>& model, const std::filesystem::path& path,
                                             double tolerance = 1e-4);

/// compare_with_probe, and FileError naming the first layer that departs if there is one.
template <class T>
void require_probe(Model<T>& model, const std::filesystem::path& path, double tolerance = 1e-4);

}  // namespace mien::inline v0

#if MIEN_DEFINES
#  include <mien/io/probe_impl.hpp>
#endif
