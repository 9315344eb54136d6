#pragma once
// How a parameter's first values are drawn: Keras's initializers. A value: a name, up to two numbers and a function.

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <span>
#include <string>

#include <mien/core/error.hpp>
#include <mien/core/random.hpp>
#include <mien/core/shape.hpp>

namespace mien::inline v0 {

/// Fan-in and fan-out of a parameter, exactly as Keras counts them: (in, out) of a dense kernel; R*S*C and R*S*K of (R,
/// S, C, K).
struct Fans {
  double in = 1, out = 1;
};

[[nodiscard]] inline Fans compute_fans(const Shape& shape) {
  if (shape.rank() == 0) return {};
  if (shape.rank() == 1) return {static_cast<double>(shape[0]), static_cast<double>(shape[0])};
  double receptive = 1;
  for (int axis = 0; axis < shape.rank() - 2; ++axis) receptive *= static_cast<double>(shape[axis]);
  return {static_cast<double>(shape[-2]) * receptive, static_cast<double>(shape[-1]) * receptive};
}

/// Fills a parameter. The values are drawn in double whatever the model's scalar type, so that a float and a double
/// model of one seed start from the same numbers.
struct Initializer {
  using Fill = void (*)(const Initializer& self, const Shape& shape, Random& random, std::span<double> values);

  const char* name = "zeros";
  double a = 0;  ///< first argument: value, gain, mean or lower bound
  double b = 0;  ///< second argument: deviation or upper bound
  Fill fill =
      nullptr;  ///< null: a name read from a file whose header is not included; only drawing from it is an error

  friend bool operator==(const Initializer& x, const Initializer& y) {
    return std::string_view(x.name) == y.name && x.a == y.a && x.b == y.b;
  }
};

namespace detail {

inline void fill_constant(const Initializer& self, const Shape&, Random&, std::span<double> values) {
  std::fill(values.begin(), values.end(), self.a);
}

inline void fill_uniform(Random& random, std::span<double> values, double low, double high) {
  for (double& value : values) value = random.uniform(low, high);
}

/// Normal, redrawn beyond two deviations; `deviation` is that of the normal before it is cut.
inline void fill_truncated(Random& random, std::span<double> values, double mean, double deviation) {
  for (double& value : values) {
    double z = random.normal();
    while (std::abs(z) > 2) z = random.normal();
    value = mean + deviation * z;
  }
}

/// The standard deviation of a unit normal cut at +-2: dividing by it gives a cut normal the variance that was asked
/// for.
inline constexpr double truncated_deviation = 0.87962566103423978;

enum class Fan { in, average };

template <Fan fan>
double fan_of(const Shape& shape) {
  const Fans fans = compute_fans(shape);
  return std::max(1.0, fan == Fan::in ? fans.in : (fans.in + fans.out) / 2);
}

/// VarianceScaling(scale, fan, uniform): variance scale / fan.
template <int scale, Fan fan>
void fill_scaled_uniform(const Initializer&, const Shape& shape, Random& random, std::span<double> values) {
  const double limit = std::sqrt(3.0 * scale / fan_of<fan>(shape));
  fill_uniform(random, values, -limit, limit);
}

/// VarianceScaling(scale, fan, truncated_normal): variance scale / fan after the cut.
template <int scale, Fan fan>
void fill_scaled_normal(const Initializer&, const Shape& shape, Random& random, std::span<double> values) {
  fill_truncated(random, values, 0, std::sqrt(scale / fan_of<fan>(shape)) / truncated_deviation);
}

inline void fill_random_uniform(const Initializer& self, const Shape&, Random& random, std::span<double> values) {
  fill_uniform(random, values, self.a, self.b);
}

inline void fill_random_normal(const Initializer& self, const Shape&, Random& random, std::span<double> values) {
  for (double& value : values) value = self.a + self.b * random.normal();
}

inline void fill_truncated_normal(const Initializer& self, const Shape&, Random& random, std::span<double> values) {
  fill_truncated(random, values, self.a, self.b);
}

}  // namespace detail

inline constexpr Initializer zeros{"zeros", 0, 0, detail::fill_constant};
inline constexpr Initializer ones{"ones", 1, 0, detail::fill_constant};
/// U(-L, L), L = sqrt(6 / (fan_in + fan_out)): Glorot and Bengio 2010. The default of kernels.
inline constexpr Initializer glorot_uniform{"glorot_uniform", 0, 0,
                                            detail::fill_scaled_uniform<1, detail::Fan::average>};
inline constexpr Initializer glorot_normal{"glorot_normal", 0, 0, detail::fill_scaled_normal<1, detail::Fan::average>};
/// Variance 2 / fan_in, for relu: He et al. 2015.
inline constexpr Initializer he_uniform{"he_uniform", 0, 0, detail::fill_scaled_uniform<2, detail::Fan::in>};
inline constexpr Initializer he_normal{"he_normal", 0, 0, detail::fill_scaled_normal<2, detail::Fan::in>};
/// Variance 1 / fan_in: LeCun et al. 1998.
inline constexpr Initializer lecun_uniform{"lecun_uniform", 0, 0, detail::fill_scaled_uniform<1, detail::Fan::in>};
inline constexpr Initializer lecun_normal{"lecun_normal", 0, 0, detail::fill_scaled_normal<1, detail::Fan::in>};

[[nodiscard]] constexpr Initializer constant(double value) { return {"constant", value, 0, detail::fill_constant}; }
[[nodiscard]] constexpr Initializer random_uniform(double low = -0.05, double high = 0.05) {
  return {"random_uniform", low, high, detail::fill_random_uniform};
}
[[nodiscard]] constexpr Initializer random_normal(double mean = 0, double deviation = 0.05) {
  return {"random_normal", mean, deviation, detail::fill_random_normal};
}
[[nodiscard]] constexpr Initializer truncated_normal(double mean = 0, double deviation = 0.05) {
  return {"truncated_normal", mean, deviation, detail::fill_truncated_normal};
}

/// The initializer of that name and arguments. Throws OptionError on an unknown name. "orthogonal" comes back without
/// its function, which lives behind <mien/initializers/orthogonal.hpp>.
[[nodiscard]] inline Initializer initializer_named(std::string_view name, double a = 0, double b = 0) {
  static constexpr Initializer known[] = {zeros,
                                          ones,
                                          glorot_uniform,
                                          glorot_normal,
                                          he_uniform,
                                          he_normal,
                                          lecun_uniform,
                                          lecun_normal,
                                          constant(0),
                                          random_uniform(),
                                          random_normal(),
                                          truncated_normal(),
                                          {"orthogonal", 1, 0, nullptr}};
  for (Initializer initializer : known) {
    if (name != initializer.name) continue;
    if (initializer.fill != detail::fill_constant || name == "constant") initializer.a = a, initializer.b = b;
    return initializer;
  }
  throw OptionError(text("unknown initializer '", name, "'"));
}

/// Draws the values of a parameter. Throws OptionError if the initializer was only named by a file.
inline void initialize(const Initializer& initializer, const Shape& shape, const RandomKey& key,
                       std::span<double> values) {
  if (initializer.fill == nullptr)
    throw OptionError(text("the initializer '", initializer.name, "' needs its header: #include <mien/initializers/",
                           initializer.name, ".hpp> and set it again"));
  Random random(key);
  initializer.fill(initializer, shape, random, values);
}

}  // namespace mien::inline v0
