#include <doctest/doctest.h>

#include <Eigen/Core>
#include <cmath>
#include <cstring>
#include <limits>
#include <string>
#include <vector>

#include <every_isa.hpp>
#include <mien/core/memory.hpp>
#include <mien/kernels/gemm/gemm.hpp>
#include <mien/testing/row_snapshot.hpp>
#include <small_integers.hpp>

using namespace mien;
using namespace mien::kernels;

namespace {

struct Case {
  std::int64_t m, n, k;
  bool ta = false, tb = false;
  int alpha = 1, beta = 0;
  std::int64_t extra = 0;  ///< how much longer than a row the leading dimensions are
};

template <class T>
struct Operands {
  std::vector<T> a, b, c, bias;
  Gemm<T> gemm;

  explicit Operands(const Case& t) {
    const std::int64_t lda = (t.ta ? t.m : t.k) + t.extra, ldb = (t.tb ? t.k : t.n) + t.extra, ldc = t.n + t.extra;
    a = small_integers<T>((t.ta ? t.k : t.m) * lda, 1);
    b = small_integers<T>((t.tb ? t.n : t.k) * ldb, 2);
    c = small_integers<T>(t.m * ldc, 3);
    bias = small_integers<T>(t.n, 4);
    gemm = {.transpose_a = Transpose{t.ta},
            .transpose_b = Transpose{t.tb},
            .m = t.m,
            .n = t.n,
            .k = t.k,
            .alpha = static_cast<T>(t.alpha),
            .a = a.data(),
            .lda = lda,
            .b = b.data(),
            .ldb = ldb,
            .beta = static_cast<T>(t.beta),
            .c = c.data(),
            .ldc = ldc};
  }
  std::vector<T> run(int threads) {
    std::vector<T> result = c;
    Gemm<T> g = gemm;
    g.c = result.data();
    const Buffer workspace(gemm_workspace(g, threads));
    kernels::gemm(g, threads, workspace.data());
    return result;
  }
};

template <class T>
using Matrix = Eigen::Matrix<T, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
template <class T>
using View = Eigen::Map<const Matrix<T>, 0, Eigen::OuterStride<>>;

/// C by Eigen in double; what lies between the rows stays as it was.
template <class T>
std::vector<T> by_eigen(const Operands<T>& operands) {
  const Gemm<T>& g = operands.gemm;
  const auto matrix = [](const T* p, std::int64_t rows, std::int64_t columns, std::int64_t ld, Transpose transpose) {
    const bool yes = transpose == Transpose::yes;
    const Matrix<double> stored =
        View<T>(p, yes ? columns : rows, yes ? rows : columns, Eigen::OuterStride<>(ld)).template cast<double>();
    return yes ? Matrix<double>(stored.transpose()) : stored;
  };
  const Matrix<double> product =
      matrix(g.a, g.m, g.k, g.lda, g.transpose_a) * matrix(g.b, g.k, g.n, g.ldb, g.transpose_b);
  std::vector<T> result = operands.c;
  for (std::int64_t i = 0; i < g.m; ++i)
    for (std::int64_t j = 0; j < g.n; ++j) {
      T& c = result[static_cast<std::size_t>(i * g.ldc + j)];
      double sum = static_cast<double>(g.alpha) * product(i, j);
      if (g.beta != T(0)) sum += static_cast<double>(g.beta * c);
      if (g.epilogue.bias != nullptr) sum += static_cast<double>(g.epilogue.bias[j]);
      c = static_cast<T>(sum);
    }
  return result;
}

template <class T>
void check(const Case& t, bool bias = false, int threads = 1) {
  CAPTURE(t.m);
  CAPTURE(t.n);
  CAPTURE(t.k);
  CAPTURE(t.ta);
  CAPTURE(t.tb);
  CAPTURE(t.alpha);
  CAPTURE(t.beta);
  Operands<T> operands(t);
  if (bias) operands.gemm.epilogue.bias = operands.bias.data();
  CHECK(operands.run(threads) == by_eigen(operands));
}

}  // namespace

