#pragma once
// Whole models as Keras saves them.

#include <filesystem>

#include <mien/core/compiled.hpp>
#include <mien/io/keras/load_options.hpp>
#include <mien/model/model.hpp>

namespace mien::inline v0 {

/// The model that a file of Keras holds, architecture and weights: Keras 2's `model.save("x.h5")` (also `.hdf5`, also
/// written by Keras 3) and Keras 3's `.keras`; Sequential or functional, models inside it included, of the layers that
/// mien has (and ReLU, ELU, Softmax, which become Activation). It predicts as in Keras, is not compiled, and can be
/// trained further: regularizers, initializers and frozen layers are as in the file.
///
/// - A model inside another becomes its layers. They keep their names; a name that more than one layer has is preceded
///   by the names of the models around it: "base/conv2d".
/// - Where a model or layer is called with training=False, its batch normalisations are frozen, which keeps them in
///   inference mode.
/// - An initializer that mien does not have is left at the layer's default: the weights come from the file.
/// - Not read: the optimizer's state and the arguments of compile; what is done to pixels before the model is not in
///   the file and is given in the options.
///
/// Throws FileError, with the layer's name and class, on layers that mien does not have, weights that are shared by
/// several calls of a layer, several inputs or outputs, channels first, constraints; with a table of what differs where
/// weights are missing or of another shape; on files that are damaged.
///
///     auto model = load_keras_model<float>("face.hdf5", {.preprocessing = {.scale = 1.0 / 255}});
template <class T>
[[nodiscard]] Model<T> load_keras_model(const std::filesystem::path& path, const LoadKerasOptions& options = {});

}  // namespace mien::inline v0

#if MIEN_DEFINES
#  include <mien/io/keras_model_impl.hpp>
#endif
