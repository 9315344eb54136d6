#pragma once
// The inflater of stb_image (public domain) alone, for files that compress their members; the decoders of pictures, and
// their compile time, are left out. Like pictures.hpp it has internal linkage in a namespace of ours and cannot meet a
// program's own stb_image; both may stand in one source file.

#include <mien/stb/system_headers.hpp>

#include <mien/stb/save_macros.inl>

#define STBI_INCLUDE_STB_IMAGE_H  // as in pictures.hpp
#define STB_IMAGE_IMPLEMENTATION
#define STBIDEF static
#define STBI_NO_JPEG
#define STBI_NO_PNG
#define STBI_NO_BMP
#define STBI_NO_PSD
#define STBI_NO_TGA
#define STBI_NO_GIF
#define STBI_NO_HDR
#define STBI_NO_PIC
#define STBI_NO_PNM
#define STBI_SUPPORT_ZLIB
#define STBI_NO_SIMD
#define STBI_NO_STDIO
#define STBI_NO_LINEAR
#define STBI_ASSERT(x) ((void)(x))  // a library does not abort on a damaged file

namespace mien::inline v0::detail::stb_zlib {

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
}  // namespace mien::inline v0::detail::stb_zlib

#include <mien/stb/restore_macros.inl>
