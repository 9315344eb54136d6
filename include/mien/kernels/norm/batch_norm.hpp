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

/// Rows of one block. About 128 KiB of floats stay in the second-level cache between a block's two passes (blocks for
/// the first-level cache, a quarter of that, are four times as many to add up at the end: 65 us of a 0.55 ms forward
/// pass); not more than 512 rows, so that sums of floats stay short.
[[nodiscard]] constexpr std::int64_t norm_block_rows(std::int64_t channels) {
  return std::clamp<std::int64_t>(32768 / std::max<std::int64_t>(1, channels), 16, 512);
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

/// Mean and sum of squares about it of each channel, of the rows first ... first + count - 1, which are block `block`.
template <class T>
void norm_block_moments(std::int64_t channels, const T* x, std::int64_t first, std::int64_t count, std::int64_t block,
                        T* partial) {
  T* const own = partial + 2 * channels * block;
  MIEN_SELECT_ISA(T, norm_block_moments)(count, channels, x + first * channels, own, own + channels);
}

/// Mean and population variance of each channel from those of the blocks.
template <class T>
void norm_merge_moments(std::int64_t rows, std::int64_t channels, const T* partial, double* mean, double* variance) {
  const std::int64_t blocks = norm_blocks(rows, channels), step = norm_block_rows(channels);
  const auto count = [&](std::int64_t block) { return static_cast<double>(std::min(step, rows - block * step)); };
  std::fill(mean, mean + channels, 0.0);
  std::fill(variance, variance + channels, 0.0);
  for (std::int64_t block = 0; block < blocks; ++block) {
    const double share = count(block) / static_cast<double>(rows);
    const T* own = partial + 2 * channels * block;
    for (std::int64_t c = 0; c < channels; ++c) mean[c] += share * static_cast<double>(own[c]);
  }
  for (std::int64_t block = 0; block < blocks; ++block) {
    const double share = 1 / static_cast<double>(rows), weight = count(block);
    const T* own = partial + 2 * channels * block;
    for (std::int64_t c = 0; c < channels; ++c) {
      const double off = static_cast<double>(own[c]) - mean[c];
      variance[c] += (static_cast<double>(own[channels + c]) + weight * off * off) * share;
    }
  }
}

/// Mean and population variance of each channel. partial: norm_partial_size elements.
template <class T>
void norm_moments(std::int64_t rows, std::int64_t channels, const T* x, T* partial, double* mean, double* variance,
                  int threads) {
  for_each_norm_block(rows, channels, threads, [&](std::int64_t first, std::int64_t count, std::int64_t block) {
    norm_block_moments(channels, x, first, count, block, partial);
  });
  norm_merge_moments(rows, channels, partial, mean, variance);
}

/// The blocks' pairs of sums, added in their order.
template <class T>
void add_norm_partials(std::int64_t blocks, std::int64_t channels, const T* partial, double* first, double* second) {
  std::fill(first, first + channels, 0.0);
  std::fill(second, second + channels, 0.0);
  for (std::int64_t block = 0; block < blocks; ++block, partial += 2 * channels)
    for (std::int64_t c = 0; c < channels; ++c) {
      first[c] += static_cast<double>(partial[c]);
      second[c] += static_cast<double>(partial[channels + c]);
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
  add_norm_partials(norm_blocks(rows, channels), channels, partial, sum_dt, sum_dt_x);
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
