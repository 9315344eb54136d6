// add, accumulate, scale_shift, column_sums, dropout: exact on small integers.

#include <doctest/doctest.h>

#include <cmath>
#include <vector>

#include <every_isa.hpp>
#include <mien/core/memory.hpp>
#include <mien/kernels/elementwise/add.hpp>
#include <mien/kernels/elementwise/column_sums.hpp>
#include <mien/kernels/elementwise/dropout.hpp>
#include <mien/kernels/elementwise/scale_shift.hpp>
#include <small_integers.hpp>

using namespace mien;

TEST_CASE("add and accumulate, every tail and several chunks") {
  for_each_isa([] {
    for (const std::int64_t n : {0, 1, 3, 15, 16, 17, 33, 16384, 50001}) {
      const auto a = small_integers<float>(n, 1, 9), b = small_integers<float>(n, 2, 9);
      std::vector<float> y(a.size() + 1, 7), expected;
      for (std::size_t i = 0; i < a.size(); ++i) expected.push_back(a[i] + b[i]);
      expected.push_back(7);
      kernels::add(n, a.data(), b.data(), y.data(), 3);
      CHECK(y == expected);
      std::copy(b.begin(), b.end(), y.begin());
      kernels::accumulate(n, a.data(), y.data(), 2);
      CHECK(y == expected);
    }
  });
}

TEST_CASE("scale_shift repeats its pattern") {
  for_each_isa([] {
    for (const std::int64_t period : {1, 3, 64, 192, 20000})
      for (const std::int64_t n : {1, 100, 50001}) {
        const auto scale = small_integers<float>(period, 3, 9), shift = small_integers<float>(period, 4, 9),
                   x = small_integers<float>(n, 5, 9);
        std::vector<float> y = x, expected;
        for (std::size_t i = 0; i < x.size(); ++i) {
          const std::size_t c = i % scale.size();
          expected.push_back(scale[c] * x[i] + shift[c]);
        }
        kernels::scale_shift(n, period, scale.data(), shift.data(), y.data(), y.data(), 2);
        CHECK(y == expected);
      }
  });
}

TEST_CASE("column_sums of matrices of every width") {
  for_each_isa([] {
    for (const std::int64_t columns : {1, 2, 7, 16, 17, 64, 100, 131, 9000})
      for (const std::int64_t rows : {0, 1, 5, 700}) {
        const auto x = small_integers<float>(rows * columns, 6, 9);
        std::vector<float> expected(static_cast<std::size_t>(columns)), sums(expected.size(), -1);
        for (std::size_t i = 0; i < x.size(); ++i) expected[i % expected.size()] += x[i];
        const Buffer workspace(kernels::column_sums_workspace<float>(rows, columns));
        kernels::column_sums(rows, columns, x.data(), sums.data(), 3, workspace.data());
        CHECK(sums == expected);
      }
  });
}

TEST_CASE("column_sums: the same bits for any number of threads, and close to the sums in double") {
  for_each_isa([] {
    constexpr std::int64_t rows = 20000, columns = 19;
    std::vector<float> x(rows * columns), expected(columns);
    mien::testing::fill_uniform<float>(x, 7, 0, 1);
    const Buffer workspace(kernels::column_sums_workspace<float>(rows, columns));
    kernels::column_sums(rows, columns, x.data(), expected.data(), 1, workspace.data());
    for (const int threads : {2, 3, 7}) {
      std::vector<float> sums(columns);
      kernels::column_sums(rows, columns, x.data(), sums.data(), threads, workspace.data());
      CHECK(sums == expected);
    }
    for (std::int64_t j = 0; j < columns; ++j) {
      double sum = 0;
      for (std::int64_t i = 0; i < rows; ++i) sum += static_cast<double>(x[static_cast<std::size_t>(i * columns + j)]);
      CHECK(std::abs(static_cast<double>(expected[static_cast<std::size_t>(j)]) / sum - 1) < 1e-6);
    }
  });
}

TEST_CASE("dropout takes element i's fate from number i of the stream, for any number of threads") {
  const Random random({.seed = 8, .purpose = 3});
  for (const double rate : {0.1, 0.5, 1.0})
    for (const std::int64_t n : {1, 2, 5, 40001}) {
      const std::vector<double> x(static_cast<std::size_t>(n), 3.0);
      std::vector<double> y(x.size());
      kernels::dropout(random, rate, n, x.data(), y.data(), 3);
      bool right = true;
      for (std::int64_t i = 0; i < n; ++i) {
        const bool kept = random.uniform_at(static_cast<std::uint64_t>(i)) >= rate;
        right = right && y[static_cast<std::size_t>(i)] == (kept ? 3.0 * (1 / (1 - rate)) : 0.0);
      }
      CHECK(right);
    }
}
