#include <doctest/doctest.h>

#include <algorithm>
#include <cstring>
#include <string>
#include <vector>

#include <every_isa.hpp>
#include <mien/core/memory.hpp>
#include <mien/kernels/conv/conv.hpp>
#include <small_integers.hpp>

#include "awkward_geometries.hpp"

using namespace mien;
using namespace mien::kernels;

namespace {

template <class T>
struct Operands {
  ConvGeometry g;
  std::vector<T> x, w, dy, bias;
  explicit Operands(const ConvGeometry& geometry)
      : g(geometry),
        x(small_integers<T>(g.n * g.h * g.w * g.c, 1)),
        w(small_integers<T>(patch_size(g) * g.k, 2)),
        dy(small_integers<T>(output_pixels(g) * g.k, 3)),
        bias(small_integers<T>(std::max(g.c, g.k), 4)) {}

  /// The pass's result, in memory that was full of other numbers.
  std::vector<T> run(ConvPass pass, std::string_view algorithm, int threads = 1,
                     ActivationFunction activation = linear) {
    const Buffer workspace(conv_workspace<T>(g, pass, threads, algorithm));
    const std::size_t size = pass == ConvPass::forward          ? dy.size()
                             : pass == ConvPass::backward_input ? x.size()
                                                                : w.size();
    std::vector<T> result(size, T(77));
    if (pass == ConvPass::forward)
      conv_forward<T>(g, x.data(), w.data(), result.data(), {bias.data(), activation}, threads, workspace.data(),
                      algorithm);
    else if (pass == ConvPass::backward_input)
      conv_backward_input<T>(g, dy.data(), w.data(), result.data(), threads, workspace.data(), algorithm,
                             {bias.data(), activation});
    else
      conv_backward_kernel(g, x.data(), dy.data(), result.data(), threads, workspace.data(), algorithm);
    return result;
  }
};

std::string describe(const ConvGeometry& g) {
  const auto pair = [](std::int64_t a, std::int64_t b) { return std::to_string(a) + "," + std::to_string(b); };
  return "n " + std::to_string(g.n) + " h,w " + pair(g.h, g.w) + " c,k " + pair(g.c, g.k) + " r,s " + pair(g.r, g.s) +
         " stride " + pair(g.stride_h, g.stride_w) + " dilation " + pair(g.dilation_h, g.dilation_w) + " pad " +
         pair(g.pad_top, g.pad_left) + " " + pair(g.pad_bottom, g.pad_right) + " groups " + std::to_string(g.groups);
}

/// Every exact algorithm that accepts the geometry gives the reference's bits in every pass (the others have a test of
/// their own: winograd_test.cpp).
template <class T>
void check_all(const ConvGeometry& g) {
  const std::string geometry = describe(g);
  CAPTURE(geometry);
  REQUIRE(g.oh > 0);
  REQUIRE(g.ow > 0);
  Operands<T> operands(g);
  for (const ConvPass pass : conv_passes) {
    CAPTURE(std::string(to_string(pass)));
    const std::vector<T> expected = operands.run(pass, "reference");
    for (const ConvAlgorithm<T>& algorithm : conv_algorithms<T>(pass)) {
      if (algorithm.accepts(g) != nullptr || !algorithm.exact) continue;
      CAPTURE(std::string(algorithm.name));
      CHECK(operands.run(pass, algorithm.name) == expected);
    }
  }
}

}  // namespace

TEST_CASE("convolution: every algorithm equals the reference, in every pass, with every instruction set") {
  for_each_isa([] {
    for (const ConvGeometry& g : awkward_geometries()) check_all<float>(g);
  });
}

TEST_CASE("convolution: double") {
  for (const ConvGeometry& g : awkward_geometries()) check_all<double>(g);
}

TEST_CASE("convolution: of no pictures, nothing is written and the kernel's gradient is zero") {
  for_each_isa([] {
    for (ConvGeometry g : awkward_geometries()) {
      g.n = 0;
      Operands<float> operands(g);
      for (const ConvPass pass : conv_passes)
        for (const ConvAlgorithm<float>& algorithm : conv_algorithms<float>(pass)) {
          if (algorithm.accepts(g) != nullptr) continue;
          CAPTURE(std::string(algorithm.name));
          for (const float value : operands.run(pass, algorithm.name, 2)) CHECK(value == 0);
        }
    }
  });
}

