#pragma once
// The limits of a product: the peak of multiply-adds, and the micro-kernel alone.

#include <benchmark/benchmark.h>

#include <cstdint>
#include <vector>

#include "support.hpp"

#include <mien/kernels/gemm/macro_kernel.hpp>
#include <mien/kernels/gemm/pack.hpp>
#include <mien/kernels/gemm/pointers.hpp>

namespace mien::inline v0::kernels {
template <class T>
struct PeakKernel {
  T (*run)(std::int64_t steps, T* none);
  T (*run_storing)(std::int64_t steps, T* stored);  ///< two steps' lanes
  std::int64_t lanes;                               ///< multiply-adds in one step
};
}  // namespace mien::inline v0::kernels

#define MIEN_KERNEL_TEXT "../../../../benchmarks/peak.inl"
#include <mien/kernels/isa/for_each_isa.inl>

namespace mien_benchmark {

inline void peak(benchmark::State& state, bool storing, int threads) {
  const mien::kernels::PeakKernel<float>& kernel = *MIEN_SELECT_ISA(float, peak_kernel);
  const auto run = storing ? kernel.run_storing : kernel.run;
  constexpr std::int64_t steps = 1 << 20;
  const Operand stored(threads * 2 * kernel.lanes);
  measure_flops(state, 2.0 * static_cast<double>(steps * kernel.lanes * threads), [&] {
    mien::parallel_for(threads, threads, [&](std::int64_t i, int) {
      benchmark::DoNotOptimize(run(steps, stored.data() + i * 2 * kernel.lanes));
    });
  });
  state.SetLabel(mien::to_string(mien::active_isa()));
}

/// Whole tiles one after the other, each with rows of A and C of its own: what no product of such sums can pass.
class Tiles {
 public:
  static constexpr std::int64_t depths[] = {27, 64, 128, 256, 1024}, count = 8;

  explicit Tiles(std::int64_t depth)
      : depth_(depth),
        a_(count * kernels_.rows() * mien::kernels::copied_ld(depth)),
        b_(depth * kernels_.columns),
        c_(count * kernels_.rows() * kernels_.columns),
        a_rows_(static_cast<std::size_t>(count * kernels_.rows())),
        c_rows_(a_rows_.size()) {
    const std::int64_t rows = count * kernels_.rows();
    mien::kernels::point_at_rows<const float>(a_.data(), mien::kernels::copied_ld(depth), rows, a_rows_.data());
    mien::kernels::point_at_rows(c_.data(), kernels_.columns, rows, c_rows_.data());
  }
  [[nodiscard]] double flops() const {
    return 2.0 * static_cast<double>(count * kernels_.rows() * kernels_.columns * depth_);
  }
  void multiply() const {
    const std::int64_t rows = kernels_.rows(), width = kernels_.columns;
    const float* const b = b_.data();
    for (std::int64_t row = 0; row < count * rows; row += rows) {
      mien::kernels::TileOutput<float> out{};
      out.c = c_rows_.data() + row, out.fetch = false;
      const mien::kernels::RowOperand<float> operand{
          a_rows_.data() + row, 0, &b, 0, width, 1, depth_, mien::kernels::fetch_in_panel(depth_, width)};
      mien::kernels::run_micro_kernel(kernels_.heights[rows - 1], operand, out);
    }
  }

 private:
  const mien::kernels::MicroKernels<float>& kernels_ = mien::kernels::active_micro_kernels<float>();
  std::int64_t depth_;
  Operand a_, b_, c_;
  std::vector<const float*> a_rows_;
  std::vector<float*> c_rows_;
};

inline void tiles(benchmark::State& state, std::int64_t depth) {
  constexpr int repetitions = 64;
  const Tiles all(depth);
  measure_flops(state, repetitions * all.flops(), [&] {
    for (int i = 0; i < repetitions; ++i) all.multiply();
  });
  state.SetLabel(mien::to_string(mien::active_isa()));
}

}  // namespace mien_benchmark
