#define MIEN_COMPILING_IO
#include <mien/io.hpp>
