#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include <mien/core/parallel.hpp>
#include <mien/kernels/elementwise/activate.hpp>
#include <mien/kernels/gemm/few_columns.hpp>
#include <mien/kernels/gemm/macro_kernel.hpp>
#include <mien/kernels/gemm/plan.hpp>
#include <mien/kernels/gemm/pointers.hpp>
#include <mien/kernels/gemm/row_times_matrix.hpp>

namespace mien::inline v0::kernels {

namespace gemm_detail {

/// One block of B's depth and columns, and how C is to be met by it.
template <class T>
struct GemmBlock {
  std::int64_t depth_begin, depth;
  std::int64_t column_begin, columns;
  const T* packed;
  const T* copied_a;  ///< of a transposed A, if the groups share it
  bool first, last;
};

/// Tiles and panels of one task.
struct GemmPart {
  std::int64_t tile_begin, tile_end, panel_begin, panel_end;
};

/// A panel of B: row p begins at base + p * ld + offset.
template <class T>
struct PanelOfB {
  const T* base;
  std::int64_t ld, offset;
};

template <class T>
PanelOfB<T> panel_of_b(const Gemm<T>& g, const GemmPlan<T>& plan, const GemmBlock<T>& block, std::int64_t panel,
                       const GemmThreadScratch<T>& own) {
  const std::int64_t width = plan.kernels->columns, columns = std::min(width, block.columns - panel * width);
  if (!plan.direct_b) return {block.packed, width, panel * block.depth * width};
  const T* const base = g.b + block.depth_begin * g.ldb + block.column_begin;
  if (columns == width) return {base, g.ldb, panel * width};
  pack_panels(base + panel * width, g.ldb, false, block.depth, columns, T(1), own.tail, 0, width);
  return {own.tail, width, 0};
}

/// What is fetched while a tile is multiplied by a panel: of a packed B, what comes next; of a B where it lies, the
/// panel so many further on, of this task and then of the next block of its depth.
template <class T>
FetchAhead fetch_of_b(const GemmPlan<T>& plan, const GemmBlock<T>& block, const GemmPart& part, std::int64_t panel,
                      std::int64_t ldb, std::int64_t tile) {
  const std::int64_t width = plan.kernels->columns;
  if (!plan.direct_b) return fetch_in_panel(block.depth, width);
  const std::int64_t panels = part.panel_end - part.panel_begin, far = std::min(panels_ahead, panels);
  const bool same_block = panel + far < part.panel_end;
  return fetch_far(same_block ? far * width : block.depth * ldb - (panels - far) * width, width, tile,
                   part.tile_end - part.tile_begin);
}

/// Columns of a transposed A that collide in the cache are copied apart.
template <class T>
void copy_a(const Gemm<T>& g, const GemmBlock<T>& block, std::int64_t row, std::int64_t rows, T* to, std::int64_t ld) {
  active_pack_kernels<T>().copy_rows(g.a + block.depth_begin * g.lda + row, g.lda, block.depth, rows, T(1), to, ld,
                                     rows);
}

/// The rows of a chunk.
template <class T>
std::int64_t chunk_begin(const Gemm<T>& g, const GemmPlan<T>& plan, std::int64_t chunk) {
  return plan.tile_row(g, part_begin(plan.tiles, plan.chunks, chunk));
}

/// A chunk's place in the copy of A that all share.
template <class T>
void copy_chunk_of_a(const Gemm<T>& g, const GemmPlan<T>& plan, const GemmBlock<T>& block, std::int64_t chunk,
                     T* copied_a) {
  const std::int64_t row = chunk_begin(g, plan, chunk);
  copy_a(g, block, row, chunk_begin(g, plan, chunk + 1) - row, copied_a + row, copied_ld(g.m));
}

/// Where a block of B begins as it is stored.
template <class T>
const T* stored_b(const Gemm<T>& g, const GemmBlock<T>& block) {
  return g.transpose_b == Transpose::yes ? g.b + block.column_begin * g.ldb + block.depth_begin
                                         : g.b + block.depth_begin * g.ldb + block.column_begin;
}

/// A block of B, shared out by its depth, or where it is transposed by its panels: each reads what lies together. Chunk
/// after chunk of A too, if the groups share it.
template <class T>
void pack_block(const Gemm<T>& g, const GemmPlan<T>& plan, const GemmBlock<T>& block, T* packed, T* copied_a,
                int threads) {
  const std::int64_t width = plan.kernels->columns, panel_size = block.depth * width;
  const bool transposed = g.transpose_b == Transpose::yes;
  const T* const b = stored_b(g, block);
  const std::int64_t step = transposed ? width : packed_slice, end = transposed ? block.columns : block.depth;
  const std::int64_t tasks_of_a = plan.share_a ? plan.chunks : 0;
  parallel_for(threads, tasks_of_a + ceil_div(end, step), [&](std::int64_t task, int) {
    if (task < tasks_of_a) return copy_chunk_of_a(g, plan, block, task, copied_a);
    task -= tasks_of_a;
    const std::int64_t begin = task * step, count = std::min(step, end - begin);
    if (transposed)
      pack_panels(b + begin * g.ldb, g.ldb, true, block.depth, count, g.alpha, packed + begin * block.depth, 0, width);
    else
      pack_panels(b + begin * g.ldb, g.ldb, false, count, block.columns, g.alpha, packed + begin * width, panel_size,
                  width);
  });
}

/// The rows of C of one task: what is done before the first block's products, and after the last's.
template <class T>
void scale_rows(T* const* c, std::int64_t rows, std::int64_t begin, std::int64_t end, T beta) {
  for (std::int64_t i = 0; i < rows; ++i)
    for (std::int64_t j = begin; j < end; ++j) c[i][j] *= beta;
}

template <class T>
void activate_rows(T* const* c, std::int64_t rows, std::int64_t begin, std::int64_t end, const ActivationFunction& f) {
  if (applied_in_registers(f)) return;
  for (std::int64_t i = 0; i < rows; ++i) activate(f, end - begin, c[i] + begin, c[i] + begin);
}

/// A's rows of one task as row pointers (A as it is) or column pointers (A transposed), columns copied apart if they
/// collide.
template <class T>
void point_at_a(const Gemm<T>& g, const GemmPlan<T>& plan, const GemmBlock<T>& block, std::int64_t row,
                std::int64_t rows, const GemmThreadScratch<T>& own, const T** pointers) {
  const bool transposed = g.transpose_a == Transpose::yes;
  const T* from = transposed ? g.a + block.depth_begin * g.lda + row : g.a + row * g.lda + block.depth_begin;
  const std::int64_t lines = transposed ? block.depth : rows;
  std::int64_t ld = g.lda;
  if (plan.share_a) {
    ld = copied_ld(g.m);
    from = block.copied_a + row;
  } else if (plan.copy_a) {
    ld = copied_ld(rows);
    copy_a(g, block, row, rows, own.a, ld);
    from = own.a;
  }
  point_at_rows(from, ld, lines, pointers);
}

/// The rows of C of one task, cut into tiles.
template <class T>
struct TaskRows {
  std::int64_t first, tiles;
  std::int64_t begin[max_chunk_tiles + 1];  ///< where each tile begins, behind the first row
  T* c[max_chunk_rows];

