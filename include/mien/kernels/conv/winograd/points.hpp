#pragma once
// Winograd's algorithm for one axis: `outputs` neighbouring outputs of a kernel of 3 taps from outputs + 2 products
// instead of 3 * outputs. The outputs are y = A' [(G g) . (B' d)], d the outputs + 2 inputs, g the taps; in two
// dimensions Y = A' [(G g G') . (B' d B)] A. Transposed, it gives the gradient of the kernel:
// dg = G' [(B' d B) . (A dY A')] G.
//
// It is a product of polynomials found from its values at outputs + 2 points (Toom-Cook), one of them infinity. The
// points here are nested: an algorithm for fewer outputs takes the first outputs + 2 of one list, and its G is the
// first outputs + 2 rows of one G, every scale being put into B'. So one transformed kernel serves tiles of all sizes,
// side by side, and an axis is cut into tiles that fit it (tiles.hpp).
//
// There are two lists. Tiles of 1 to 4 outputs take 0, +-sqrt 1/2, +-sqrt 2: at 4 outputs half the error of the usual
// 0, +-1, +-2 at the same price (relative rms error, 512 channels: 2.1e-6 against 4 to 5.2e-6); at 3 outputs, with 0,
// +-sqrt 1/2, sqrt 2, 1.8e-6 against 2.2e-6 of 0, +-1, 2. Lost: +-3/4, +-3/2 (the same error, dearer constants), +-1,
// +-1/2 (no gain). Wide tiles, of 4 to 6 outputs, take 0, +-1, +-2, +-1/2: at 6 outputs 3.2e-6 with 64 channels. Lost
// there: the first list and +-c (1.1e-5 and more, whatever c), +-a, +-b, +-c around these (3.4e-6 and more), 1/2 before
// 2 (the same error).
//
// An axis of two pixels with one of padding on either side has an algorithm of its own, of 3 products instead of 4: y0
// = g1 d0 + g2 d1 and y1 = g0 d0 + g1 d1 have g1 (d0 + d1) in common, the rest is (g2 - g1) d1 and (g0 - g1) d0. In two
// dimensions 9 products instead of 16, of sums and differences alone.

#include <cstdint>

namespace mien::inline v0::kernels::winograd {

inline constexpr int taps = 3;         ///< of the kernel, on each axis
inline constexpr int max_outputs = 6;  ///< of a tile, on each axis
inline constexpr int max_points = max_outputs + taps - 1;

/// The size of a tile on one axis is the number of its outputs, 1 ... 4, for the first list of points; that number, 4
/// ... 6, and `wide`, for the second one; or `pair`: two outputs, which are the whole axis, from two inputs between two
/// zeros.
inline constexpr int pair = 0, wide = 8;

[[nodiscard]] constexpr int outputs_of(int size) { return size == pair ? 2 : size % wide; }
/// The inputs that the outputs see, padding too.
[[nodiscard]] constexpr int cells_of(int size) { return outputs_of(size) + taps - 1; }
/// The products.
[[nodiscard]] constexpr int points_of(int size) { return size == pair ? 3 : cells_of(size); }

inline constexpr double sqrt_2 = 1.41421356237309504880, sqrt_half = 0.70710678118654752440;

/// Point 0 is infinity; `finite` are points 1, 2, ... A tile of m outputs takes the first m + 2 points. By the scale
/// of each finite point its row of G is multiplied: so that B' has plain numbers at the largest size.
struct PointList {
  double finite[max_points - 1], kernel_scales[max_points - 1];
};
inline constexpr PointList first_list{{0, sqrt_half, -sqrt_half, sqrt_2, -sqrt_2},
                                      {1, -2.0 / 3, -2.0 / 3, 1.0 / 6, 1.0 / 6}};
inline constexpr PointList wide_list{{0, 1, -1, 2, -2, 0.5, -0.5},
                                     {1, -2.0 / 9, -2.0 / 9, 1.0 / 90, 1.0 / 90, 32.0 / 45, 32.0 / 45}};

/// The three matrices of one axis for one size of tile. Only the first `outputs`, `cells` and `points` rows and columns
/// count, the rest is 0.
struct Matrices {
  int outputs = 0, cells = 0, points = 0;
  double input[max_points][max_points] = {};    ///< B', points x cells: V = B' d
  double kernel[max_points][taps] = {};         ///< G, points x taps: U = G g
  double output[max_outputs][max_points] = {};  ///< A', outputs x points: y = A' (U . V)
};

namespace detail {

/// The coefficients, lowest first, of the product of (x - p) over the first `count` finite points of a list but number
/// `left_out`.
struct Polynomial {
  double coefficients[max_points] = {1};

  constexpr Polynomial(const PointList& points, int count, int left_out) {
    int degree = 0;
    for (int j = 0; j < count; ++j) {
      if (j == left_out) continue;
      for (int i = ++degree; i > 0; --i) coefficients[i] = coefficients[i - 1] - points.finite[j] * coefficients[i];
      coefficients[0] *= -points.finite[j];
    }
  }
  [[nodiscard]] constexpr double at(double x) const {
    double value = 0;
    for (int i = max_points - 1; i >= 0; --i) value = value * x + coefficients[i];
    return value;
  }
};

}  // namespace detail

/// The matrices for a size of tile.
[[nodiscard]] constexpr Matrices matrices(int size) {
  if (size == pair)
    return {2, 4, 3, {{0, 1}, {0, 1, 1}, {0, 0, 1}}, {{1, -1}, {0, 1}, {0, -1, 1}}, {{0, 1, 1}, {1, 1}}};
  const PointList& points = size > wide ? wide_list : first_list;
  const int outputs = outputs_of(size);
  Matrices m{outputs, cells_of(size), points_of(size), {}, {}, {}};
  const int finite = m.points - 1;
  const detail::Polynomial all(points, finite, -1);
  for (int i = 0; i < m.points; ++i) m.input[0][i] = all.coefficients[i];
  m.kernel[0][taps - 1] = 1;
  m.output[outputs - 1][0] = 1;
  for (int j = 0; j < finite; ++j) {
    const detail::Polynomial others(points, finite, j);
    const double scale = 1 / (points.kernel_scales[j] * others.at(points.finite[j]));
    for (int i = 0; i < m.points; ++i) m.input[j + 1][i] = scale * others.coefficients[i];
    double power = 1;
    for (int i = 0; i < max_outputs; ++i, power *= points.finite[j]) {
      if (i < taps) m.kernel[j + 1][i] = points.kernel_scales[j] * power;
      if (i < outputs) m.output[i][j + 1] = power;
    }
  }
  return m;
}

}  // namespace mien::inline v0::kernels::winograd
