#pragma once
// The transforms of one tile, or of one panel of the kernel: what they are given. The arithmetic is in transform.inl.
//
// A tile's points (i, j), i down and j across, lie anywhere: places[i * max_points + j] is where a point's first
// channel (or filter) is, counted from one address.

#include <cstdint>

#include <mien/kernels/conv/winograd/points.hpp>
#include <mien/kernels/gemm/micro_kernel.hpp>
#include <mien/kernels/isa/registers.hpp>

namespace mien::inline v0::kernels::winograd {

/// Entries of a tile's tables: all points, in rows of max_points.
inline constexpr int tile_table = max_points * max_points;

/// V = B' d B of a tile of rows x columns outputs. cells[i * max_points + j] is the pixel below point (i, j), zeros
/// where it is beyond the border. Writes whole vectors of channels.
template <class T>
struct InputTile {
  const T* const* cells;
  int rows, columns;
  std::int64_t channels;
  T* to;
  const std::int64_t* places;
};

/// U = G g G' for a panel of filters, two vectors wide: tap (r, s) of channel c is the row at taps[r * 3 + s] + c * ld;
/// point p = i * column_points + j of channel c goes to `to` + p * stride + c * (the panel's width).
template <class T>
struct KernelBlock {
  const T* const* taps;
  std::int64_t ld, channels;
  int row_points, column_points;
  T* to;
  std::int64_t stride;
};

/// Y = activation(A' M A + bias) of a tile: output (i, j) of filter k goes to to[i * row + j * column + k]. Reads whole
/// vectors of filters. `stream`: the stores pass the caches by; each vector's place must then be aligned to its size.
template <class T>
struct OutputTile {
  const T* from;
  const std::int64_t* places;
  int rows, columns;
  std::int64_t filters;
  const T* bias;  ///< or nullptr
  InRegisters activation;
  T slope;
  T* to;
  std::int64_t row, column;
  bool stream;
};

template <class T>
struct Transforms {
  void (*input)(const InputTile<T>&);
  void (*kernel)(const KernelBlock<T>&);
  void (*output)(const OutputTile<T>&);
};

}  // namespace mien::inline v0::kernels::winograd

#define MIEN_KERNEL_TEXT <mien/kernels/conv/winograd/transform.inl>
#include <mien/kernels/isa/for_each_isa.inl>

namespace mien::inline v0::kernels::winograd {

/// The transforms of the active instruction set (double: the portable ones).
template <class T>
[[nodiscard]] const Transforms<T>& active_transforms() {
  return *MIEN_SELECT_ISA(T, winograd_transforms);
}

}  // namespace mien::inline v0::kernels::winograd
