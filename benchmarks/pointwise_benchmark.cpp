// What surrounds the convolutions, against loops that read and write as much and compute next to nothing: the optimizer
// over VGG16's weights, and batch normalisation, pooling and activation over 8 x 224 x 224 x 64, which no cache holds.
// GB/s of bytes read and written. Names: stream/<what>, pointwise/<what>, each with /threads:T.

#include <algorithm>
#include <cstddef>
#include <limits>
#include <string>
#include <vector>

#include "support.hpp"

#include <mien/core/memory.hpp>
#include <mien/kernels/conv/geometry.hpp>
#include <mien/kernels/elementwise/activate.hpp>
#include <mien/kernels/elementwise/chunks.hpp>
#include <mien/kernels/norm/batch_norm.hpp>
#include <mien/kernels/norm/batch_norm_pool.hpp>
#include <mien/kernels/optimizer/update.hpp>
#include <mien/kernels/pool/pool.hpp>

namespace mien::inline v0::kernels {
template <class T>
struct StreamKernels {
  T (*read)(std::int64_t n, const T* a);
  void (*copy)(std::int64_t n, const T* a, T* to);
  void (*add)(std::int64_t n, const T* a, const T* b, T* to);
  void (*update)(std::int64_t n, const T* g, T* w, T* m, T* v);
};
}  // namespace mien::inline v0::kernels

#define MIEN_KERNEL_TEXT "../../../../benchmarks/streams.inl"
#include <mien/kernels/isa/for_each_isa.inl>

