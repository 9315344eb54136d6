#pragma once
// A small anti-aliased painter: ellipses, rings, and bands between two parabolas, on a picture whose pixels know where
// on the face they lie. y grows downwards.

#include <algorithm>
#include <array>
#include <cstdint>
#include <vector>

#include <mien/data/synthetic/fixed.hpp>

namespace mien::inline v0::detail {

/// A point of the face: x and y are -1 ... 1 across the head's height, (0, 0) between the eyes and the nose.
struct Point {
  Fixed x, y;
};

/// Red, green and blue in 1/256 of a level of 0 ... 255.
using Colour = std::array<std::int32_t, 3>;

[[nodiscard]] constexpr Colour rgb(int red, int green, int blue) { return {red * 256, green * 256, blue * 256}; }
[[nodiscard]] constexpr Colour mix(const Colour& a, const Colour& b, Fixed share) {
  Colour out{};
  for (std::size_t c = 0; c < 3; ++c) out[c] = a[c] + (((b[c] - a[c]) * share.in_256ths()) >> 8);
  return out;
}
[[nodiscard]] constexpr Colour scaled(const Colour& a, Fixed factor) { return mix({}, a, factor); }

/// a + b u + c u^2
struct Curve {
  Fixed a, b, c;
  [[nodiscard]] constexpr Fixed operator()(Fixed u) const { return a + u * (b + u * c); }
};

/// What a shape covers of the square of side `pixel` about p, 0 ... 1 (1 / pixel is given too).
struct Footprint {
  Fixed pixel, inverse;

  /// The part of [x - pixel/2, x + pixel/2] within [low, high].
  [[nodiscard]] constexpr Fixed overlap(Fixed x, Fixed low, Fixed high) const {
    const Fixed half = pixel * 0.5;
    return bounded((lesser(high, x + half) - greater(low, x - half)) * inverse, 0.0, 1.0);
  }
};

struct Box {
  Point low, high;
};

/// The area between two curves of u = (x - centre.x) / half_width, |u| <= 1, y counted from centre.y: eyes, lips,
/// brows.
struct Band {
  Point centre;
  Fixed half_width;
  Curve top, bottom;
  Fixed inverse_width = Fixed(1.0) / half_width;

  [[nodiscard]] constexpr Box box() const {
    const auto reach = [](const Curve& c) { return absolute(c.a) + absolute(c.b) + absolute(c.c); };
    const Fixed up = greater(reach(top), reach(bottom));
    return {{centre.x - half_width, centre.y - up}, {centre.x + half_width, centre.y + up}};
  }
  [[nodiscard]] constexpr Fixed coverage(Point p, const Footprint& footprint) const {
    const Fixed x = p.x - centre.x;
    const Fixed u = bounded(x * inverse_width, -1.0, 1.0);
    return footprint.overlap(p.y - centre.y, top(u), bottom(u)) * footprint.overlap(x, -half_width, half_width);
  }
};

/// A stroke along a curve, tapering towards its ends: a band about it.
[[nodiscard]] constexpr Band stroke(Point centre, Fixed half_width, const Curve& curve, Fixed thickness) {
  const Fixed half = thickness * 0.5;
  return {centre, half_width, {curve.a - half, curve.b, curve.c + half}, {curve.a + half, curve.b, curve.c - half}};
}

struct Ellipse {
  Point centre;
  Fixed rx, ry;
  Fixed inverse_rx = Fixed(1.0) / rx, inverse_ry = Fixed(1.0) / ry;

  [[nodiscard]] constexpr Box box() const { return {{centre.x - rx, centre.y - ry}, {centre.x + rx, centre.y + ry}}; }
  /// Signed distance from the rim to first order: (q - 1) / |grad q|, q = (x/rx)^2 + (y/ry)^2.
  [[nodiscard]] Fixed distance(Point p) const {
    const Fixed u = (p.x - centre.x) * inverse_rx, v = (p.y - centre.y) * inverse_ry;
    const Fixed gu = u * inverse_rx, gv = v * inverse_ry;
    return (u * u + v * v - 1.0) / (square_root(gu * gu + gv * gv) * 2.0 + 0.001);
  }
  /// Most pixels are far from the rim, and need neither the root nor the divisions.
  [[nodiscard]] Fixed coverage(Point p, const Footprint& footprint) const {
    const Fixed u = (p.x - centre.x) * inverse_rx, v = (p.y - centre.y) * inverse_ry, q = u * u + v * v;
    const Fixed rim = footprint.pixel * greater(inverse_rx, inverse_ry);
    if (q < Fixed(1.0) - rim) return 1.0;
    if (q < 4.0 && q > rim * 2.0 + 1.0) return 0.0;
    return bounded(Fixed(0.5) - distance(p) * footprint.inverse, 0.0, 1.0);
  }
};

/// The rim of an ellipse.
struct Ring {
  Ellipse ellipse;
  Fixed thickness;

