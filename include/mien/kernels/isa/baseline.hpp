#pragma once
// A region's instructions are ADDED to those of the command line, so the same text compiled with other -m flags is
// another function. The name of the command line's set therefore becomes part of every kernel's symbol, and two files
// with different flags never share one. The names are the sets that change generated code, lowest first.

#if defined(__AVX512F__) && defined(__AVX512VL__) && defined(__AVX512DQ__) && defined(__AVX512BW__)
#  define MIEN_BASELINE baseline_avx512
#elif defined(__AVX512F__)
#  define MIEN_BASELINE baseline_avx512f
#elif defined(__AVX2__) && defined(__FMA__)
#  define MIEN_BASELINE baseline_avx2_fma
#elif defined(__AVX2__)
#  define MIEN_BASELINE baseline_avx2
#elif defined(__AVX__) && defined(__FMA__)
#  define MIEN_BASELINE baseline_avx_fma
#elif defined(__AVX__)
#  define MIEN_BASELINE baseline_avx
#else
#  define MIEN_BASELINE baseline
#endif
