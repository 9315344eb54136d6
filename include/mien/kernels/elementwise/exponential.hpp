#pragma once
// e^x on vectors, for the kernels that need it: `exponential<T>(Vec<T>)` and `exponential_minus_1<T>(Vec<T>)`.

#include <mien/kernels/isa/registers.hpp>

#define MIEN_KERNEL_TEXT <mien/kernels/elementwise/exponential.inl>
#include <mien/kernels/isa/for_each_isa.inl>