TEST_CASE("gemm: every remainder of rows and columns, all four transposes") {
  for_each_isa([] {
    for (const bool ta : {false, true})
      for (const bool tb : {false, true})
        for (const std::int64_t m : {1, 2, 3, 5, 13, 14, 15, 29, 60})
          for (const std::int64_t n : {1, 3, 8, 15, 16, 17, 32, 33, 70})
            for (const std::int64_t k : {1, 2, 5, 19}) check<float>({m, n, k, ta, tb});
  });
}

TEST_CASE("gemm: every height of tile, in the direct, the packed and the transposed way") {
  for_each_isa([] {
    for (std::int64_t m = 1; m <= 30; ++m)
      for (const bool ta : {false, true}) {
        check<float>({m, 40, 37, ta, false});
        check<float>({m + 65, 40, 37, ta, true});
      }
  });
}

TEST_CASE("gemm: up to four columns, along the depth") {
  for_each_isa([] {
    for (const std::int64_t n : {1, 2, 3, 4, 5})
      for (const std::int64_t m : {1, 3, 6, 33, 70})
        for (const std::int64_t k : {63, 64, 71, 2100})
          for (const bool ta : {false, true})
            for (const bool tb : {false, true}) check<float>({m, n, k, ta, tb});
    check<float>({37, 3, 100, false, false, -2, 3, 5}, true);
    check<float>({37, 3, 100, false, true, -2, 1, 5}, true);
  });
  check<double>({37, 3, 100}, true);
}

TEST_CASE("gemm: double runs the same drivers") {
  for (const bool ta : {false, true})
    for (const bool tb : {false, true})
      for (const std::int64_t m : {1, 7, 40})
        for (const std::int64_t n : {1, 5, 33}) check<double>({m, n, 21, ta, tb}, true);
}

TEST_CASE("gemm: alpha, beta, leading dimensions and bias") {
  for_each_isa([] {
    for (const bool ta : {false, true})
      for (const bool tb : {false, true})
        for (const int alpha : {1, 0, -2})
          for (const int beta : {0, 1, 3})
            for (const std::int64_t extra : {0, 5}) check<float>({17, 37, 11, ta, tb, alpha, beta, extra}, true);
  });
}

TEST_CASE("gemm: a depth of several blocks, a depth cut into pieces, several blocks of columns") {
  for_each_isa([] {
    for (const bool ta : {false, true})
      for (const bool tb : {false, true}) {
        check<float>({150, 200, 2100, ta, tb, 1, 1}, true);
        check<float>({20, 40, 3000, ta, tb, 1, 2, 3}, true);
        check<float>({5, 4200, 9, ta, tb, 1, 0}, true);
        check<float>({70, 4200, 9, ta, tb, 1, 0}, true);
        check<float>({600, 2100, 40, ta, tb, 1, 2, 3}, true, 3);
      }
  });
}

TEST_CASE("gemm: one row, and few rows with a B larger than the second cache") {
  for_each_isa([] {
    for (const bool ta : {false, true})
      for (const std::int64_t m : {1, 2, 64, 65}) {
        check<float>({m, 300, 1100, ta, false, 1, 0}, true);
        check<float>({m, 70, 4200, ta, false, 1, 2, 3}, true);
      }
  });
}

