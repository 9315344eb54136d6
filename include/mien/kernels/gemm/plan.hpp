#pragma once
// What a product is, and how it is cut: by its sizes and the instruction set alone, never by the number of threads.

#include <algorithm>
#include <cstdint>

#include <mien/kernels/epilogue.hpp>
#include <mien/kernels/gemm/block_sizes.hpp>
#include <mien/kernels/gemm/micro_kernel.hpp>
#include <mien/kernels/gemm/pack.hpp>
#include <mien/kernels/gemm/scratch.hpp>

namespace mien::inline v0::kernels {

enum class Transpose : bool { no, yes };

/// C = epilogue(alpha op(A) op(B) + beta C), all row-major: op(A) is m x k, op(B) k x n, C m x n. ld* are the distances
/// between the stored rows. beta = 0 overwrites C, NaN included; alpha = 0 does not read A and B.
template <class T>
struct Gemm {
  Transpose transpose_a = Transpose::no;
  Transpose transpose_b = Transpose::no;
  std::int64_t m = 0, n = 0, k = 0;
  T alpha = 1;
  const T* a = nullptr;
  std::int64_t lda = 0;
  const T* b = nullptr;
  std::int64_t ldb = 0;
  T beta = 0;
  T* c = nullptr;
  std::int64_t ldc = 0;
  Epilogue<T> epilogue{};
};

namespace gemm_detail {

/// One thread's memory: copies of what cannot be read where it lies, and pointers to the rows or columns that the
/// kernels read.
template <class T>
struct GemmThreadScratch {
  T* a = nullptr;
  T* b = nullptr;     ///< panels that the thread packs for itself
  T* tail = nullptr;  ///< the last panel of B, if B is read where it lies and the panel is not whole
  const T** a_rows = nullptr;
  const T** b_rows = nullptr;
};

/// Whether no thread waits for more than an eighth of the time, if each takes whole panels.
[[nodiscard]] constexpr bool shared_evenly(std::int64_t panels, std::int64_t threads) {
  return 8 * ceil_div(panels, threads) * threads <= 9 * panels;
}

/// How a product is cut: what changes the order of a sum is decided by the problem and the instruction set alone.
template <class T>
struct GemmPlan {
  const MicroKernels<T>* kernels;
  std::int64_t deepest, depth, depth_blocks;  ///< of one pass over C: at most, in fact, and how many passes
  std::int64_t columns, column_blocks;        ///< of B packed at once
  std::int64_t height;                        ///< of the highest tile
  std::int64_t tiles, chunks;                 ///< of rows, and the tasks they are cut into
  std::int64_t groups;                        ///< tasks that the panels of a column block are cut into
  std::int64_t pieces;                        ///< that the depth is cut into, to be summed apart; 1: not cut
  bool copy_a, share_a;                       ///< A, transposed, is copied apart, once for all groups
  bool direct_b, one_row, narrow;             ///< narrow: few columns, along the depth
  bool own_b;                                 ///< each task packs the panels that it multiplies by
  std::int64_t own_blocks = 0;                ///< that those panels are cut into, one a task

