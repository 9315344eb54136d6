#pragma once
// What one task of a product does: some tiles of rows times some panels of one block of B.

#include <algorithm>
#include <cstdint>

#include <mien/kernels/elementwise/activate.hpp>
#include <mien/kernels/gemm/macro_kernel.hpp>
#include <mien/kernels/gemm/plan.hpp>
#include <mien/kernels/gemm/pointers.hpp>

namespace mien::inline v0::kernels::gemm_detail {

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

/// The columns of a transposed A, copied apart.
template <class T>
void copy_a(const Gemm<T>& g, const GemmBlock<T>& block, std::int64_t row, std::int64_t rows, T* to, std::int64_t ld) {
  active_pack_kernels<T>().copy_rows(g.a + block.depth_begin * g.lda + row, g.lda, block.depth, rows, T(1), to, ld,
                                     rows);
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

/// A's rows of one task as row pointers (A as it is) or column pointers (A transposed), of the copy if there is one.
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

/// Whether a tile's C is fetched before its products. Where its rows lie in one page and C in the second cache or near
/// it, the processor follows them by itself, and the instructions are a part of short sums' time. Zen 4, in turns with
/// fetching, one thread and two: 4608 x 64 x 27 1.03, 4608 x 64 x 64 1.015, 1.015, x 128 1.01, 1.00, x 256 0.94, 1.00;
/// a larger C, 36864 x 64 x 27 written through the caches 0.86, 0.89; rows further apart, 1024 x 768 x 256 0.95, 0.97,
/// 4096 x 1000 x 32 with A' 0.81, 0.81.
template <class T>
bool fetches_c(const Gemm<T>& g, const GemmBlock<T>& block) {
  constexpr std::int64_t size = sizeof(T), page = 4096, short_sum = 64, near = 1 << 21;
  return block.depth > short_sum || max_tile_rows * g.ldc * size > page || g.m * g.ldc * size > near;
}

/// Where a task's sums go, and what is done to them there.
template <class T>
TileOutput<T> part_output(const Gemm<T>& g, const GemmBlock<T>& block) {
  const bool accumulate = !block.first || g.beta != T(0);
  TileOutput<T> out = tile_output(g.epilogue, accumulate, block.first, block.last);
  out.past_caches = !accumulate && block.last && write_past_caches(g.c, g.m, g.n, g.ldc, g.epilogue);
  out.fetch = fetches_c(g, block);
  return out;
}

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

  TileOutput<T> out = part_output(g, block);
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

}  // namespace mien::inline v0::kernels::gemm_detail
