#pragma once
// The model and what it is made of in mien::compiled.

#include <mien/compiled/layers.hpp>
#include <mien/model/evaluation.hpp>
#include <mien/model/fit.hpp>
#include <mien/model/model.hpp>
#include <mien/model/profiling.hpp>

#if defined(MIEN_COMPILED)
#  if defined(MIEN_COMPILING_MODEL)
#    define MIEN_TEMPLATE template
#  else
#    define MIEN_TEMPLATE extern template
#  endif

namespace mien::inline v0 {

MIEN_TEMPLATE class Predictor<float>;
MIEN_TEMPLATE class Predictor<double>;
MIEN_TEMPLATE class Model<float>;
MIEN_TEMPLATE class Model<double>;

}  // namespace mien::inline v0

#  undef MIEN_TEMPLATE
#endif