TEST_CASE("gemm: a large result, which is written past the caches where it is aligned, has the same bits") {
  for_each_isa([] {
    for (const std::int64_t n : {64, 80}) {  // whole panels, and a last one that is not
      const std::int64_t m = past_caches_bytes / 4 / n + 3, k = 5;
      const std::vector<float> a = small_integers<float>(m * k, 1), b = small_integers<float>(k * n, 2),
                               bias = small_integers<float>(n, 3);
      const Buffer c(static_cast<std::size_t>(m * n + 1) * sizeof(float));
      Gemm<float> g{.m = m, .n = n, .k = k, .a = a.data(), .lda = k, .b = b.data(), .ldb = n, .ldc = n};
      g.epilogue = {bias.data(), relu};
      const Buffer workspace(gemm_workspace(g, 2));
      std::vector<float> results[2];
      for (const std::int64_t shift : {0, 1}) {
        g.c = reinterpret_cast<float*>(c.data()) + shift;
        CHECK(write_past_caches(g.c, m, n, n, g.epilogue) == (shift == 0));
        mien::testing::RowSnapshot<float> reader(0, n, g.c, n);
        CHECK_FALSE(write_past_caches(g.c, m, n, n, {bias.data(), relu, &reader}));
        kernels::gemm(g, 2, workspace.data());
        results[shift].assign(g.c, g.c + m * n);
      }
      CHECK(results[0] == results[1]);
    }
  });
}

TEST_CASE("gemm: rows that lie a multiple of 4096 bytes apart") {
  for_each_isa([] {
    check<float>({150, 40, 1024});
    check<float>({150, 200, 2048});
    check<float>({1024, 40, 70, true});
    check<float>({40, 1024, 1024, true, true, 1, 0, 1024});
  });
}

TEST_CASE("gemm: a C not much higher than wide, whose threads pack panels of B for themselves") {
  for_each_isa([] {
    for (const int threads : {1, 2, 3})
      for (const bool ta : {false, true})
        for (const bool tb : {false, true}) {
          check<float>({65, 288, 70, ta, tb, -2, 3, 5}, true, threads);
          check<float>({150, 355, 1100, ta, tb, 1, 1}, true, threads);
          check<float>({128, 1025, 40, ta, tb, 1, 0, 0}, false, threads);
        }
    check<float>({150, 384, 2048}, false, 2);
    check<float>({512, 1100, 150, true}, false, 3);
    check<float>({100, 288, 0, false, false, 1, 1}, true, 2);
    for (const std::int64_t m : {511, 512, 513, 2000}) check<float>({m, 64, 27}, true, 2);  // and a high strip
  });
}

TEST_CASE("gemm: nothing to add up leaves the epilogue of beta C") {
  for_each_isa([] {
    check<float>({9, 40, 0, false, false, 1, 0}, true);
    check<float>({9, 40, 0, true, false, 1, 1}, true);
    check<float>({0, 40, 3});
    check<float>({9, 0, 3});
  });
}

TEST_CASE("gemm: beta 0 overwrites NaN, and does not touch what lies between rows") {
  for_each_isa([] {
    Operands<float> operands({20, 37, 8, false, false, 1, 0, 3});
    const std::vector<float> expected = operands.run(1);
    for (std::int64_t i = 0; i < 20; ++i)
      for (std::int64_t j = 0; j < 37; ++j)
        operands.c[static_cast<std::size_t>(i * 40 + j)] = std::numeric_limits<float>::quiet_NaN();
    CHECK(operands.run(1) == expected);
  });
}

TEST_CASE("gemm: activations are applied to the finished sum") {
  for_each_isa([] {
    for (const std::int64_t k : {9, 2100, 40000}) {
      Operands<float> operands({20, 37, k, false, false, 1, 1});
      operands.gemm.epilogue.bias = operands.bias.data();
      const std::vector<float> linear_values = operands.run(1);
      for (const ActivationFunction& f : {relu, leaky_relu(0.5)}) {
        CAPTURE(std::string(to_string(f.kind)));
        operands.gemm.epilogue.activation = f;
        std::vector<float> expected = linear_values;
        for (float& v : expected) v = v > 0 ? v : f == relu ? 0 : 0.5F * v;
        CHECK(operands.run(1) == expected);
      }
      operands.gemm.epilogue.activation = mien::tanh;
      const std::vector<float> result = operands.run(1);
      for (std::size_t i = 0; i < result.size(); ++i)
        CHECK(result[i] == doctest::Approx(std::tanh(linear_values[i])).epsilon(1e-5));
    }
  });
}

