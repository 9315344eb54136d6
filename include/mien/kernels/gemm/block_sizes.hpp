#pragma once

#include <cstdint>

#include <mien/kernels/isa/isa.hpp>

namespace mien::inline v0::kernels {

/// How a product is cut so that its parts stay in the caches. Nothing here depends on the number of threads.
struct BlockSizes {
  std::int64_t tiles;  ///< tiles of rows that share one pass over B's panels: their rows of A stay in the second cache
  std::int64_t depth;  ///< of one pass: a panel of B of this depth also stays in the second cache
  std::int64_t columns;  ///< of B packed at once: depth x columns stay in the third cache
};

/// Tried for AVX-512 with 4096 cubed on a Zen 4, parts of the speed of {8, 1024, 2048}, one thread and two, medians of
/// nine in turns within one process: {8, 1024, 1024} 1.02 and 1.00, again 1.03 and 1.02 (2048 cubed 1.05, 1.01; 0.99,
/// 1.01; in processes of their own, two days before, 0.96); {8, 1024, 512} 1.04, 1.03, but 4608 x 2048 x 512 on two
/// threads 0.98; {8, 1024, 256} 1.02, 1.01, 0.97; {8, 768, 2048} 0.99, 0.98; {4, 1024, 2048} 0.99, 1.00; {8, 512, 2048}
/// 0.99, 0.97; {8, 512, 4096} 0.97, 0.95; {16, 512, 2048} 0.98, 0.94. The first tile of a panel takes 1.2 to 1.7 times
/// as long as those after it, which find the panel in the second cache; to fetch the next panel meanwhile, by the first
/// two tiles, one line of a row each or with the panel's own lines beside them, costs what it saves: 0.98, 1.00; 0.93,
/// 0.99. Rows of A that lie 16 KB apart, and so share a quarter of the second cache's sets, copied apart and tiles of
/// 14 rows instead of 8 1.01 to 1.03, 0.99 to 1.02; of 672 x 2048 x 1024 of such rows, in a simulation of a Zen 5's
/// first two caches with AVX2, the copy changes neither's misses by a hundredth.
[[nodiscard]] constexpr BlockSizes block_sizes(Isa isa) {
  if (isa == Isa::avx512) return {8, 1024, 1024};
  if (isa == Isa::avx2) return {18, 1024, 2048};
  return {18, 512, 4096};
}

/// Tasks that a product is cut into if it is large enough: enough for a few threads to share evenly.
inline constexpr std::int64_t wanted_tasks = 16;

/// Rows are cut into more chunks than the caches ask for, down to this many tiles, before columns are: what a chunk
/// needs of A is then read and copied once.
inline constexpr std::int64_t smallest_chunk = 4;

/// The lines of one set of the first cache. Of an A whose rows lie a multiple of 4096 bytes apart a tile has no more:
/// they stay there, and need not be copied apart. Zen 5, which has 12, A in the second cache, depth 256 and 1024, of
/// the peak: 14 rows 93 and 94 %, 12 rows 96 and 98 %, 8 rows 96 and 99 %; 14 rows copied apart 98 and 99 %, and the
/// copy.
inline constexpr std::int64_t first_cache_ways = 8;

/// A product with fewer multiplications runs on the caller's thread: starting a team costs as much.
inline constexpr std::int64_t small_product = 64 * 64 * 64;

/// Rows of B that one thread packs at a time.
inline constexpr std::int64_t packed_slice = 64;

/// With at most this many rows B is read where it lies: packing would cost more than it saves.
inline constexpr std::int64_t rows_for_packing = 64;

/// Of a transposed A a tile reads a few values of a cache line for each row of the depth. Where they are less than half
/// of the line (6 floats with AVX2), one pass is no deeper than this, so that those lines and a panel of B stay in the
/// first cache, and for so many columns of C and more A is copied, which leaves less between them. Zen 3, parts of the
/// time before, one thread and two, medians of 15: 128 x 512 x 4608 0.85, 0.84; 64 x 256 x 4608 0.93, 0.90; 128 x 512 x
/// 1152 0.91, 0.97; 512 x 2048 x 128 0.93, 0.86; 512 cubed 1.03, 0.93. Depth alone 0.87, 0.77; 0.95, 0.94; 0.93, 0.97;
/// 1.00, 0.97; 1.02, 0.99; a depth of 512 0.93, 0.90; 1.02, 1.05; 0.92, 1.02; 0.99, 1.00; 1.01, 1.03. Lost: each tile's
/// values in a strip of their own (0.80, 0.94; 0.98, 1.12; 0.93, 1.02; 0.92, 1.03; 1.10, 1.02).
inline constexpr std::int64_t sparse_depth = 256, sparse_columns = 256;

/// Up to so many columns are multiplied along the depth, if that is long enough for a few vectors.
inline constexpr std::int64_t few_columns = 4, few_columns_depth = 64;

/// With at most this many rows of A and a C at most twice as high as wide, or a small A and a C that is no high strip,
/// each thread packs panels of B for itself and multiplies all of A by them: A's block and a few panels, of so many
/// bytes, stay in its second cache, and no thread waits for another's packing. Tried on a Zen 4, two threads, GFLOP/s,
/// 128 x 2048 x 512, (128 x 1152) (1152 x 512) and 128 x 512 x 2048: packed together 178, 178, 170; 32 KB of panels
/// 191, 214, 188; 64 KB 193, 210, 195; 128 KB 205, 211, 182; 256 KB 214, 214, 200; half of A's block 206, 210, 167. 256
/// cubed 196 packed together, 216 apart; 512 x 512 x 64 184 and 200; 1152 x 512 x 128, whose A is larger, 212 and 197.
/// On a Zen 5, ms: 512 cubed 0.62 and 0.58, A transposed 0.71 and 0.60; rn.4.3's gradient of the input (288 x 256 x
/// 1024) 0.38 and 0.34; rn.4.1s2 (288 x 256 x 512) 0.214 and 0.221. Two threads that write neighbouring panels of a
/// high strip wait for each other: Zen 4, together and apart, 4608 x 64 x 27 170, 127; 2048 x 64 x 64 182, 157; 4608 x
/// 128 x 27 188, 176; 1152 x 128 x 64 187, 183; 1152 x 256 x 64 198, 208.
inline constexpr std::int64_t rows_for_own_panels = 512, own_block_of_a = 1 << 19, own_panels = 1 << 18;
inline constexpr std::int64_t high_strip = 8;  ///< so many times as many rows of C as columns, and more

/// If B, read where it lies, does not fit the second cache, one pass over C is of this depth, and each panel is fetched
/// while the one so many before it is multiplied. Tried on a Zen 4, one thread, GFLOP/s, 32 x 1000 x 4096 and (32 x
/// 512) (512 x 4096): depth 512, two panels ahead 100, 108; one 61, 91; three 94, 106; depth 1024 97, 107 (and two
/// threads slower); 256 97, 106; 128 92, 100; 64 87, 92; 64 and 32 rows of the same panel ahead, as it was, 65, 60.
inline constexpr std::int64_t second_cache = 1 << 20, fetched_depth = 512, panels_ahead = 2;

/// A depth is cut into pieces that are summed apart only where C has too few tiles to share out, and not below this.
inline constexpr std::int64_t smallest_piece = 1024;

/// The most rows of A, and tiles of them, in one task, in any set.
inline constexpr std::int64_t max_chunk_rows = 128, max_chunk_tiles = 32;

static_assert(14 * block_sizes(Isa::avx512).tiles <= max_chunk_rows &&
              6 * block_sizes(Isa::avx2).tiles <= max_chunk_rows &&
              6 * block_sizes(Isa::portable).tiles <= max_chunk_rows &&
              max_chunk_rows / first_cache_ways <= max_chunk_tiles);

}  // namespace mien::inline v0::kernels
