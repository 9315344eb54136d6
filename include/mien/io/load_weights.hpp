#pragma once
// Weights of any file into a model: Keras's, PyTorch's, numpy's, mien's own.

#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include <mien/core/compiled.hpp>
#include <mien/core/shape.hpp>
#include <mien/io/formats/dtype.hpp>
#include <mien/model/model.hpp>
#include <mien/model/preprocessing.hpp>

namespace mien::inline v0 {

/// The arguments of load_weights.
struct LoadWeightsOptions {
  /// Every parameter must be in the file, and every tensor of the file must belong to the model. Without it, what both
  /// have (by name) is loaded if its shape fits, and the report says what was left; a file that fits nowhere is
  /// refused.
  bool strict = true;
  std::FILE* print_to = stdout;  ///< takes the table of what was done; nullptr: nobody does
};

/// What load_weights did with each parameter and each tensor.
struct WeightReport {
  struct Row {
    std::string parameter, tensor;  ///< names; no tensor: the file's layer does without, the value is what that means
    Shape shape, stored_shape;
    DType dtype = DType::f32;
    std::string change{};         ///< what was done: "OIHW to HWIO", "transposed", ...; empty: as it lies there
    std::int64_t not_finite = 0;  ///< how many of its values are NaN or infinite
  };
  struct Tensor {
    std::string name;
    Shape shape;
  };

  std::string file{}, format{}, model{};
  std::string matched_by{};          ///< "name", "torchvision's names", "order of the layers", ...
  std::vector<Row> matched{};        ///< in the order of the model's parameters
  std::vector<Tensor> missing{};     ///< parameters that keep their values
  std::vector<Tensor> extra{};       ///< tensors that were not used
  std::vector<std::string> notes{};  ///< what the reader should know
  /// What the model that was saved does to pixels, without its classes, if the file is mien's own.
  std::optional<Preprocessing> preprocessing{};

  /// The parameters whose stored shape or order was another.
  [[nodiscard]] std::vector<Row> reshaped() const {
    std::vector<Row> rows;
    for (const Row& row : matched)
      if (!row.change.empty()) rows.push_back(row);
    return rows;
  }
  /// A table of all of it.
  [[nodiscard]] MIEN_INLINE std::string to_string() const;
};

/// Reads the weights of a file into a model and prints a table of what went where. Whatever wrote the file
/// (`open_tensor_file`), PyTorch's convolution kernels (K, C, R, S) become (R, S, C, K), its dense ones (out, in)
/// become (in, out), with rows in channels-last order after a Flatten; half and double precision are converted. Layers
/// are matched
///
/// 1. by name, with or without what all names in the file begin with ("module."); or by what torchvision calls the
/// layers of VGG16 and ResNet50, keras.applications called those of
///    ResNet50 before 2019, and Keras 3 calls them in `.weights.h5`;
/// 2. if some have no partner, by their order, the layers without weights left out: then all shapes must fit.
///
/// What else a file says is held against the model: options of layers that are not as they were in a model of mien's
/// `save` or in a whole model of Keras 2 are noted, and of the two ResNet50, whose shapes are the same, one is refused
/// for the other where the file tells which it has.
///
/// All or nothing. Everything is checked, and every byte that will be used is read once, before the first weight is
/// changed; then it is read again, a piece at a time, into its place, so that no second copy of the weights is needed.
/// Only if the file is changed or cut by others between the two is the model left with some weights old and some new,
/// and the FileError says so. NaN and infinities load and are reported. Throws FileError with a table of what does not
/// fit.
///
///     Model<float> model(resnet50({.stride_in_3x3 = true, .epsilon = 1e-5}));
///     load_weights(model, "resnet50-0676ba61.pth");
template <class T>
WeightReport load_weights(Model<T>& model, const std::filesystem::path& path, const LoadWeightsOptions& options = {});

}  // namespace mien::inline v0

#if MIEN_DEFINES
#  include <mien/io/load_weights_impl.hpp>
#endif