TEST_CASE("convolution: a sweep of channels, filters and widths around the tiles' sizes") {
  for_each_isa([] {
    for (const std::int64_t c : {1, 8, 13, 15, 16})
      for (const std::int64_t k : {1, 15, 16, 33})
        for (const std::int64_t w : {3, 8, 17})
          check_all<float>(with_same_padding({.n = 1, .h = 4, .w = w, .c = c, .k = k, .r = 3, .s = 3}));
  });
}

TEST_CASE("convolution: single channels, around the registers' sizes, with and without a multiplier") {
  for_each_isa([] {
    for (const std::int64_t c : {2, 3, 4, 7, 8, 15, 16, 17, 31, 63, 65})
      for (const std::int64_t multiplier : {1, 2, 3})
        for (const std::int64_t w : {1, 3, 9}) {
          ConvGeometry g{.n = 1, .h = 4, .w = w, .c = c, .k = c * multiplier, .r = 3, .s = 3, .groups = c};
          for (g.stride_w = 1; g.stride_w <= 2; ++g.stride_w) {
            check_all<float>(with_same_padding(g));
            CHECK(std::string_view(select_conv<float>(g, ConvPass::forward).name) == "depthwise");
          }
        }
  });
}

TEST_CASE("convolution: single channels, rows of every width, with both, one or no edge") {
  for_each_isa([] {
    for (const std::int64_t c : {8, 16, 21, 40})
      for (std::int64_t w = 3; w <= 20; ++w)
        for (const std::int64_t edges : {0, 1, 2, 3})
          check_all<float>(with_output({.n = 1,
                                        .h = 3,
                                        .w = w,
                                        .c = c,
                                        .k = c,
                                        .r = 3,
                                        .s = 3,
                                        .pad_top = edges % 2,
                                        .pad_left = edges % 2,
                                        .pad_bottom = edges / 2,
                                        .pad_right = edges / 2,
                                        .groups = c}));
  });
}

TEST_CASE("convolution: few channels, rows of every width") {
  for_each_isa([] {
    constexpr std::int64_t channels[] = {3, 1, 7}, filters[] = {5, 32, 70, 16};
    for (std::int64_t w = 1; w <= 30; ++w)
      for (const std::int64_t stride : {1, 2})
        check_all<float>(with_same_padding(
            {.n = 1, .h = 5, .w = w, .c = channels[w % 3], .k = filters[w % 4], .r = 3, .s = 3, .stride_w = stride}));
  });
}

TEST_CASE("convolution: strips of a result that is stored past the caches") {
  for_each_isa([] {
    for (const std::int64_t k : {48, 64}) {  // 48: the last panel is not whole with AVX-512
      Operands<float> operands(with_same_padding({.n = 19, .h = 48, .w = 48, .c = 3, .k = k, .r = 3, .s = 3}));
      const ConvGeometry& g = operands.g;
      const std::size_t size = operands.dy.size();
      const Buffer y(size * sizeof(float)), workspace(conv_workspace<float>(g, ConvPass::forward, 2, "strips"));
      float* const result = reinterpret_cast<float*>(y.data());
      const Epilogue<float> epilogue{operands.bias.data(), relu};
      REQUIRE(write_past_caches(result, output_pixels(g), g.k, g.k, epilogue));
      conv_forward<float>(g, operands.x.data(), operands.w.data(), result, epilogue, 2, workspace.data(), "strips");
      CHECK(std::equal(result, result + size, operands.run(ConvPass::forward, "implicit_gemm", 2, relu).begin()));
    }
  });
}

TEST_CASE("convolution: a window dilated far beyond the picture takes no memory for it") {
  const ConvGeometry g = with_same_padding({.h = 48, .w = 48, .c = 3, .k = 16, .r = 3, .s = 3, .dilation_h = 1 << 30});
  for (const ConvAlgorithm<float>& algorithm : conv_algorithms<float>(ConvPass::forward))
    if (algorithm.accepts(g) == nullptr) CHECK(algorithm.workspace(g, 2) < std::size_t{1} << 20);
}

