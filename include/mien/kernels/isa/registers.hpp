#pragma once

#include <mien/kernels/isa/isa.hpp>

#define MIEN_KERNEL_TEXT <mien/kernels/isa/registers.inl>
#include <mien/kernels/isa/for_each_isa.inl>

/// `MIEN_SELECT_ISA(T, name)`: the function or table `name<T>` of the active instruction set; double always takes the
/// portable one, because it exists to check gradients and three sets of it would triple the compile time of what nobody
/// runs. The empty instruction hides from the compiler which one was chosen: a kernel that it inlines (portable text
/// into a file compiled with -mfma, which both compilers do) takes on the instructions, and so the bits, of its caller.
#if defined(__x86_64__)
#  define MIEN_SELECT_ISA(T, name)                                                  \
    [] {                                                                            \
      auto* chosen = &::mien::kernels::portable::name<T>;                           \
      if constexpr (sizeof(T) == sizeof(float)) {                                   \
        const ::mien::Isa isa = ::mien::active_isa();                               \
        if (isa == ::mien::Isa::avx2) chosen = &::mien::kernels::avx2::name<T>;     \
        if (isa == ::mien::Isa::avx512) chosen = &::mien::kernels::avx512::name<T>; \
      }                                                                             \
      __asm__("" : "+r"(chosen));                                                   \
      return chosen;                                                                \
    }()
#else
#  define MIEN_SELECT_ISA(T, name) (&::mien::kernels::portable::name<T>)
#endif
