#pragma once
// The version of the library, for the preprocessor and for programs. Every declaration of mien lives in the
// inline namespace `v0`, so that two incompatible versions in one program cannot silently share a symbol.

#define MIEN_VERSION_MAJOR 0
#define MIEN_VERSION_MINOR 1
#define MIEN_VERSION_PATCH 0

namespace mien::inline v0 {

/// "major.minor.patch", as written into the files that the library saves.
inline constexpr const char* version = "0.1.0";

}  // namespace mien::inline v0
