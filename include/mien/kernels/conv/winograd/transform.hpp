#pragma once
// The transforms of one tile, or of one panel of the kernel: what they are given. The arithmetic is in transform.inl.

#include <cstdint>

#include <mien/kernels/conv/winograd/points.hpp>
#include <mien/kernels/gemm/micro_kernel.hpp>
#include <mien/kernels/isa/registers.hpp>

namespace mien::inline v0::kernels::winograd {

/// Where the values of a tile's points are, counted from one address: point (i, j), i down and j across, at
/// origins[i is the tile's last][j is the tile's last] + i * down + j * across.
struct PointPlaces {
  std::int64_t origins[2][2] = {};
  std::int64_t down, across;
};

/// The pixels below a tile's points: (i, j) at rows[i] + j * step for j = begin ... end-1; the others are 0. A row
/// beyond the border is one of zeros.
template <class T>
struct TileCells {
  const T* rows[max_points];
  std::int64_t step;
  int begin, end;
};

/// V = B' d B of a tile of the sizes rows x columns. Writes whole vectors of channels.
template <class T>
struct InputTile {
  const TileCells<T>& cells;
  const TileCells<T>& next;  ///< of the tile to come, which are fetched into the caches meanwhile
  int rows, columns;
  std::int64_t channels;
  T* to;
  const PointPlaces& places;
};

/// U = G g G' for a panel of filters, two vectors wide: tap t = r * 3 + s of channel c is the row at taps + t * tap + c
/// * (the panel's width); point p = i * (points of a row) + j of channel c goes to `to` + p * stride + c * (the
/// panel's width).
template <class T>
struct KernelBlock {
  const T* taps;
  std::int64_t tap, channels;
  int rows, columns;  ///< the largest tile's sizes
  T* to;
  std::int64_t stride;
};

/// Y = activation(A' M A + bias) of a tile of the sizes rows x columns: output (i, j) of filter k goes to to[i * row +
/// j * column + k]. Reads whole vectors of filters. `stream`: the stores pass the caches by; each vector's place must
/// then be aligned to its size.
template <class T>
struct OutputTile {
  const T* from;
  const PointPlaces& places;
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

/// function<size>(arguments) for a size of tile that is known at run time.
#define MIEN_BY_TILE_SIZE(size, function, ...)                \
  switch (size) {                                             \
    MIEN_TILE_SIZE(1, function, __VA_ARGS__)                  \
    MIEN_TILE_SIZE(2, function, __VA_ARGS__)                  \
    MIEN_TILE_SIZE(3, function, __VA_ARGS__)                  \
    MIEN_TILE_SIZE(4, function, __VA_ARGS__)                  \
    MIEN_TILE_SIZE(winograd::wide + 4, function, __VA_ARGS__) \
    MIEN_TILE_SIZE(winograd::wide + 5, function, __VA_ARGS__) \
    MIEN_TILE_SIZE(winograd::wide + 6, function, __VA_ARGS__) \
    default:                                                  \
      function<winograd::pair>(__VA_ARGS__);                  \
  }
#define MIEN_TILE_SIZE(size, function, ...) \
  case size:                                \
    function<size>(__VA_ARGS__);            \
    break;

#define MIEN_KERNEL_TEXT <mien/kernels/conv/winograd/one_axis.inl>
#include <mien/kernels/isa/for_each_isa.inl>
#define MIEN_KERNEL_TEXT <mien/kernels/conv/winograd/transform.inl>
#include <mien/kernels/isa/for_each_isa.inl>

namespace mien::inline v0::kernels::winograd {

/// The transforms of the active instruction set (double: the portable ones).
template <class T>
[[nodiscard]] const Transforms<T>& active_transforms() {
  return *MIEN_SELECT_ISA(T, winograd_transforms);
}

}  // namespace mien::inline v0::kernels::winograd