  [[nodiscard]] constexpr Box box() const {
    const Box inner = ellipse.box();
    return {{inner.low.x - thickness, inner.low.y - thickness}, {inner.high.x + thickness, inner.high.y + thickness}};
  }
  [[nodiscard]] Fixed coverage(Point p, const Footprint& footprint) const {
    return footprint.overlap(ellipse.distance(p), thickness * -0.5, thickness * 0.5);
  }
};

/// One shape where another one covers too: an iris within the lids.
template <class A, class B>
struct Both {
  A a;
  B b;

  [[nodiscard]] constexpr Box box() const { return a.box(); }
  [[nodiscard]] Fixed coverage(Point p, const Footprint& footprint) const {
    const Fixed first = a.coverage(p, footprint);
    return first > 0 ? first * b.coverage(p, footprint) : first;
  }
};
template <class A, class B>
Both(A, B) -> Both<A, B>;

/// The picture: for each pixel its colour and the point of the face that it shows.
class Canvas {
 public:
  /// `place(column, row)` gives the point of the face at a pixel; `pixel` is a pixel's side on the face.
  template <class Place>
  Canvas(int side, Fixed pixel, const Place& place)
      : side_(side), footprint_{pixel, Fixed(1.0) / pixel}, rows_(area(1)), columns_(area(1)) {
    points_.reserve(area(side));
    for (int row = 0; row < side; ++row)
      for (int column = 0; column < side; ++column) points_.push_back(place(column, row));
    colours_.resize(points_.size());
    for (int i = 0; i < side; ++i) measure(i);
  }

  [[nodiscard]] int side() const { return side_; }
  [[nodiscard]] std::vector<Colour>& colours() { return colours_; }
  [[nodiscard]] const std::vector<Colour>& colours() const { return colours_; }
  [[nodiscard]] const std::vector<Point>& points() const { return points_; }

  /// Paints a shape; an opacity below 1 lets what is there show through.
  template <class Form>
  void fill(const Form& form, const Colour& colour, Fixed opacity = 1.0) {
    const Box box = form.box();
    const Fixed edge = footprint_.pixel;
    const auto meets = [edge](const Range& range, Fixed low, Fixed high) {
      return range.low <= high + edge && range.high >= low - edge;
    };
    int first = 0, last = side_;
    while (first < last && !meets(columns_[area(1, first)], box.low.x, box.high.x)) ++first;
    while (first < last && !meets(columns_[area(1, last - 1)], box.low.x, box.high.x)) --last;
    for (int row = 0; row < side_; ++row) {
      if (!meets(rows_[area(1, row)], box.low.y, box.high.y)) continue;
      for (std::size_t i = area(side_, row) + area(1, first); i < area(side_, row) + area(1, last); ++i) {
        const Fixed share = form.coverage(points_[i], footprint_) * opacity;
        if (share > 0) colours_[i] = mix(colours_[i], colour, share);
      }
    }
  }

 private:
  struct Range {
    Fixed low = 1000.0, high = -1000.0;
    void include(Fixed x) {
      low = lesser(low, x);
      high = greater(high, x);
    }
  };

  [[nodiscard]] std::size_t area(int width, int height) const {
    return static_cast<std::size_t>(width) * static_cast<std::size_t>(height);
  }
  [[nodiscard]] std::size_t area(int width) const { return area(width, side_); }
  /// The extent of row i and of column i on the face, so that shapes are looked for where they can be.
  void measure(int i) {
    for (int j = 0; j < side_; ++j) {
      rows_[area(1, i)].include(points_[area(side_, i) + area(1, j)].y);
      columns_[area(1, i)].include(points_[area(side_, j) + area(1, i)].x);
    }
  }

  int side_;
  Footprint footprint_;
  std::vector<Range> rows_, columns_;
  std::vector<Point> points_;
  std::vector<Colour> colours_;
};

}  // namespace mien::inline v0::detail