TEST_CASE("gemm: each row of C is reported once it stands, whichever way it is computed") {
  for_each_isa([] {
    for (const Case& t : {Case{37, 70, 40}, Case{1, 500, 300}, Case{100, 3, 70}, Case{9, 40, 3000}, Case{40, 3000, 700},
                          Case{65, 129, 200, true}, Case{300, 40, 20, false, true, 2, 3}, Case{64, 64, 100000, true},
                          Case{600, 900, 64}, Case{5, 20, 0}, Case{2500, 1000, 3}})
      for (const int threads : {1, 3})
        for (const ActivationFunction& f : {linear, gelu}) {
          CAPTURE(t.m);
          CAPTURE(t.n);
          CAPTURE(t.k);
          Operands<float> operands(t);
          std::vector<float> c = operands.c;
          mien::testing::RowSnapshot<float> snapshot(t.m, t.n, c.data(), operands.gemm.ldc);
          operands.gemm.c = c.data();
          operands.gemm.epilogue = {.bias = operands.bias.data(), .activation = f, .reader = &snapshot};
          const Buffer workspace(gemm_workspace(operands.gemm, threads));
          kernels::gemm(operands.gemm, threads, workspace.data());
          CHECK(snapshot.complete());
        }
  });
}

TEST_CASE("gemm: relu keeps a NaN") {
  for_each_isa([] {
    Operands<float> operands({3, 40, 4});
    operands.a[0] = std::numeric_limits<float>::quiet_NaN();
    operands.gemm.epilogue.activation = relu;
    CHECK(std::isnan(operands.run(1)[0]));
  });
}

TEST_CASE("gemm: the same bits for any number of threads") {
  for_each_isa([] {
    for (const Case& t :
         {Case{300, 200, 300}, Case{40, 70, 20000, true}, Case{9, 500, 400, false, true}, Case{1, 700, 900},
          Case{60, 700, 900, true}, Case{100, 100, 3000, false, false, 1, 2}, Case{140, 1344, 1500},
          Case{512, 1120, 300, true}, Case{512, 288, 600}, Case{40, 200, 1024}}) {
      Operands<float> operands(t);
      for (float& v : operands.a) v *= 0.1F;  // no longer exact: an order of summation shows
      const std::vector<float> one = operands.run(1);
      for (const int threads : {2, 3, 7}) {
        const std::vector<float> many = operands.run(threads);
        CHECK(std::memcmp(one.data(), many.data(), one.size() * sizeof(float)) == 0);
      }
    }
  });
}

TEST_CASE("gemm: the set that was chosen is the one that runs") {
  std::vector<const void*> kernels;
  for_each_isa([&] {
    const MicroKernels<float>& table = active_micro_kernels<float>();
    CHECK(table.isa == active_isa());
    kernels.push_back(reinterpret_cast<const void*>(table.heights[0].by_rows));
    CHECK(active_micro_kernels<double>().isa == Isa::portable);
  });
  for (std::size_t i = 1; i < kernels.size(); ++i) CHECK(kernels[i] != kernels[i - 1]);
}

#if defined(NDEBUG)  // g++ fuses from -O2 on, so a debug build has nothing to show
TEST_CASE("gemm: with FMA products are not rounded before they are added, without it they are") {
  // (1 + 2^-12)^2 - 1 - 2^-11 is 2^-24 if the square is exact, and 0 if it was rounded to float first.
  for_each_isa([] {
    const float x = 1.0F + 1.0F / 4096;
    const std::vector<float> a{-1.0F - 1.0F / 2048, x}, b{1.0F, x};
    float c = 7;
    const Gemm<float> g{.m = 1, .n = 1, .k = 2, .a = a.data(), .lda = 2, .b = b.data(), .ldb = 1, .c = &c, .ldc = 1};
    const Buffer workspace(gemm_workspace(g, 1));
    kernels::gemm(g, 1, workspace.data());
    CHECK(c == (active_isa() == Isa::portable ? 0.0F : std::ldexp(1.0F, -24)));
  });
}
#endif
