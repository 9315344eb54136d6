// must fail with: out of order|out-of-line|does not match declaration order|ISO C\+\+ requires field designators
// Options are given in the order of Keras's signature.

#include <mien/layers/dense.hpp>

[[maybe_unused]] const mien::Dense good{.units = 3, .activation = mien::softmax};

#ifdef MIEN_MUST_FAIL
[[maybe_unused]] const mien::Dense bad{.activation = mien::softmax, .units = 3};
#endif