namespace {

using namespace mien;
using namespace mien_benchmark;

constexpr std::int64_t weights = 14714688, pictures = 8, side = 224, channels = 64;
constexpr std::int64_t rows = pictures * side * side, cells = rows * channels;
constexpr kernels::ConvGeometry windows = kernels::with_output(
    {.n = pictures, .h = side, .w = side, .c = channels, .k = channels, .r = 2, .s = 2, .stride_h = 2, .stride_w = 2});

/// Registers run(), which reads and writes `bytes`.
template <class Run>
void add(const std::string& name, double bytes, int threads, const Run& run) {
  register_timed(name + threads_suffix(threads), [=](benchmark::State& state) {
    measure(state, "GB/s", bytes * 1e-9, run);
    state.SetLabel(to_string(active_isa()));
  });
}

/// Registers run(), which reads and writes so many arrays of cells.
template <class Run>
void add_pass(const std::string& name, double arrays, int threads, const Run& run) {
  add(name, static_cast<double>(cells) * sizeof(float) * arrays, threads, run);
}

/// Registers body(first, count), which is given stretches of 0 ... n-1 and reads and writes so many floats for each.
template <class Body>
void add_stretches(const std::string& name, std::int64_t n, double floats, int threads, const Body& body) {
  add(name, static_cast<double>(n) * sizeof(float) * floats, threads,
      [=] { kernels::for_each_chunk(n, kernels::elementwise_chunk, threads, body); });
}

/// What the benchmarks work on: four arrays of cells, Adam's second moments, and a batch normalisation's numbers.
struct Arrays {
  Arrays() {
    std::fill_n(squares.data(), weights, 0.25F);
    kernels::max_pool_forward(windows, a.data(), b.data(), indices.data(), 1);
  }
  Operand a{cells}, b{cells}, c{cells}, d{cells}, squares{weights};
  Operand mean{channels}, scale{channels}, shift{channels}, partial{kernels::norm_partial_size(rows, channels)};
  std::vector<double> first = std::vector<double>(channels), second = std::vector<double>(channels);
  Buffer indices{static_cast<std::size_t>(cells / 4)};
  kernels::NormChannels<float> norm{mean.data(), scale.data(), shift.data(), 0};
  kernels::NormGradient<float> gradient{shift.data(), mean.data(), scale.data()};
};

void register_streams(Arrays& x, int threads) {
  const kernels::StreamKernels<float>* const loops = MIEN_SELECT_ISA(float, stream_kernels);
  float *const a = x.a.data(), *const b = x.b.data(), *const c = x.c.data(), *const d = x.d.data();
  add_stretches("stream/read", cells, 1, threads,
                [=](std::int64_t i, std::int64_t n) { benchmark::DoNotOptimize(loops->read(n, a + i)); });
  add_stretches("stream/copy", cells, 2, threads,
                [=](std::int64_t i, std::int64_t n) { loops->copy(n, a + i, b + i); });
  add_stretches("stream/add", cells, 3, threads,
                [=](std::int64_t i, std::int64_t n) { loops->add(n, a + i, b + i, c + i); });
  add_stretches("stream/update", weights, 7, threads,
                [=](std::int64_t i, std::int64_t n) { loops->update(n, a + i, b + i, c + i, d + i); });
}

void register_optimizer(Arrays& x, int threads) {
  float *const a = x.a.data(), *const d = x.d.data(), *const c = x.c.data(), *const squares = x.squares.data();
  constexpr kernels::AdamTerms<float> adam{.gradient = {0, 0, 1, std::numeric_limits<float>::infinity(), 0},
                                           .one_minus_beta_1 = 0.1F,
                                           .one_minus_beta_2 = 0.001F,
                                           .rate = 1e-3F,
                                           .epsilon = 1e-7F};
  add_stretches("pointwise/adam", weights, 7, threads, [=](std::int64_t i, std::int64_t n) {
    kernels::adam_update<float>(adam, n, d + i, a + i, c + i, squares + i, nullptr);
  });
}

void register_normalisation(Arrays& x, int threads) {
  float *const a = x.a.data(), *const b = x.b.data(), *const c = x.c.data(), *const partial = x.partial.data();
  double *const first = x.first.data(), *const second = x.second.data();
  const kernels::NormChannels<float> norm = x.norm;
  const kernels::NormGradient<float> gradient = x.gradient;
  add_pass("pointwise/batch_norm/moments", 1, threads,
           [=] { kernels::norm_moments(rows, channels, a, partial, first, second, threads); });
  add_pass("pointwise/batch_norm/apply", 2, threads, [=] {
    kernels::for_each_norm_block(rows, channels, threads, [&](std::int64_t row, std::int64_t n, std::int64_t) {
      kernels::norm_apply(n, channels, norm, a + row * channels, b + row * channels);
    });
  });
  add_pass("pointwise/batch_norm/gradient_sums", 2, threads,
           [=] { kernels::norm_gradient_sums(rows, channels, norm, a, b, partial, first, second, threads); });
  add_pass("pointwise/batch_norm/gradient", 3, threads, [=] {
    kernels::for_each_norm_block(rows, channels, threads, [&](std::int64_t row, std::int64_t n, std::int64_t) {
      const std::int64_t at = row * channels;
      kernels::norm_backward(n, channels, norm, gradient, a + at, b + at, c + at);
    });
  });
  add_pass("pointwise/batch_norm_pool/forward", 1.25, threads,
           [=] { kernels::norm_pool_forward(windows, norm, a, b, threads); });
  add_pass("pointwise/batch_norm_pool/gradient_sums", 1.25, threads,
           [=] { kernels::norm_pool_gradient_sums(windows, norm, a, b, partial, first, second, threads); });
  add_pass("pointwise/batch_norm_pool/gradient", 2.25, threads,
           [=] { kernels::norm_pool_backward(windows, norm, gradient, a, b, c, threads); });
}

void register_pooling_and_activation(Arrays& x, int threads) {
  float *const a = x.a.data(), *const b = x.b.data(), *const c = x.c.data();
  std::byte* const indices = x.indices.data();
  add_pass("pointwise/max_pool/forward", 1.3125, threads,
           [=] { kernels::max_pool_forward(windows, a, b, indices, threads); });
  add_pass("pointwise/max_pool/gradient", 1.3125, threads,
           [=] { kernels::max_pool_backward(windows, b, indices, c, threads); });
  add_pass("pointwise/relu/forward", 2, threads, [=] { kernels::activate(relu, rows, channels, a, b, threads); });
  add_pass("pointwise/relu/gradient", 3, threads,
           [=] { kernels::activate_backward<float>(relu, rows, channels, nullptr, a, b, c, threads); });
}

}  // namespace

int main(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 1;
  Arrays arrays;
  for (const int threads : thread_counts()) {
    register_streams(arrays, threads);
    register_optimizer(arrays, threads);
    register_normalisation(arrays, threads);
    register_pooling_and_activation(arrays, threads);
  }
  benchmark::RunSpecifiedBenchmarks();
}
