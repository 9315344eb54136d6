// Includes the file named by MIEN_KERNEL_TEXT once per instruction set, each time inside that set's target region and namespace:
//
//     #include <mien/kernels/isa/registers.hpp>
//     #define MIEN_KERNEL_TEXT <mien/kernels/pool/max_pool.inl>
//     #include <mien/kernels/isa/for_each_isa.inl>
//
// The text then stands in `mien::kernels::portable`, `::avx2` and `::avx512`, beside registers.inl's `Vec<T>` and its operations.
// MIEN_SELECT_ISA (below the regions) picks one of the three at run time. Rules for such text, each found by compiling:
// no #include, std::, lambda or OpenMP; no friend defined inside a class (g++ 12 drops the target); a vector never crosses the
// region's border (g++ 12 crashes, clang refuses); `#pragma GCC unroll` takes literals only; __AVX2__ and its like tell nothing
// inside (g++ leaves them undefined), MIEN_VECTOR_BYTES does.
// Deliberately without an include guard.

#include <mien/kernels/isa/baseline.hpp>

#if defined(__x86_64__) && defined(__clang__)
#  pragma clang attribute push(__attribute__((target("no-avx,no-fma"))), apply_to = function)
#elif defined(__x86_64__)
#  pragma GCC push_options
#  pragma GCC target("no-avx,no-fma")
#endif
#define MIEN_VECTOR_BYTES 16
#define MIEN_REGISTERS 16
namespace mien::inline v0::kernels::portable::inline MIEN_BASELINE {
#include MIEN_KERNEL_TEXT
}
#undef MIEN_REGISTERS
#undef MIEN_VECTOR_BYTES

#if defined(__x86_64__)
#  if defined(__clang__)
#    pragma clang attribute pop
#    pragma clang attribute push(__attribute__((target("avx2,fma"))), apply_to = function)
#  else
#    pragma GCC pop_options
#    pragma GCC push_options
#    pragma GCC target("avx2,fma")
#  endif
#  define MIEN_VECTOR_BYTES 32
#  define MIEN_REGISTERS 16
namespace mien::inline v0::kernels::avx2::inline MIEN_BASELINE {
#  include MIEN_KERNEL_TEXT
}
#  undef MIEN_REGISTERS
#  undef MIEN_VECTOR_BYTES

#  if defined(__clang__)
#    pragma clang attribute pop
#    pragma clang attribute push(__attribute__((target("avx512f,avx512vl,avx512dq,avx512bw,avx2,fma"))), apply_to = function)
#  else
#    pragma GCC pop_options
#    pragma GCC push_options
#    pragma GCC target("avx512f,avx512vl,avx512dq,avx512bw,avx2,fma,prefer-vector-width=512")
#  endif
#  define MIEN_VECTOR_BYTES 64
#  define MIEN_REGISTERS 32
namespace mien::inline v0::kernels::avx512::inline MIEN_BASELINE {
#  include MIEN_KERNEL_TEXT
}
#  undef MIEN_REGISTERS
#  undef MIEN_VECTOR_BYTES
#  if defined(__clang__)
#    pragma clang attribute pop
#  else
#    pragma GCC pop_options
#  endif
#endif
#undef MIEN_KERNEL_TEXT
