#pragma once
// The product of one row and a matrix, row_times_matrix<T> of each instruction set.

#include <cstdint>

#include <mien/kernels/isa/registers.hpp>

#define MIEN_KERNEL_TEXT <mien/kernels/gemm/row_times_matrix.inl>
#include <mien/kernels/isa/for_each_isa.inl>
