#pragma once

#include <cstdint>

#include <mien/kernels/elementwise/chunks.hpp>
#include <mien/kernels/isa/registers.hpp>

#define MIEN_KERNEL_TEXT <mien/kernels/elementwise/scale_shift.inl>
#include <mien/kernels/isa/for_each_isa.inl>

namespace mien::inline v0::kernels {

/// y[i] = scale[i % period] x[i] + shift[i % period] for n elements; y may be x. Few channels should be repeated to a
/// period of many vectors: the inner loop is one period long.
template <class T>
void scale_shift(std::int64_t n, std::int64_t period, const T* scale, const T* shift, const T* x, T* y, int threads) {
  const auto run = MIEN_SELECT_ISA(T, scale_shift_array);
  const std::int64_t repeats = elementwise_chunk / period, step = period * (repeats > 0 ? repeats : 1);
  for_each_chunk(n, step, threads,
                 [&](std::int64_t i, std::int64_t count) { run(count, period, scale, shift, x + i, y + i); });
}

}  // namespace mien::inline v0::kernels
