#pragma once
// Batch normalisation of a matrix (rows, channels), rows = N H W. The sums over rows are taken in blocks whose size is
// a function of the channels alone: sums of a block in T (about its own mean, so that nothing cancels), sums of blocks
// in double and in their order. A task is a block, so no bit depends on the number of threads.

#include <algorithm>
#include <cstdint>

#include <mien/activations/activation.hpp>
#include <mien/core/parallel.hpp>
#include <mien/kernels/epilogue.hpp>
#include <mien/kernels/gemm/scratch.hpp>
#include <mien/kernels/isa/registers.hpp>

namespace mien::inline v0::kernels {

/// How a channel is normalised: t = (x - mean) * scale + shift, y = t > 0 ? t : slope * t. Slope 1 is no activation, 0
/// is relu.
template <class T>
struct NormChannels {
  const T* mean;
  const T* scale;
  const T* shift;
  T slope;
};

/// dx = (dt - offset - (x - mean) * slant) * factor, with dt = dy where t > 0, else slope * dy.
template <class T>
struct NormGradient {
  const T* offset;
  const T* slant;
  const T* factor;
};

}  // namespace mien::inline v0::kernels

#define MIEN_KERNEL_TEXT <mien/kernels/norm/batch_norm.inl>
#include <mien/kernels/isa/for_each_isa.inl>

namespace mien::inline v0::kernels {

/// Rows of one block. About 32 KiB of floats stay in the first-level cache between a block's two passes; not more than
/// 512 rows, so that sums of floats stay short (with 2730 rows of 3 channels, means near 100 were wrong by 6e-5).
[[nodiscard]] constexpr std::int64_t norm_block_rows(std::int64_t channels) {
  return std::clamp<std::int64_t>(8192 / std::max<std::int64_t>(1, channels), 16, 512);
}
[[nodiscard]] constexpr std::int64_t norm_blocks(std::int64_t rows, std::int64_t channels) {
  return ceil_div(rows, norm_block_rows(channels));
}
/// Elements of scratch that the sums of the two passes below need: two numbers a channel and block.
[[nodiscard]] constexpr std::int64_t norm_partial_size(std::int64_t rows, std::int64_t channels) {
  return 2 * channels * norm_blocks(rows, channels);
}

/// Calls body(first row, rows, block) for all blocks.
template <class Body>
void for_each_norm_block(std::int64_t rows, std::int64_t channels, int threads, const Body& body) {
  const std::int64_t step = norm_block_rows(channels);
  parallel_for(threads, norm_blocks(rows, channels),
               [&](std::int64_t block, int) { body(block * step, std::min(step, rows - block * step), block); });
}

/// Mean and population variance of each channel. partial: norm_partial_size elements.
template <class T>
void norm_moments(std::int64_t rows, std::int64_t channels, const T* x, T* partial, double* mean, double* variance,
                  int threads) {
  const auto block_moments = MIEN_SELECT_ISA(T, norm_block_moments);
  for_each_norm_block(rows, channels, threads, [&](std::int64_t first, std::int64_t count, std::int64_t block) {
    T* own = partial + 2 * channels * block;
    block_moments(count, channels, x + first * channels, own, own + channels);
  });
  const std::int64_t blocks = norm_blocks(rows, channels), step = norm_block_rows(channels);
  const auto count = [&](std::int64_t block) { return static_cast<double>(std::min(step, rows - block * step)); };
  std::fill(mean, mean + channels, 0.0);
  std::fill(variance, variance + channels, 0.0);
  for (std::int64_t block = 0; block < blocks; ++block)
    for (std::int64_t c = 0; c < channels; ++c)
      mean[c] += count(block) / static_cast<double>(rows) * static_cast<double>(partial[2 * channels * block + c]);
  for (std::int64_t block = 0; block < blocks; ++block)
    for (std::int64_t c = 0; c < channels; ++c) {
      const T* own = partial + 2 * channels * block + c;
      const double off = static_cast<double>(own[0]) - mean[c];
      variance[c] += (static_cast<double>(own[channels]) + count(block) * off * off) / static_cast<double>(rows);
    }
}

/// sum of dt and of dt (x - mean) over the rows of each channel. partial: norm_partial_size elements.
template <class T>
void norm_gradient_sums(std::int64_t rows, std::int64_t channels, const NormChannels<T>& norm, const T* x, const T* dy,
                        T* partial, double* sum_dt, double* sum_dt_x, int threads) {
  const auto block_sums = MIEN_SELECT_ISA(T, norm_block_gradient_sums);
  for_each_norm_block(rows, channels, threads, [&](std::int64_t first, std::int64_t count, std::int64_t block) {
    T* own = partial + 2 * channels * block;
    block_sums(count, channels, norm, x + first * channels, dy + first * channels, own, own + channels);
  });
  std::fill(sum_dt, sum_dt + channels, 0.0);
  std::fill(sum_dt_x, sum_dt_x + channels, 0.0);
  for (std::int64_t block = 0; block < norm_blocks(rows, channels); ++block)
    for (std::int64_t c = 0; c < channels; ++c) {
      sum_dt[c] += static_cast<double>(partial[2 * channels * block + c]);
      sum_dt_x[c] += static_cast<double>(partial[2 * channels * block + channels + c]);
    }
}

/// y from x; y may be x.
template <class T>
void norm_apply(std::int64_t rows, std::int64_t channels, const NormChannels<T>& norm, const T* x, T* y) {
  MIEN_SELECT_ISA(T, norm_apply)(rows, channels, norm, x, y);
}

/// dx from x and dy; dx may be dy.
template <class T>
void norm_backward(std::int64_t rows, std::int64_t channels, const NormChannels<T>& norm,
                   const NormGradient<T>& gradient, const T* x, const T* dy, T* dx) {
  MIEN_SELECT_ISA(T, norm_backward)(rows, channels, norm, gradient, x, dy, dx);
}

}  // namespace mien::inline v0::kernels
