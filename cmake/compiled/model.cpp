#define MIEN_COMPILING_MODEL
#include <mien/compiled/model.hpp>
