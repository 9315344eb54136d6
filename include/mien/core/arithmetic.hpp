#pragma once

namespace mien::inline v0 {

/// How a convolution may be computed. fast: also by algorithms that need fewer multiplications and whose rounding
/// errors are larger than those of the sum itself (Winograd: up to 9e-6 of the result's size, float).
/// strict: only as the sum of products that its definition says. The choice depends on the geometry alone, never on the
/// number of threads; double is always strict.
enum class Arithmetic : int { fast, strict };

}  // namespace mien::inline v0
