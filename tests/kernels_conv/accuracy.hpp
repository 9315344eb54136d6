#pragma once
// What the tests of algorithms that are not exact share: normal inputs, and the distance from the result in double.

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <string>
#include <vector>

#include <doctest/doctest.h>
#include <mien/kernels/conv/select.hpp>

namespace accuracy {

using namespace mien;
using kernels::ConvGeometry;

/// About normal: the sum of four uniform numbers, of that deviation.
inline std::vector<float> normal_values(std::int64_t count, double deviation, std::uint32_t seed) {
  std::vector<float> values(static_cast<std::size_t>(count));
  for (float& v : values) {
    double sum = -2;
    for (int i = 0; i < 4; ++i) {
      seed = seed * 1664525U + 1013904223U;
      sum += static_cast<double>(seed >> 8) / 16777216.0;
    }
    v = static_cast<float>(sum * deviation * 1.7320508075688772);
  }
  return values;
}

struct Errors {
  double relative;  ///< in the L2 norm
  double largest;   ///< over the largest value
};

inline Errors errors_of(const std::vector<float>& result, const std::vector<double>& expected) {
  double squares = 0, size = 0, largest = 0, largest_value = 1e-30;
  for (std::size_t i = 0; i < expected.size(); ++i) {
    const double error = static_cast<double>(result[i]) - expected[i];
    squares += error * error;
    size += expected[i] * expected[i];
    largest = std::abs(error) <= largest ? largest : std::abs(error);  // a NaN stays
    largest_value = std::max(largest_value, std::abs(expected[i]));
  }
  return {std::sqrt(squares / std::max(size, 1e-30)), largest / largest_value};
}

/// A 3x3 kernel with 'same' padding.
inline ConvGeometry same(std::int64_t n, std::int64_t h, std::int64_t w, std::int64_t c, std::int64_t k) {
  return kernels::with_same_padding({.n = n, .h = h, .w = w, .c = c, .k = k, .r = 3, .s = 3});
}

/// Calls body(geometry) for 3x3 kernels with every size of tile on both axes, padding up to more than the kernel, and
/// channels and filters around the vectors' sizes.
template <class Body>
void for_each_small_geometry(const Body& body) {
  for (const std::int64_t h : {1, 2, 3, 4, 5, 6, 7, 9, 14})
    for (const std::int64_t w : {1, 4, 7, 11})
      for (const std::int64_t pad : {0, 1, 2, 3}) {
        const ConvGeometry g = kernels::with_output({.n = 2,
                                                     .h = h,
                                                     .w = w,
                                                     .c = 1 + (h + w + pad) % 4 * 6,
                                                     .k = 1 + (h * w + pad) % 5 * 9,
                                                     .r = 3,
                                                     .s = 3,
                                                     .pad_top = pad,
                                                     .pad_left = pad,
                                                     .pad_bottom = pad / 2,
                                                     .pad_right = pad + 1});
        if (g.oh >= 1 && g.ow >= 1) body(g);
      }
}

/// Whether an axis of so many outputs has room for a tile of 5 or 6.
constexpr bool has_wide_tile(std::int64_t outputs) { return outputs >= 5 && outputs != 7 && outputs != 8; }

/// Calls body(name) for the rows of Winograd's algorithm, with tiles of up to 4 and of up to 6 outputs, that take the
/// pass.
template <class Body>
void for_each_winograd(const ConvGeometry& g, kernels::ConvPass pass, const Body& body) {
  for (const kernels::ConvAlgorithm<float>& row : kernels::conv_algorithms<float>(pass)) {
    const std::string name = row.name;
    if (!name.starts_with("winograd") || row.accepts(g) != nullptr) continue;
    CAPTURE(name);
    body(name);
  }
}

}  // namespace accuracy
