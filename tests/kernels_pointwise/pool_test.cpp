#include <doctest/doctest.h>

#include <cstring>
#include <vector>

#include <every_isa.hpp>
#include <mien/kernels/pool/pool.hpp>
#include <small_integers.hpp>

using namespace mien;
using kernels::ConvGeometry;

namespace {

/// The windows of the tests: with padding and without, overlapping, with gaps, one over the picture, one of 256 cells.
std::vector<ConvGeometry> geometries() {
  std::vector<ConvGeometry> all;
  for (const std::int64_t c : {1, 3, 16, 37}) {
    all.push_back(kernels::with_output({.n = 3, .h = 6, .w = 7, .c = c, .r = 2, .s = 2, .stride_h = 2, .stride_w = 2}));
    all.push_back(
        kernels::with_same_padding({.n = 2, .h = 5, .w = 8, .c = c, .r = 3, .s = 3, .stride_h = 2, .stride_w = 2}));
    all.push_back(kernels::with_same_padding({.n = 2, .h = 5, .w = 4, .c = c, .r = 3, .s = 2}));
    all.push_back(kernels::with_output({.n = 1, .h = 7, .w = 9, .c = c, .r = 1, .s = 2, .stride_h = 3, .stride_w = 4}));
    all.push_back(kernels::with_output({.n = 2, .h = 5, .w = 6, .c = c, .r = 5, .s = 6}));
    all.push_back(kernels::with_output({.n = 1, .h = 17, .w = 16, .c = c, .r = 16, .s = 16}));
  }
  return all;
}

struct Window {
  std::int64_t output;               // pixel of the output
  std::vector<std::int64_t> inputs;  // pixels of the input, row by row
};

std::vector<Window> windows_of(const ConvGeometry& g) {
  std::vector<Window> windows;
  for (std::int64_t n = 0; n < g.n; ++n)
    for (std::int64_t i = 0; i < g.oh; ++i)
      for (std::int64_t j = 0; j < g.ow; ++j) {
        Window window{(n * g.oh + i) * g.ow + j, {}};
        for (std::int64_t r = 0; r < g.r; ++r)
          for (std::int64_t s = 0; s < g.s; ++s) {
            const std::int64_t h = i * g.stride_h - g.pad_top + r, w = j * g.stride_w - g.pad_left + s;
            if (h >= 0 && h < g.h && w >= 0 && w < g.w) window.inputs.push_back((n * g.h + h) * g.w + w);
          }
        windows.push_back(window);
      }
  return windows;
}

template <class T>
struct Pooled {
  std::vector<T> y, dx;
  bool operator==(const Pooled&) const = default;
};

/// The definition: for each window and channel.
template <class T>
Pooled<T> reference(const ConvGeometry& g, bool maximum, const std::vector<T>& x, const std::vector<T>& dy) {
  Pooled<T> out{std::vector<T>(dy.size()), std::vector<T>(x.size())};
  for (const Window& window : windows_of(g))
    for (std::int64_t c = 0; c < g.c; ++c) {
      const auto at = [&](std::int64_t pixel) { return static_cast<std::size_t>(pixel * g.c + c); };
      std::int64_t best = window.inputs[0];
      T sum = 0;
      const T share = T{1} / static_cast<T>(window.inputs.size());
      for (const std::int64_t pixel : window.inputs) {
        if (x[at(pixel)] > x[at(best)]) best = pixel;
        sum += x[at(pixel)];
        if (!maximum) out.dx[at(pixel)] += share * dy[at(window.output)];
      }
      out.y[at(window.output)] = maximum ? x[at(best)] : sum * share;
      if (maximum) out.dx[at(best)] += dy[at(window.output)];
    }
  return out;
}

template <class T>
Pooled<T> pooled(const ConvGeometry& g, bool maximum, const std::vector<T>& x, const std::vector<T>& dy, int threads) {
  Pooled<T> out{std::vector<T>(dy.size(), 77), std::vector<T>(x.size(), 77)};
  if (maximum) {
    std::vector<std::byte> indices(dy.size() * kernels::pool_index_size(g));
    kernels::max_pool_forward(g, x.data(), out.y.data(), indices.data(), threads);
    kernels::max_pool_backward(g, dy.data(), indices.data(), out.dx.data(), threads);
  } else {
    kernels::average_pool_forward(g, x.data(), out.y.data(), threads);
    kernels::average_pool_backward(g, dy.data(), out.dx.data(), threads);
  }
  return out;
}

template <class T>
void check_close(const std::vector<T>& values, const std::vector<T>& expected) {
  double worst = 0;
  for (std::size_t i = 0; i < values.size(); ++i)
    worst = std::max(worst, std::abs(static_cast<double>(values[i]) - static_cast<double>(expected[i])));
  CHECK(worst < 32 * static_cast<double>(std::numeric_limits<T>::epsilon()));
}

template <class T>
void check_all() {
  for (const ConvGeometry& g : geometries()) {
    CAPTURE(g.h);
    CAPTURE(g.r);
    CAPTURE(g.c);
    const std::vector<T> x = small_integers<T>(g.n * g.h * g.w * g.c, 0, 4),
                         dy = small_integers<T>(output_pixels(g) * g.c, 1, 4);
    const Pooled<T> maximum = reference(g, true, x, dy), average = reference(g, false, x, dy);
    for_each_isa([&] {
      CHECK(pooled(g, true, x, dy, 1) == maximum);
      const Pooled<T> one = pooled(g, false, x, dy, 1);
      check_close(one.y, average.y);
      check_close(one.dx, average.dx);
      for (const int threads : {2, 3, 7}) {
        CHECK(pooled(g, true, x, dy, threads) == maximum);
        CHECK(pooled(g, false, x, dy, threads) == one);
      }
    });
  }
}

}  // namespace

TEST_CASE("pooling equals its definition: float") { check_all<float>(); }
TEST_CASE("pooling equals its definition: double") { check_all<double>(); }

TEST_CASE("prediction needs no indices") {
  const ConvGeometry g = kernels::with_same_padding({.n = 2, .h = 5, .w = 5, .c = 19, .r = 3, .s = 3});
  const std::vector<float> x = small_integers<float>(2 * 5 * 5 * 19, 0, 4), dy(x.size());
  std::vector<float> y(x.size());
  kernels::max_pool_forward<float>(g, x.data(), y.data(), nullptr, 1);
  CHECK(y == reference(g, true, x, dy).y);
}

TEST_CASE("an index takes one byte unless the window has 256 cells") {
  CHECK(kernels::pool_index_size({.r = 15, .s = 17}) == 1);
  CHECK(kernels::pool_index_size({.r = 16, .s = 16}) == 4);
}

TEST_CASE("padding never wins, not even over very negative numbers") {
  const ConvGeometry g = kernels::with_same_padding({.h = 2, .w = 2, .c = 1, .r = 3, .s = 3});
  const std::vector<float> x{-1e30F, -2e30F, -3e30F, -4e30F};
  std::vector<float> y(4);
  kernels::max_pool_forward<float>(g, x.data(), y.data(), nullptr, 1);
  CHECK(y == std::vector<float>(4, -1e30F));
}
