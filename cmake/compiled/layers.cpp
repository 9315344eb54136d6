#define MIEN_COMPILING_LAYERS
#include <mien/compiled/layers.hpp>