TEST_CASE("convolution: first layers go forward by strips where rows are long enough and sums short enough") {
  const auto chosen = [](ConvGeometry g) {
    return std::string_view(select_conv<float>(with_same_padding(g), ConvPass::forward).name);
  };
  CHECK(chosen({.n = 32, .h = 48, .w = 48, .c = 3, .k = 64, .r = 3, .s = 3}) == "strips");
  CHECK(chosen({.n = 1, .h = 28, .w = 28, .c = 1, .k = 32, .r = 5, .s = 5}) == "strips");
  CHECK(chosen({.n = 32, .h = 48, .w = 48, .c = 3, .k = 64, .r = 7, .s = 7}) == "implicit_gemm");
  CHECK(chosen({.n = 32, .h = 48, .w = 5, .c = 3, .k = 64, .r = 3, .s = 3}) == "implicit_gemm");
  CHECK(chosen({.n = 1, .h = 1, .w = 4096, .c = 2, .k = 64, .r = 1, .s = 7}) == "implicit_gemm");
  CHECK(chosen({.n = 32, .h = 48, .w = 48, .c = 3, .k = 64, .r = 3, .s = 3, .dilation_w = 2}) == "implicit_gemm");
}

TEST_CASE("convolution: the reference by hand") {
  Operands<double> operands(with_same_padding({.h = 1, .w = 3, .r = 1, .s = 3}));
  operands.x = {1, 2, 3};
  operands.w = {10, 100, 1000};
  operands.bias = {5};
  operands.dy = {1, 2, 3};
  CHECK(operands.run(ConvPass::forward, "reference") == std::vector<double>{2105, 3215, 325});
  operands.bias = {0};
  CHECK(operands.run(ConvPass::backward_input, "reference") == std::vector<double>{120, 1230, 2300});
  CHECK(operands.run(ConvPass::backward_kernel, "reference") == std::vector<double>{8, 14, 8});
}

TEST_CASE("convolution: the activation is applied to the finished sum") {
  for_each_isa([] {
    Operands<float> operands(with_same_padding({.n = 2, .h = 9, .w = 8, .c = 16, .k = 37, .r = 3, .s = 3}));
    for (const ActivationFunction& f : {relu, leaky_relu(0.5)}) {
      const std::vector<float> expected = operands.run(ConvPass::forward, "reference", 1, f);
      for (const char* name : {"implicit_gemm", "im2col"})
        CHECK(operands.run(ConvPass::forward, name, 1, f) == expected);
    }
    Operands<float> first_layer(with_same_padding({.n = 2, .h = 9, .w = 19, .c = 3, .k = 37, .r = 3, .s = 3}));
    for (const ActivationFunction& f : {relu, leaky_relu(0.5)})
      CHECK(first_layer.run(ConvPass::forward, "strips", 1, f) ==
            first_layer.run(ConvPass::forward, "reference", 1, f));
    for (const ActivationFunction& f : {relu, mien::tanh})
      CHECK(operands.run(ConvPass::backward_input, "col2im", 2, f) ==
            operands.run(ConvPass::backward_input, "reference", 1, f));
    const std::vector<float> expected = operands.run(ConvPass::forward, "reference", 1, mien::tanh);
    const std::vector<float> result = operands.run(ConvPass::forward, "implicit_gemm", 1, mien::tanh);
    for (std::size_t i = 0; i < result.size(); ++i) CHECK(result[i] == doctest::Approx(expected[i]).epsilon(1e-6));
  });
}

TEST_CASE("convolution: the same bits for any number of threads") {
  for_each_isa([] {
    for (const ConvGeometry& g :
         {with_same_padding({.n = 5, .h = 24, .w = 23, .c = 16, .k = 40, .r = 3, .s = 3}),
          with_output({.n = 8, .h = 40, .w = 40, .c = 3, .k = 16, .r = 3, .s = 3}),
          with_same_padding({.n = 9, .h = 25, .w = 31, .c = 3, .k = 33, .r = 3, .s = 3}),
          with_same_padding({.n = 5, .h = 12, .w = 10, .c = 24, .k = 40, .r = 3, .s = 3, .stride_h = 2, .stride_w = 2}),
          with_output({.n = 1, .h = 7, .w = 7, .c = 64, .k = 128, .r = 3, .s = 3, .stride_h = 2}),
          with_output({.n = 4, .h = 24, .w = 24, .c = 40, .k = 48}),
          with_same_padding({.n = 9, .h = 24, .w = 23, .c = 72, .k = 72, .r = 3, .s = 3, .groups = 72}),
          with_same_padding({.n = 9, .h = 24, .w = 23, .c = 9, .k = 27, .r = 3, .s = 3, .stride_h = 2, .groups = 9})}) {
      Operands<float> operands(g);
      for (float& v : operands.w) v *= 0.1F;  // no longer exact: an order of summation shows
      for (float& v : operands.dy) v *= 0.3F;
      for (const ConvPass pass : conv_passes)
        for (const ConvAlgorithm<float>& algorithm : conv_algorithms<float>(pass)) {
          CAPTURE(std::string(to_string(pass)));
          CAPTURE(std::string(algorithm.name));
          const std::vector<float> one = operands.run(pass, algorithm.name, 1);
          for (const int threads : {2, 3, 7}) {
            const std::vector<float> many = operands.run(pass, algorithm.name, threads);
            CHECK(std::memcmp(one.data(), many.data(), one.size() * sizeof(float)) == 0);
          }
        }
    }
  });
}

