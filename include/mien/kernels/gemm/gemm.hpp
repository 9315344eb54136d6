#pragma once
// C = epilogue(alpha op(A) op(B) + beta C): which way suits the product, and its workspace.

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include <mien/core/parallel.hpp>
#include <mien/kernels/elementwise/activate.hpp>
#include <mien/kernels/gemm/blocks.hpp>
#include <mien/kernels/gemm/few_columns.hpp>
#include <mien/kernels/gemm/plan.hpp>
#include <mien/kernels/gemm/row_times_matrix.hpp>

namespace mien::inline v0::kernels {

namespace gemm_detail {

/// One row of C. The columns are cut as gemm_direct cuts them.
template <class T>
void gemm_row(const Gemm<T>& g, int threads) {
  const auto multiply = MIEN_SELECT_ISA(T, row_times_matrix);
  const std::int64_t lines = ceil_div(g.n, 64), parts = std::min<std::int64_t>(threads, lines);
  parallel_for(threads, parts, [&](std::int64_t part, int) {
    const std::int64_t begin = part_begin(lines, parts, part) * 64;
    const std::int64_t end = std::min(g.n, part_begin(lines, parts, part + 1) * 64);
    for (std::int64_t j = begin; j < end; ++j) {
      g.c[j] = g.beta == T(0) ? T(0) : g.beta * g.c[j];
      if (g.epilogue.bias != nullptr) g.c[j] += g.epilogue.bias[j];
    }
    multiply(g.a, g.k, g.b + begin, g.ldb, end - begin, g.c + begin);
    if (g.epilogue.activation != linear) activate(g.epilogue.activation, end - begin, g.c + begin, g.c + begin);
    g.epilogue.finished(0, 1, end - begin);
  });
}

template <class T>
void gemm_unsplit(const Gemm<T>& g, const GemmPlan<T>& plan, int threads, std::byte* workspace) {
  if (g.m * g.n * g.k < small_product) threads = 1;
  Scratch shared(workspace);
  if (plan.narrow) return gemm_few_columns(g, threads, shared.array<T>(g.n * g.k));
  if (plan.one_row) return gemm_row(g, threads);
  T* const packed = shared.array<T>(plan.packed_size(g));
  T* const copied_a = shared.array<T>(plan.shared_a_size(g));
  const GemmScratchOfThreads<T> scratch{g, plan, workspace + shared.bytes()};
  if (plan.direct_b) return gemm_direct(g, plan, threads, scratch);
  if (plan.own_b) return gemm_own_panels(g, plan, threads, copied_a, scratch);
  gemm_packed(g, plan, threads, packed, copied_a, scratch);
}

/// Piece i of the depth as a product of its own.
template <class T>
Gemm<T> gemm_piece(Gemm<T> g, std::int64_t pieces, std::int64_t i, T* c) {
  const std::int64_t begin = part_begin(g.k, pieces, i);
  g.k = part_begin(g.k, pieces, i + 1) - begin;
  g.a += g.transpose_a == Transpose::yes ? begin * g.lda : begin;
  g.b += g.transpose_b == Transpose::yes ? begin : begin * g.ldb;
  g.beta = 0;
  g.c = c;
  g.ldc = g.n;
  g.epilogue = {};
  return g;
}

template <class T>
std::size_t gemm_unsplit_workspace(const Gemm<T>& g, const GemmPlan<T>& plan, int threads) {
  Scratch shared, per_thread;
  static_cast<void>(shared.array<T>(std::max(plan.packed_size(g), plan.narrow ? g.n * g.k : 0)));
  static_cast<void>(shared.array<T>(plan.shared_a_size(g)));
  static_cast<void>(plan.thread_scratch(g, per_thread));
  return shared.bytes() + static_cast<std::size_t>(threads) * per_thread.bytes();
}

/// A piece's workspace for one thread: the longest piece's.
template <class T>
std::size_t gemm_piece_workspace(const Gemm<T>& g, std::int64_t pieces) {
  Gemm<T> longest = g;
  longest.k = ceil_div(g.k, pieces);
  return gemm_unsplit_workspace(longest, GemmPlan<T>(longest), 1);
}

/// The depth in pieces, each summed by one thread into its own C; then their sums, in order.
template <class T>
void gemm_split(const Gemm<T>& g, const GemmPlan<T>& plan, int threads, std::byte* workspace) {
  Scratch scratch(workspace);
  T* const sums = scratch.array<T>(plan.pieces * g.m * g.n);
  const std::size_t shared = scratch.bytes(), each = gemm_piece_workspace(g, plan.pieces);
  parallel_for(threads, plan.pieces, [&](std::int64_t i, int thread) {
    const Gemm<T> piece = gemm_piece(g, plan.pieces, i, sums + i * g.m * g.n);
    gemm_unsplit(piece, GemmPlan<T>(piece), 1, workspace + shared + static_cast<std::size_t>(thread) * each);
  });
  parallel_for(threads, g.m, [&](std::int64_t row, int) {
    T* const c = g.c + row * g.ldc;
    for (std::int64_t j = 0; j < g.n; ++j) {
      T sum = g.beta == T(0) ? T(0) : g.beta * c[j];
      if (g.epilogue.bias != nullptr) sum += g.epilogue.bias[j];
      for (std::int64_t i = 0; i < plan.pieces; ++i) sum += sums[(i * g.m + row) * g.n + j];
      c[j] = sum;
    }
    if (g.epilogue.activation != linear) activate(g.epilogue.activation, g.n, c, c);
    g.epilogue.finished(row, 1, g.n);
  });
}

}  // namespace gemm_detail

/// The bytes that gemm() needs for this product on that many threads.
template <class T>
[[nodiscard]] std::size_t gemm_workspace(const Gemm<T>& g, int threads) {
  if (g.m <= 0 || g.n <= 0) return 0;
  const gemm_detail::GemmPlan<T> plan(g, threads);
  if (plan.pieces == 1) return gemm_detail::gemm_unsplit_workspace(g, plan, threads);
  Scratch sums;
  static_cast<void>(sums.array<T>(plan.pieces * g.m * g.n));
  return sums.bytes() + static_cast<std::size_t>(threads) * gemm_detail::gemm_piece_workspace(g, plan.pieces);
}

/// The product. `workspace` has gemm_workspace(g, threads) bytes, aligned to the cache line.
template <class T>
void gemm(const Gemm<T>& g, int threads, std::byte* workspace) {
  if (g.m <= 0 || g.n <= 0) return;
  const gemm_detail::GemmPlan<T> plan(g, threads);
  if (plan.pieces == 1) return gemm_detail::gemm_unsplit(g, plan, threads, workspace);
  gemm_detail::gemm_split(g, plan, threads, workspace);
}

/// The bytes that gemm_serial() needs. They grow with m and k: what serves a product serves a smaller one.
template <class T>
[[nodiscard]] std::size_t gemm_serial_workspace(const Gemm<T>& g) {
  return g.m <= 0 || g.n <= 0 ? 0 : gemm_detail::gemm_unsplit_workspace(g, gemm_detail::GemmPlan<T>(g), 1);
}

/// The product on the caller's thread, its depth not cut: the part that a convolution's own tasks are made of.
template <class T>
void gemm_serial(const Gemm<T>& g, std::byte* workspace) {
  if (g.m > 0 && g.n > 0) gemm_detail::gemm_unsplit(g, gemm_detail::GemmPlan<T>(g), 1, workspace);
}

}  // namespace mien::inline v0::kernels