  TaskRows(const Gemm<T>& g, const GemmPlan<T>& plan, const GemmBlock<T>& block, const GemmPart& part)
      : first(plan.tile_row(g, part.tile_begin)), tiles(part.tile_end - part.tile_begin) {
    for (std::int64_t i = 0; i <= tiles; ++i) begin[i] = plan.tile_row(g, part.tile_begin + i) - first;
    point_at_rows(g.c + first * g.ldc + block.column_begin, g.ldc, count(), c);
  }
  [[nodiscard]] std::int64_t count() const { return begin[tiles]; }
  [[nodiscard]] std::int64_t height(std::int64_t tile) const { return begin[tile + 1] - begin[tile]; }
  /// Fetches a tile's C, which its sums are added to, while the tile before it is multiplied; into the second cache,
  /// since rows of C may compete for one set of the first. 4096 cubed, Zen 5, one thread: 240 instead of 233 GFLOP/s
  /// (237 into the first; 247 if C were added behind the sums, whose bits would then depend on how the depth is cut).
  void fetch(std::int64_t tile, std::int64_t column, std::int64_t columns) const {
    for (std::int64_t i = begin[tile]; i < begin[tile + 1]; ++i)
      for (std::int64_t j = 0; j < columns; j += 64 / static_cast<std::int64_t>(sizeof(T)))
        __builtin_prefetch(c[i] + column + j, 0, 2);
  }
};

template <class T>
void multiply_part(const Gemm<T>& g, const GemmPlan<T>& plan, const GemmBlock<T>& block, const GemmPart& part,
                   const GemmThreadScratch<T>& own) {
  const MicroKernels<T>& kernels = *plan.kernels;
  const std::int64_t width = kernels.columns;
  const TaskRows<T> rows(g, plan, block, part);
  const std::int64_t column = part.panel_begin * width, column_end = std::min(block.columns, part.panel_end * width);
  const bool by_columns = g.transpose_a == Transpose::yes;
  const std::int64_t runs = block.depth > 0 ? 1 : 0;

  const T* rows_of_a[max_chunk_rows];
  const T** const a = by_columns ? own.a_rows : rows_of_a;
  if (runs > 0) point_at_a(g, plan, block, rows.first, rows.count(), own, a);
  if (block.first && g.beta != T(0) && g.beta != T(1)) scale_rows(rows.c, rows.count(), column, column_end, g.beta);

  TileOutput<T> out = tile_output(g.epilogue, !block.first || g.beta != T(0), block.first, block.last);
  out.past_caches = block.first && block.last && g.beta == T(0) && write_past_caches(g.c, g.m, g.n, g.ldc, g.epilogue);
  const T* const bias = out.bias;
  const T* pointed_at = nullptr;
  for (std::int64_t panel = part.panel_begin; panel < part.panel_end; ++panel) {
    const std::int64_t columns = std::min(width, block.columns - panel * width);
    const PanelOfB<T> b = panel_of_b(g, plan, block, panel, own);
    if (by_columns && b.base != pointed_at) point_at_rows(b.base, b.ld, block.depth, own.b_rows);
    pointed_at = b.base;
    if (bias != nullptr) out.bias = bias + block.column_begin + panel * width;
    out.c_offset = panel * width;
    for (std::int64_t tile = 0; tile < rows.tiles; ++tile) {
      const std::int64_t i = rows.begin[tile];
      out.c = rows.c + i;
      if (out.accumulate && tile + 1 < rows.tiles) rows.fetch(tile + 1, out.c_offset, columns);
      if (by_columns)
        multiply_tile(kernels, ColumnOperand<T>{a, i, own.b_rows, b.offset, block.depth}, out, rows.height(tile),
                      columns);
      else
        multiply_tile(kernels,
                      RowOperand<T>{a + i, 0, &b.base, b.offset, b.ld, runs, block.depth,
                                    fetch_of_b(plan, block, part, panel, b.ld, tile)},
                      out, rows.height(tile), columns);
    }
  }
  if (!block.last) return;
  activate_rows(rows.c, rows.count(), column, column_end, g.epilogue.activation);
  g.epilogue.finished(rows.first, rows.count(), column_end - column);
}

template <class T>
GemmBlock<T> block_of_b(const Gemm<T>& g, const GemmPlan<T>& plan, std::int64_t column, std::int64_t i, const T* packed,
                        const T* copied_a) {
  const std::int64_t k = g.alpha == T(0) ? 0 : g.k, begin = i * plan.depth;
  return {begin,  std::min(plan.depth, k - begin), column, std::min(plan.columns, g.n - column), packed, copied_a,
          i == 0, i == plan.depth_blocks - 1};
}

/// The threads' own memory, behind what they share.
template <class T>
struct GemmScratchOfThreads {
  const Gemm<T>& g;
  const GemmPlan<T>& plan;
  std::byte* first;
  [[nodiscard]] GemmThreadScratch<T> operator()(int thread) const {
    Scratch measured;
    static_cast<void>(plan.thread_scratch(g, measured));
    Scratch own(first + static_cast<std::size_t>(thread) * measured.bytes());
    return plan.thread_scratch(g, own);
  }
};

/// B read where it lies. Each thread takes neighbouring panels, as many as can be, and goes through the depth alone. No
/// sum knows how columns are cut, so here the number of threads may have its say.
template <class T>
void gemm_direct(const Gemm<T>& g, const GemmPlan<T>& plan, int threads, const GemmScratchOfThreads<T>& scratch) {
  const std::int64_t panels = plan.columns / plan.kernels->columns, parts = std::min<std::int64_t>(threads, panels);
  parallel_for(threads, parts, [&](std::int64_t part, int thread) {
    const GemmPart all_rows{0, plan.tiles, part_begin(panels, parts, part), part_begin(panels, parts, part + 1)};
    for (std::int64_t i = 0; i < plan.depth_blocks; ++i)
      multiply_part(g, plan, block_of_b<T>(g, plan, 0, i, nullptr, nullptr), all_rows, scratch(thread));
  });
}

/// B packed, block after block of its depth, each shared by all tasks.
template <class T>
void gemm_packed(const Gemm<T>& g, const GemmPlan<T>& plan, int threads, T* packed, T* copied_a,
                 const GemmScratchOfThreads<T>& scratch) {
  for (std::int64_t column = 0; column < g.n; column += plan.columns)
    for (std::int64_t i = 0; i < plan.depth_blocks; ++i) {
      const GemmBlock<T> block = block_of_b<T>(g, plan, column, i, packed, copied_a);
      const std::int64_t panels = ceil_div(block.columns, plan.kernels->columns);
      pack_block(g, plan, block, packed, copied_a, threads);
      parallel_for(threads, plan.chunks * plan.groups, [&](std::int64_t task, int thread) {
        const std::int64_t chunk = task / plan.groups, group = task % plan.groups;
        multiply_part(g, plan, block,
                      {part_begin(plan.tiles, plan.chunks, chunk), part_begin(plan.tiles, plan.chunks, chunk + 1),
                       part_begin(panels, plan.groups, group), part_begin(panels, plan.groups, group + 1)},
                      scratch(thread));
      });
    }
}

/// B packed by the tasks for themselves. Each packs a few neighbouring panels and multiplies all of A by them. No sum
/// knows how columns are cut, so here too the number of threads may have its say.
template <class T>
void gemm_own_panels(const Gemm<T>& g, const GemmPlan<T>& plan, int threads, T* copied_a,
                     const GemmScratchOfThreads<T>& scratch) {
  const std::int64_t width = plan.kernels->columns, panels = ceil_div(g.n, width);
  for (std::int64_t i = 0; i < plan.depth_blocks; ++i) {
    if (plan.share_a)
      parallel_for(threads, plan.chunks, [&](std::int64_t chunk, int) {
        copy_chunk_of_a(g, plan, block_of_b<T>(g, plan, 0, i, nullptr, nullptr), chunk, copied_a);
      });
    parallel_for(threads, plan.own_blocks, [&](std::int64_t task, int thread) {
      const GemmThreadScratch<T> own = scratch(thread);
      const std::int64_t begin = part_begin(panels, plan.own_blocks, task);
      const std::int64_t count = part_begin(panels, plan.own_blocks, task + 1) - begin;
      GemmBlock<T> block = block_of_b<T>(g, plan, begin * width, i, own.b, copied_a);
      block.columns = std::min(count * width, g.n - block.column_begin);
      pack_panels(stored_b(g, block), g.ldb, g.transpose_b == Transpose::yes, block.depth, block.columns, g.alpha,
                  own.b, block.depth * width, width);
      for (std::int64_t chunk = 0; chunk < plan.chunks; ++chunk)
        multiply_part(
            g, plan, block,
            {part_begin(plan.tiles, plan.chunks, chunk), part_begin(plan.tiles, plan.chunks, chunk + 1), 0, count},
            own);
    });
  }
}

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
