#pragma once
// stb_image (public domain) as a private part of the library: JPEG, PNG and BMP, from memory only, with internal
// linkage in a namespace of ours. A program may have its own stb_image, with other settings, included before or after
// this file, in the same source file or another: neither sees the other.

#include <mien/stb/system_headers.hpp>

#include <mien/stb/save_macros.inl>

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

#include <mien/stb/restore_macros.inl>