TEST_CASE("convolution: a prepared kernel gives the bits of one that is prepared in the call, for any batch") {
  for_each_isa([] {
    std::vector<ConvGeometry> geometries = awkward_geometries();
    for (const std::int64_t size : {2, 3, 6, 14})
      geometries.push_back(with_same_padding({.n = 2, .h = size, .w = size, .c = 40, .k = 24 * size, .r = 3, .s = 3}));
    std::size_t forms = 0;
    for (ConvGeometry g : geometries)
      for (const ConvAlgorithm<float>& algorithm : conv_algorithms<float>(ConvPass::forward)) {
        if (algorithm.prepare == nullptr || algorithm.accepts(g) != nullptr) continue;
        const std::string geometry = describe(g);
        CAPTURE(geometry);
        CAPTURE(std::string(algorithm.name));
        Operands<float> operands(g);
        for (float& v : operands.w) v *= 0.1F;
        const std::vector<float> expected = operands.run(ConvPass::forward, algorithm.name);
        g.kernel_prepared = true;
        ConvGeometry larger = g;  // another batch makes the same form
        larger.n += 3;
        const auto size = algorithm.prepared_size(larger);
        REQUIRE(algorithm.prepared_size(g) == size);
        const Buffer form(static_cast<std::size_t>(size) * sizeof(float));
        const Buffer scratch(std::max(algorithm.workspace(larger, 3), algorithm.workspace(g, 3)));
        float* const prepared = reinterpret_cast<float*>(form.data());
        algorithm.prepare({larger, nullptr, operands.w.data(), prepared, {}, 3, scratch.data()});
        std::vector<float> result(expected.size(), 77.0F);
        algorithm.run(
            {g, operands.x.data(), prepared, result.data(), {operands.bias.data(), linear}, 3, scratch.data()});
        CHECK(std::memcmp(result.data(), expected.data(), expected.size() * sizeof(float)) == 0);
        ++forms;
        g.kernel_prepared = false;
      }
    CHECK(forms > geometries.size());
  });
}

TEST_CASE("convolution: a name forces an algorithm; the lists end with one that accepts everything") {
  const ConvGeometry plain = with_same_padding({.h = 9, .w = 9, .c = 16, .k = 16, .r = 3, .s = 3});
  for (const ConvPass pass : conv_passes) {
    for (const ConvAlgorithm<float>& algorithm : conv_algorithms<float>(pass)) {
      if (algorithm.accepts(plain) == nullptr)
        CHECK(&select_conv<float>(plain, pass, algorithm.name) == &algorithm);
      else
        CHECK(std::string_view("gemm_1x1 depthwise strips").find(algorithm.name) != std::string_view::npos);
    }
    CHECK(std::string_view(conv_algorithms<float>(pass).back().name) == "reference");
    for (const ConvGeometry& g : awkward_geometries()) CHECK(conv_algorithms<float>(pass).back().accepts(g) == nullptr);
  }
}

TEST_CASE("convolution: a window larger than the padded input has no outputs, not a huge number of them") {
  CHECK(conv_output_extent(2, 3, 1) <= 0);
  CHECK(conv_output_extent(1, 7, 2, 3, 2, 2) <= 0);
  CHECK(with_output({.h = 2, .w = 9, .r = 3, .s = 3}).oh <= 0);
}
