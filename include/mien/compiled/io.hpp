#pragma once
// Reading and writing models in mien::compiled.

#include <mien/compiled/model.hpp>
#include <mien/io/keras_model.hpp>
#include <mien/io/load_weights.hpp>
#include <mien/io/model_file.hpp>
#include <mien/io/probe.hpp>

#if defined(MIEN_COMPILED)
#  if defined(MIEN_COMPILING_IO)
#    define MIEN_TEMPLATE template
#  else
#    define MIEN_TEMPLATE extern template
#  endif

namespace mien::inline v0 {

#  define MIEN_COMPILED_FILES(T)                                                                                 \
    MIEN_TEMPLATE void save(const Model<T>& model, const std::filesystem::path& path);                           \
    MIEN_TEMPLATE WeightReport load_weights(Model<T>& model, const std::filesystem::path& path,                  \
                                            const LoadWeightsOptions& options);                                  \
    MIEN_TEMPLATE void save_probe(Model<T>& model, TensorView<const T> x, const std::filesystem::path& path);    \
    MIEN_TEMPLATE ProbeReport compare_with_probe(Model<T>& model, const std::filesystem::path& path,             \
                                                 double tolerance);                                              \
    MIEN_TEMPLATE void require_probe(Model<T>& model, const std::filesystem::path& path, double tolerance);      \
    MIEN_TEMPLATE Model<T> load_model(const std::filesystem::path& path, const LoadModelOptions& options);       \
    MIEN_TEMPLATE Model<T> load_keras_model(const std::filesystem::path& path, const LoadKerasOptions& options); \
    MIEN_TEMPLATE void save_keras_model(const Model<T>& model, const std::filesystem::path& path);

MIEN_COMPILED_FILES(float)
MIEN_COMPILED_FILES(double)

#  undef MIEN_COMPILED_FILES

}  // namespace mien::inline v0

#  undef MIEN_TEMPLATE
#endif
