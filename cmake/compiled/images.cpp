#include <mien/images.hpp>
