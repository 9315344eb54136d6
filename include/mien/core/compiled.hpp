#pragma once
// mien is header-only. A program that is to compile quickly links the CMake target mien::compiled instead, which
// holds the same definitions, compiled once:
//
//     MIEN_COMPILED     set for the users of that target: headers only declare what the library holds
//     MIEN_COMPILING    set while the library itself is compiled
//
// A header with much to define declares its functions MIEN_INLINE and ends in
//
//     #if MIEN_DEFINES
//     #  include <mien/.../name_impl.hpp>
//     #endif
//
// The lists in compiled/ declare its templates extern. Files with and without MIEN_COMPILED may meet in one program:
// they see the same definitions.

#if defined(MIEN_COMPILING)
#  define MIEN_DEFINES 1
#  define MIEN_INLINE [[gnu::used]] inline
#elif defined(MIEN_COMPILED)
#  define MIEN_DEFINES 0
#  define MIEN_INLINE
#else
#  define MIEN_DEFINES 1
#  define MIEN_INLINE inline
#endif
