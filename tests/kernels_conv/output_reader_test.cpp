#include <doctest/doctest.h>

#include <algorithm>
#include <string>
#include <vector>

#include <every_isa.hpp>
#include <mien/core/memory.hpp>
#include <mien/kernels/conv/conv.hpp>
#include <mien/kernels/norm/moments_reader.hpp>
#include <mien/testing/fills.hpp>
#include <mien/testing/row_snapshot.hpp>

#include "awkward_geometries.hpp"

using namespace mien;
using namespace mien::kernels;

namespace {

/// A forward pass over random numbers, and its result.
template <class T>
struct Forward {
  ConvGeometry g;
  std::vector<T> x, w, bias;
  Buffer y;  // aligned to the cache line, so that a large one may be stored past the caches

  explicit Forward(const ConvGeometry& geometry)
      : g(geometry),
        x(numbers(g.n * g.h * g.w * g.c, 1)),
        w(numbers(patch_size(g) * g.k, 2)),
        bias(numbers(g.k, 3)),
        y(static_cast<std::size_t>(output_pixels(g) * g.k) * sizeof(T)) {}

  [[nodiscard]] T* result() { return reinterpret_cast<T*>(y.data()); }
  void run(const char* algorithm, int threads, const ActivationFunction& f, RowReader* reader) {
    std::fill_n(result(), output_pixels(g) * g.k, T(77));
    const Buffer workspace(conv_workspace<T>(g, ConvPass::forward, threads, algorithm));
    conv_forward<T>(g, x.data(), w.data(), result(), {bias.data(), f, reader}, threads, workspace.data(), algorithm);
  }

 private:
  static std::vector<T> numbers(std::int64_t count, std::uint64_t seed) {
    std::vector<T> values(static_cast<std::size_t>(count));
    mien::testing::fill_uniform<T>(values, seed);
    return values;
  }
};

/// Every algorithm that accepts the geometry reports each value of its result once, when it stands.
template <class T>
void check_reports(const ConvGeometry& g, int threads, const ActivationFunction& f) {
  Forward<T> forward(g);
  for (const ConvAlgorithm<T>& algorithm : conv_algorithms<T>(ConvPass::forward)) {
    if (algorithm.accepts(g) != nullptr) continue;
    CAPTURE(std::string(algorithm.name));
    mien::testing::RowSnapshot<T> snapshot(output_pixels(g), g.k, forward.result(), g.k);
    forward.run(algorithm.name, threads, f, &snapshot);
    CHECK(snapshot.complete());
  }
}

}  // namespace

TEST_CASE("a convolution reports each row of its result once it stands, whichever algorithm computes it") {
  for_each_isa([] {
    for (const ConvGeometry& g : awkward_geometries()) {
      check_reports<float>(g, 1, relu);
      check_reports<float>(g, 2, gelu);
    }
    for (const ConvGeometry& g :
         {with_same_padding({.n = 5, .h = 24, .w = 23, .c = 16, .k = 40, .r = 3, .s = 3}),
          with_same_padding({.n = 1, .h = 4, .w = 4, .c = 24, .k = 200, .r = 3, .s = 3}),
          with_same_padding({.n = 2, .h = 33, .w = 30, .c = 12, .k = 20, .r = 3, .s = 3, .stride_h = 2, .groups = 4}),
          with_output({.n = 4, .h = 24, .w = 24, .c = 40, .k = 48, .stride_h = 2, .stride_w = 2})})
      for (const int threads : {1, 3}) check_reports<float>(g, threads, linear);
  });
  for (const ConvGeometry& g : awkward_geometries()) check_reports<double>(g, 2, linear);
}

TEST_CASE("a large result that is read is not stored past the caches") {
  const ConvGeometry g = with_same_padding({.n = 8, .h = 47, .w = 48, .c = 8, .k = 128, .r = 3, .s = 3});
  Forward<float> forward(g);
  mien::testing::RowSnapshot<float> reader(0, g.k, forward.result(), g.k);
  // Another thread might not see such a store in time; its own always does, so that the choice must be looked at.
  for (const ActivationFunction& f : {linear, relu}) {
    const winograd::Problem p(g, false, true);
    CHECK(winograd::streams<float>(p, forward.result(), {nullptr, f}));
    CHECK_FALSE(winograd::streams<float>(p, forward.result(), {nullptr, f, &reader}));
  }
  for_each_isa([&] {
    check_reports<float>(g, 3, relu);
    check_reports<float>(with_output({.n = 8, .h = 47, .w = 48, .c = 8, .k = 128}), 3, relu);
    check_reports<float>(with_same_padding({.n = 8, .h = 47, .w = 48, .c = 3, .k = 128, .r = 3, .s = 3}), 3, relu);
  });
}

TEST_CASE("moments taken while a result is written are those of a pass of their own, bit for bit") {
  for_each_isa([] {
    for (ConvGeometry g : {ConvGeometry{.c = 16, .k = 3}, {.c = 16, .k = 64}, {.c = 16, .k = 130}, {.c = 3, .k = 70}}) {
      g.n = 5, g.h = 24, g.w = 23, g.r = 3, g.s = 3;
      g = with_same_padding(g);
      const std::int64_t k = g.k;
      const std::int64_t rows = output_pixels(g);
      Forward<float> forward(g);
      const auto c = static_cast<std::size_t>(k);
      std::vector<double> mean(c), variance(c), read_mean(c), read_variance(c);
      std::vector<float> partial(static_cast<std::size_t>(norm_partial_size(rows, k)));
      for (const char* const algorithm : {"winograd_6x6", "winograd", "strips", "implicit_gemm", "im2col"})
        for (const int threads : {1, 2, 7}) {
          CAPTURE(std::string(algorithm));
          const Buffer memory(MomentsReader<float>::bytes(rows, k));
          auto* const reader = MomentsReader<float>::make(rows, k, forward.result(), memory.data());
          forward.run(algorithm, threads, linear, reader);
          reader->merge(read_mean.data(), read_variance.data());
          norm_moments(rows, k, static_cast<const float*>(forward.result()), partial.data(), mean.data(),
                       variance.data(), threads);
          CHECK(read_mean == mean);
          CHECK(read_variance == variance);
        }
    }
  });
}
