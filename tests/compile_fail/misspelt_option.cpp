// must fail with: has no non-static data member named|does not refer to any field
// Options are members: a name that a layer does not have is an error of the compiler and not of the run.

#include <mien/layers/conv2d.hpp>

[[maybe_unused]] const mien::Conv2D good{.filters = 8, .kernel_size = 3};

#ifdef MIEN_MUST_FAIL
[[maybe_unused]] const mien::Conv2D bad{.filter = 8, .kernel_size = 3};
#endif
