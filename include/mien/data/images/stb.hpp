#pragma once
// stb_image (public domain) as a private part of the library: JPEG, PNG, BMP and the inflater, from memory only, with
// internal linkage in a namespace of ours. A program may have its own stb_image, with other settings, included before
// or after this file, in the same source file or another: neither sees the other.

// All that stb_image.h includes comes first, so that nothing of it lands in our namespace.
#include <limits.h>
#include <math.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#if defined(__SSE2__)
#  include <emmintrin.h>
#elif defined(__ARM_NEON)
#  include <arm_neon.h>
#endif

#include <mien/data/images/stb_save_macros.inl>

// Only the implementation is wanted: the declarations before it are extern "C", and then g++ gives even static
// functions their plain names in the object file, where they meet those of the user's copy.
#define STBI_INCLUDE_STB_IMAGE_H
#define STB_IMAGE_IMPLEMENTATION
#define STBIDEF static
#define STBI_ONLY_JPEG
#define STBI_ONLY_PNG
#define STBI_ONLY_BMP
#define STBI_NO_STDIO
#define STBI_NO_LINEAR
#define STBI_NO_HDR
#define STBI_MAX_DIMENSIONS 16384
#define STBI_ASSERT(x) ((void)(x))  // a library does not abort on a damaged picture

#if defined(__GNUC__)
#  pragma GCC diagnostic push
#  pragma GCC diagnostic ignored "-Wall"
#  pragma GCC diagnostic ignored "-Wextra"
#  pragma GCC diagnostic ignored "-Wpedantic"
#  pragma GCC diagnostic ignored "-Wconversion"
#  pragma GCC diagnostic ignored "-Wsign-conversion"
#  pragma GCC diagnostic ignored "-Wshadow"
#  pragma GCC diagnostic ignored "-Wcast-qual"
#  pragma GCC diagnostic ignored "-Wold-style-cast"
#  pragma GCC diagnostic ignored "-Wunused-function"
#endif

namespace mien::inline v0::detail::stb {

using stbi_uc = unsigned char;
using stbi_us = unsigned short;
enum { STBI_default, STBI_grey, STBI_grey_alpha, STBI_rgb, STBI_rgb_alpha };
struct stbi_io_callbacks {
  int (*read)(void* user, char* data, int size);
  void (*skip)(void* user, int n);
  int (*eof)(void* user);
};

#if __has_include(<stb/stb_image.h>)
#  include <stb/stb_image.h>  // NOLINT
#else
#  include <stb_image.h>  // NOLINT
#endif
}  // namespace mien::inline v0::detail::stb

#if defined(__GNUC__)
#  pragma GCC diagnostic pop
#endif

#include <mien/data/images/stb_restore_macros.inl>
