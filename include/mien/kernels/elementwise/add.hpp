#pragma once

#include <cstdint>

#include <mien/kernels/elementwise/chunks.hpp>
#include <mien/kernels/isa/registers.hpp>

#define MIEN_KERNEL_TEXT <mien/kernels/elementwise/add.inl>
#include <mien/kernels/isa/for_each_isa.inl>

namespace mien::inline v0::kernels {

/// y = a + b for n elements. y may be a or b.
template <class T>
void add(std::int64_t n, const T* a, const T* b, T* y, int threads) {
  const auto run = MIEN_SELECT_ISA(T, add_arrays);
  for_each_chunk(n, elementwise_chunk, threads,
                 [&](std::int64_t i, std::int64_t count) { run(count, a + i, b + i, y + i); });
}

/// y += x for n elements.
template <class T>
void accumulate(std::int64_t n, const T* x, T* y, int threads) {
  add<T>(n, y, x, y, threads);
}

}  // namespace mien::inline v0::kernels
