#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <new>

#include <mien/kernels/epilogue.hpp>
#include <mien/kernels/gemm/scratch.hpp>
#include <mien/kernels/norm/batch_norm.hpp>

namespace mien::inline v0::kernels {

/// norm_moments() of a matrix while it is being written: whoever writes the last value of a block takes the block's
/// moments, which are the same ones whoever takes them and whenever. Zen 3, two threads, forward, ms without and with
/// it: custom model 2's normalisations 2.9 and 1.0, convolutions 31.3 and 30.9; ResNet50's 11.6 and 5.2, 80.2 and 83.0.
template <class T>
class MomentsReader final : public RowReader {
 public:
  [[nodiscard]] static std::size_t bytes(std::int64_t rows, std::int64_t channels) {
    Scratch measured;
    static_cast<void>(Memory(measured, rows, channels));
    return measured.bytes();
  }
  /// In bytes() of memory, aligned to the cache line; nobody has to destroy it.
  [[nodiscard]] static MomentsReader* make(std::int64_t rows, std::int64_t channels, const T* x, std::byte* memory) {
    Scratch scratch(memory);
    const Memory own(scratch, rows, channels);
    return new (own.self) MomentsReader(rows, channels, x, own);
  }

  void finished(std::int64_t first, std::int64_t rows, std::int64_t columns) override {
    if (columns == 0) return;  // of a task without columns: a block's last value is another one's
    const std::int64_t step = norm_block_rows(channels_);
    for (const std::int64_t end = first + rows; first < end;) {
      const std::int64_t block = first / step, count = std::min(end, (block + 1) * step) - first;
      // Releases what this thread has written of the block, and acquires what the others have.
      const std::int64_t left =
          std::atomic_ref(left_[block]).fetch_sub(count * columns, std::memory_order_acq_rel) - count * columns;
      if (left == 0) norm_block_moments(channels_, x_, block * step, rows_of(block), block, partial_);
      first += count;
    }
  }

  /// Mean and population variance of each channel, once all values have been reported.
  void merge(double* mean, double* variance) const { norm_merge_moments(rows_, channels_, partial_, mean, variance); }

 private:
  struct Memory {
    Memory(Scratch& scratch, std::int64_t rows, std::int64_t channels)
        : self(scratch.array<MomentsReader>(1)),
          left(scratch.array<std::int64_t>(norm_blocks(rows, channels))),
          partial(scratch.array<T>(norm_partial_size(rows, channels))) {}
    MomentsReader* self;
    std::int64_t* left;
    T* partial;
  };

  MomentsReader(std::int64_t rows, std::int64_t channels, const T* x, const Memory& memory)
      : rows_(rows), channels_(channels), x_(x), left_(memory.left), partial_(memory.partial) {
    for (std::int64_t block = 0; block < norm_blocks(rows, channels); ++block) left_[block] = rows_of(block) * channels;
  }
  [[nodiscard]] std::int64_t rows_of(std::int64_t block) const {
    const std::int64_t step = norm_block_rows(channels_);
    return std::min(step, rows_ - block * step);
  }

  std::int64_t rows_, channels_;
  const T* x_;
  std::int64_t* left_;  ///< values of each block that have not been reported
  T* partial_;
};

}  // namespace mien::inline v0::kernels
