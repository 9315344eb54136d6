#include <doctest/doctest.h>

#include <vector>

#include <mien/kernels/image/transform.hpp>

using namespace mien;
using namespace mien::kernels;

namespace {

/// A row of four pixels a b c d = 1 2 3 4 read at the given column positions.
std::vector<double> read_row(const Sampling& sampling, double first, double step, std::int64_t width = 4) {
  std::vector<double> y(static_cast<std::size_t>(width));
  const Picture p{1, 4, 1};
  const double x[] = {1, 2, 3, 4};
  for (std::int64_t i = 0; i < width; ++i) {
    const AffineMap map{.column_0 = first + step * static_cast<double>(i), .column_w = 0};
    double out[4];
    affine_forward(p, map, sampling, x, out);
    y[static_cast<std::size_t>(i)] = out[0];
  }
  return y;
}

}  // namespace

TEST_CASE("what lies outside a picture") {
  CHECK(read_row({.fill = Fill::reflect}, -5, 1, 14) == std::vector<double>{4, 4, 3, 2, 1, 1, 2, 3, 4, 4, 3, 2, 1, 1});
  CHECK(read_row({.fill = Fill::wrap}, -5, 1, 14) == std::vector<double>{4, 1, 2, 3, 4, 1, 2, 3, 4, 1, 2, 3, 4, 1});
  CHECK(read_row({.fill = Fill::nearest}, -2, 1, 8) == std::vector<double>{1, 1, 1, 2, 3, 4, 4, 4});
  CHECK(read_row({.fill = Fill::constant, .fill_value = 9}, -2, 1, 8) == std::vector<double>{9, 9, 1, 2, 3, 4, 9, 9});
}

TEST_CASE("between pixels") {
  CHECK(read_row({.fill = Fill::nearest}, -0.5, 1, 5) == std::vector<double>{1, 1.5, 2.5, 3.5, 4});
  CHECK(read_row({.fill = Fill::constant}, -0.5, 1, 5) == std::vector<double>{0.5, 1.5, 2.5, 3.5, 2});
  CHECK(read_row({.fill = Fill::nearest, .bilinear = false}, -0.4, 0.9, 4) == std::vector<double>{1, 2, 2, 3});
}

TEST_CASE("affine_backward is the transpose of affine_forward") {
  const Picture p{4, 5, 2};
  const AffineMap map{.row_0 = -1.25, .row_h = 0.75, .row_w = 0.5, .column_0 = 0.5, .column_h = -0.5, .column_w = 1.25};
  for (const Fill fill : {Fill::reflect, Fill::constant, Fill::wrap, Fill::nearest})
    for (const bool bilinear : {true, false}) {
      const Sampling sampling{.fill = fill, .bilinear = bilinear};
      std::vector<double> x(40), y(40), dy(40), dx(40);
      for (std::size_t i = 0; i < 40; ++i) {
        x[i] = static_cast<double>(i * i % 11) - 5;
        dy[i] = static_cast<double>(i * 7 % 13) - 6;
      }
      affine_forward(p, map, sampling, x.data(), y.data());
      affine_backward(p, map, sampling, dy.data(), dx.data());
      double forward = 0, backward = 0;
      for (std::size_t i = 0; i < 40; ++i) forward += y[i] * dy[i], backward += x[i] * dx[i];
      CHECK(forward == backward);  // quarters only: exact
    }
}

TEST_CASE("borders and mirrors") {
  const Picture p{2, 2, 1}, larger{4, 5, 1};
  const std::vector<float> x{1, 2, 3, 4};
  std::vector<float> y(20, 9), back(4), flipped(4);
  pad_picture(p, larger, 1, 2, x.data(), y.data());
  CHECK(y == std::vector<float>{0, 0, 0, 0, 0, 0, 0, 1, 2, 0, 0, 0, 3, 4, 0, 0, 0, 0, 0, 0});
  crop_picture(p, larger, 1, 2, y.data(), back.data());
  CHECK(back == x);
  flip_picture(p, true, false, x.data(), flipped.data());
  CHECK(flipped == std::vector<float>{2, 1, 4, 3});
  flip_picture(p, false, true, x.data(), flipped.data());
  CHECK(flipped == std::vector<float>{3, 4, 1, 2});
}
