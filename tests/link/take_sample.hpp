#pragma once

#include <vector>

#include <link/sample.hpp>
#include <mien/kernels/isa/registers.hpp>

#define MIEN_KERNEL_TEXT <link/sample.inl>
#include <mien/kernels/isa/for_each_isa.inl>

// In an unnamed namespace, so that each file calls its own copy and the linker cannot keep one for both.
namespace {

template <class T>
std::vector<T> sums_of_lengths(int longest) {
  std::vector<T> x, sums;
  for (int n = 0; n < longest; ++n) {
    x.push_back(static_cast<T>(n * 37 % 101 - 50) / T(23));
    sums.push_back(MIEN_SELECT_ISA(T, polynomial_sum)(x.data(), n + 1));
  }
  return sums;
}

Sample take_sample() {
  return {sums_of_lengths<float>(150), sums_of_lengths<double>(150), MIEN_SELECT_ISA(float, vector_bytes)()};
}

}  // namespace
