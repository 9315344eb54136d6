#pragma once
// Whole models as Keras saves them: `load_keras_model` and `save_keras_model`.

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

/// Writes architecture and weights as Keras 2's `model.save("x.h5")` does: Keras's `load_model` opens the file, and so
/// does load_keras_model. A chain that was made as a Sequential is one there, everything else is functional.
///
/// - Not written: the preprocessing, so that Keras's model takes pixels that are prepared already; the optimizer and
///   its state (Keras says that the model is not compiled); BatchNormalization's `bessel`, which is the version's.
/// - The names of layers and whether they are trainable, their regularizers and initializers are.
///
/// The file of that name is replaced when all is on the disk, and left alone on any failure. Throws OptionError, with
/// the layer's name, on a layer or initializer that Keras has no like of, numbers that are not finite and names that
/// JSON or HDF5 cannot hold; FileError.
///
///     save_keras_model(model, "face.h5");     // Python: keras.models.load_model("face.h5")
template <class T>
void save_keras_model(const Model<T>& model, const std::filesystem::path& path);

}  // namespace mien::inline v0

#if MIEN_DEFINES
#  include <mien/io/keras_model_impl.hpp>
#endif
