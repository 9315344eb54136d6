#pragma once
// From whole tiles to tiles of any size: rows are cut into tiles of nearly equal height, and columns that do not fill a
// panel go through a tile on the stack.

#include <algorithm>
#include <cstdint>

#include <mien/kernels/epilogue.hpp>
#include <mien/kernels/gemm/micro_kernel.hpp>
#include <mien/kernels/gemm/scratch.hpp>

namespace mien::inline v0::kernels {

/// No set's tile is wider.
inline constexpr std::int64_t max_tile_columns = 32;

template <class T>
void run_micro_kernel(const MicroKernel<T>& kernel, const RowOperand<T>& operand, const TileOutput<T>& out) {
  kernel.by_rows(operand, out);
}
template <class T>
void run_micro_kernel(const MicroKernel<T>& kernel, const ColumnOperand<T>& operand, const TileOutput<T>& out) {
  kernel.by_columns(operand, out);
}
template <class T>
void run_micro_kernel(const MicroKernel<T>& kernel, const StripOperand<T>& operand, const TileOutput<T>& out) {
  kernel.by_strips(operand, out);
}

/// In packed panels: 16 rows ahead. The processor fetches by itself all but where the next panel begins; runs shorter
/// than that have nothing ahead of them (36864 x 64 x 27: 89 without, 83 with).
[[nodiscard]] constexpr FetchAhead fetch_in_panel(std::int64_t length, std::int64_t width) {
  const std::int64_t ahead = length < 32 ? 0 : 16 * width;
  return {ahead, ahead + width / 2};
}

/// Out of memory: `ahead` elements ahead, by the first of the tiles that read the panel, or a line of each row by the
/// first and one by the second: between two lines should lie as much work as can be.
[[nodiscard]] constexpr FetchAhead fetch_far(std::int64_t ahead, std::int64_t width, std::int64_t tile,
                                             std::int64_t tiles) {
  const std::int64_t second = width / 2;
  if (tiles == 1) return {ahead, ahead + second};
  return {tile == 0 ? ahead : 0, tile == 1 ? ahead + second : second};
}

/// Any number of rows, all columns of a panel. Tiles of nearly equal height: a low one has too few sums to keep the
/// arithmetic busy.
template <class T, class Operand>
void multiply_full_width(const MicroKernels<T>& kernels, const Operand& operand, const TileOutput<T>& out,
                         std::int64_t rows) {
  if (rows > 0 && rows <= kernels.rows()) return run_micro_kernel(kernels.heights[rows - 1], operand, out);
  Operand rest = operand;
  TileOutput<T> rest_out = out;
  for (std::int64_t tiles = ceil_div(rows, kernels.rows()); tiles > 0; --tiles) {
    const std::int64_t height = ceil_div(rows, tiles);
    run_micro_kernel(kernels.heights[height - 1], rest, rest_out);
    rest.skip_rows(height);
    rest_out.c += height;
    rows -= height;
  }
}

/// Any number of rows up to a tile's, any number of columns up to a panel's, of which strips have one.
template <class T, class Operand>
void multiply_tile(const MicroKernels<T>& kernels, const Operand& operand, const TileOutput<T>& out, std::int64_t rows,
                   std::int64_t columns) {
  if (columns == kernels.columns) return multiply_full_width(kernels, operand, out, rows);
  alignas(64) T tile[max_tile_rows * max_tile_columns];
  alignas(64) T bias[max_tile_columns];
  T* c[max_tile_rows];
  for (std::int64_t i = 0; i < rows; ++i) {
    c[i] = tile + i * max_tile_columns;
    if (!out.accumulate) continue;  // to clear it took a first layer of 6 filters (28x28x1) 1.15 times as long
    std::fill_n(c[i], kernels.columns, T(0));
    std::copy_n(out.c[i] + out.c_offset, columns, c[i]);
  }
  TileOutput<T> whole = out;
  whole.c = c;
  whole.c_offset = 0;
  whole.past_caches = false;
  if (out.bias != nullptr) {
    std::fill_n(std::copy_n(out.bias, columns, bias), kernels.columns - columns, T(0));
    whole.bias = bias;
  }
  multiply_full_width(kernels, operand, whole, rows);
  for (std::int64_t i = 0; i < rows; ++i) std::copy_n(c[i], columns, out.c[i] + out.c_offset);
}

/// The part of an epilogue that the micro-kernels apply, the bias with the first block of the depth, the activation
/// with the last; accumulate says whether C already holds something to be added to.
template <class T>
[[nodiscard]] TileOutput<T> tile_output(const Epilogue<T>& epilogue, bool accumulate, bool first, bool last) {
  TileOutput<T> out{};
  out.accumulate = accumulate;
  if (first) out.bias = epilogue.bias;
  if (!last) return out;
  using Kind = ActivationFunction::Kind;
  if (epilogue.activation.kind == Kind::relu) out.activation = InRegisters::relu;
  if (epilogue.activation.kind == Kind::leaky_relu) {
    out.activation = InRegisters::leaky_relu;
    out.slope = static_cast<T>(epilogue.activation.alpha);
  }
  return out;
}

/// A result of so many bytes is written past the caches: before it is read it would have left them, and to be written
/// in them it would have to be read first. 36864 x 64 x 27 on a Zen 4: 94 instead of 83 GFLOP/s.
inline constexpr std::int64_t past_caches_bytes = std::int64_t{8} << 20;

/// Whether a result of `rows` times `columns`, rows `ld` apart, may and should be: written once, by the micro-kernels
/// alone, on whole vectors, and read by nobody in the meantime.
template <class T>
[[nodiscard]] bool write_past_caches(const T* c, std::int64_t rows, std::int64_t columns, std::int64_t ld,
                                     const Epilogue<T>& epilogue) {
  constexpr std::int64_t size = sizeof(T), line = 64;
  return rows * columns * size >= past_caches_bytes && left_alone_once_stored(epilogue) && ld * size % line == 0 &&
         reinterpret_cast<std::uintptr_t>(c) % line == 0;
}

}  // namespace mien::inline v0::kernels