  /// `threads`: that share the product out. Without, it is a part of a caller's task, for whom own_b is not.
  explicit GemmPlan(const Gemm<T>& g, int threads = 0) : kernels(&active_micro_kernels<T>()) {
    constexpr std::int64_t size = sizeof(T);
    const BlockSizes blocks = block_sizes(kernels->isa);
    const std::int64_t k = g.alpha == T(0) ? 0 : g.k, width = kernels->columns;
    const bool collide = rows_collide<T>(g.lda), transposed = g.transpose_a == Transpose::yes;
    height = collide && !transposed ? std::min(kernels->rows(), first_cache_ways) : kernels->rows();
    tiles = ceil_div(g.m, height);
    direct_b = g.transpose_b == Transpose::no && g.alpha == T(1) && g.m <= rows_for_packing;
    const bool from_memory = direct_b && k * g.n * size > second_cache;
    const bool sparse = transposed && 2 * kernels->rows() * size <= 64;
    deepest = sparse ? sparse_depth : blocks.depth;
    const std::int64_t limit = from_memory ? std::min(fetched_depth, deepest) : deepest;
    depth_blocks = std::max<std::int64_t>(1, ceil_div(k, limit));
    depth = ceil_div(k, depth_blocks);
    column_blocks = direct_b ? 1 : ceil_div(g.n, blocks.columns);
    columns = ceil_div(ceil_div(g.n, column_blocks), width) * width;
    chunks = direct_b ? 1 : chunks_of(tiles, chunk_tiles());
    groups = std::min(columns / width, ceil_div(wanted_tasks, chunks));
    copy_a = transposed && (collide || (sparse && !direct_b && g.n >= sparse_columns));
    share_a = copy_a && groups > 1 && !direct_b;
    const std::int64_t full_chunks = direct_b ? 1 : chunks_of(ceil_div(g.m, kernels->rows()), blocks.tiles);
    const std::int64_t tasks = full_chunks * ceil_div(g.n, width);  // of full height, so that lda has no say in pieces
    one_row = direct_b && g.m == 1 && (g.transpose_a == Transpose::no || g.lda == 1);
    narrow = g.n <= few_columns && k >= few_columns_depth && g.transpose_a == Transpose::no;
    pieces =
        one_row || narrow || tasks >= wanted_tasks ? 1 : std::clamp<std::int64_t>(k / smallest_piece, 1, wanted_tasks);
    const bool low = g.m <= std::min(rows_for_own_panels, 2 * g.n);
    const bool small_a = g.m * k * size <= own_block_of_a && g.m <= high_strip * g.n;
    own_b = !direct_b && !narrow && pieces == 1 && (low || small_a) && threads > 0 &&
            shared_evenly(ceil_div(g.n, width), threads);
    if (own_b) pack_apart(g, k, threads);
  }
  /// Of one chunk, at most: as many rows as tiles of the kernels' full height would have.
  [[nodiscard]] std::int64_t chunk_tiles() const { return block_sizes(kernels->isa).tiles * kernels->rows() / height; }
  /// Where a tile begins. All are of nearly equal height: a low one has too few sums to keep the arithmetic busy.
  [[nodiscard]] std::int64_t tile_row(const Gemm<T>& g, std::int64_t tile) const {
    return part_begin(g.m, tiles, tile);
  }
  /// Sizes of the workspace, as if m and k were the largest that a chunk and a block take: they grow with both.
  [[nodiscard]] std::int64_t chunk_capacity() const {
    return std::min(tiles, std::max(chunk_tiles(), ceil_div(rows_for_packing, height))) * height;
  }
  [[nodiscard]] std::int64_t depth_capacity(const Gemm<T>& g) const { return std::min(g.k, deepest); }
  [[nodiscard]] std::int64_t packed_size(const Gemm<T>& g) const {
    return direct_b || own_b ? 0 : depth_capacity(g) * columns;
  }
  /// Of A's copy that all groups share: groups are several only where chunks are few.
  [[nodiscard]] std::int64_t shared_a_size(const Gemm<T>& g) const {
    if (!copy_a || direct_b) return 0;
    if (own_b) return depth * copied_ld(g.m);
    return depth_capacity(g) * copied_ld(std::min(g.m, wanted_tasks * smallest_chunk * height));
  }
  [[nodiscard]] GemmThreadScratch<T> thread_scratch(const Gemm<T>& g, Scratch& scratch) const {
    GemmThreadScratch<T> own;
    const std::int64_t depths = depth_capacity(g);
    if (direct_b) own.tail = scratch.array<T>(depths * kernels->columns);
    if (own_b) own.b = scratch.array<T>(depth * columns);
    if (copy_a && !own_b) own.a = scratch.array<T>(depths * copied_ld(chunk_capacity()));
    if (g.transpose_a == Transpose::yes) {
      own.a_rows = scratch.array<const T*>(depths);
      own.b_rows = scratch.array<const T*>(depths);
    }
    return own;
  }

 private:
  [[nodiscard]] static constexpr std::int64_t chunks_of(std::int64_t tiles, std::int64_t most) {
    return std::max({std::int64_t{1}, ceil_div(tiles, most), std::min(wanted_tasks, tiles / smallest_chunk)});
  }
  /// The depth so that a block of A, the columns so that the panels packed at once leave room in the second cache.
  void pack_apart(const Gemm<T>& g, std::int64_t k, int threads) {
    constexpr std::int64_t size = sizeof(T);
    const std::int64_t width = kernels->columns, panels = ceil_div(g.n, width);
    depth_blocks =
        std::max<std::int64_t>(1, ceil_div(k, std::clamp(own_block_of_a / (g.m * size), std::int64_t{1}, deepest)));
    depth = ceil_div(k, depth_blocks);
    const std::int64_t most = std::max<std::int64_t>(1, own_panels / std::max<std::int64_t>(1, depth * width * size));
    own_blocks = std::min(panels, ceil_div(ceil_div(panels, most), threads) * threads);
    columns = ceil_div(panels, own_blocks) * width;
    chunks = ceil_div(tiles, chunk_tiles());
    groups = 1;
    share_a = copy_a;
  }
};

}  // namespace gemm_detail
}  // namespace mien::inline v0::kernels
