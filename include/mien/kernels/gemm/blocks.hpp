#pragma once
// Who shares a product's tasks out: the three ways through the blocks of B.

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include <mien/core/parallel.hpp>
#include <mien/kernels/gemm/pack.hpp>
#include <mien/kernels/gemm/task.hpp>

namespace mien::inline v0::kernels::gemm_detail {

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

}  // namespace mien::inline v0::kernels::gemm_detail
