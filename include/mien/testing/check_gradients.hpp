#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <span>
#include <string>

#include <mien/core/error.hpp>

namespace mien::inline v0::testing {

/// How gradients are compared with differences.
struct CheckGradientsOptions {
  double tolerance = 1e-6;         ///< of a difference, relative to the largest gradient among the values
  std::int64_t max_elements = 64;  ///< values that are moved, evenly spread; each costs two calls or four
};

/// What check_layer and check_gradients throw: what departed, where, and by how much.
class CheckFailure : public Error {
 public:
  using Error::Error;
};

/// Compares `gradient` with the central differences (f(v + h) - f(v - h)) / (2 h) of function(), a double that depends
/// on `values`, which are moved one at a time and put back. `what` names them in the CheckFailure that is thrown where
/// the two depart.
///
///     check_gradients([&] { return loss_of(weights); }, weights, d_weights, "d loss / d weights");
template <class Function>
void check_gradients(const Function& function, std::span<double> values, std::span<const double> gradient,
                     const std::string& what, const CheckGradientsOptions& options = {}) {
  double scale = 1e-3;
  for (const double g : gradient) scale = std::max(scale, std::abs(g));
  const auto difference = [&](double& value, double step) {
    const double middle = value;
    value = middle + step;
    const double above = function();
    value = middle - step;
    const double below = function();
    value = middle;
    return (above - below) / (2 * step);
  };
  const auto count = static_cast<std::int64_t>(values.size()), checked = std::min(count, options.max_elements);
  for (std::int64_t k = 0; k < checked; ++k) {
    const auto i = static_cast<std::size_t>(k * count / checked);
    // The second step is for values within the first one of a kink (relu, the maximum of a window).
    double numeric = difference(values[i], 1e-4);
    if (!(std::abs(numeric - gradient[i]) <= options.tolerance * scale)) numeric = difference(values[i], 1e-6);
    if (!(std::abs(numeric - gradient[i]) <= options.tolerance * scale))
      throw CheckFailure(text(what, ", element ", i, ": expected ", numeric, " (central difference), got ", gradient[i],
                              " (backward)"));
  }
}

}  // namespace mien::inline v0::testing
