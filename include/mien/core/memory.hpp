#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>
#include <utility>

#if defined(__linux__)
#  include <sys/mman.h>
#endif

namespace mien::inline v0 {

/// Every block that the library allocates starts on a cache line, which is also the widest vector register.
inline constexpr std::size_t cache_line = 64;

/// n rounded up to a multiple of the cache line.
[[nodiscard]] constexpr std::size_t round_to_cache_line(std::size_t n) {
  return (n + cache_line - 1) / cache_line * cache_line;
}

/// Owning raw memory, aligned to the cache line, not initialised. All large memory of the library comes from here, and
/// so from `operator new(size, align)`, which a program (or a test that counts) may replace.
class Buffer {
 public:
  Buffer() = default;
  /// Throws std::bad_alloc. Large blocks are offered to the kernel for huge pages: 0 to 10 % on the matrix products
  /// measured.
  explicit Buffer(std::size_t bytes) : bytes_(bytes) {
    if (bytes == 0) return;
    data_.reset(static_cast<std::byte*>(::operator new(bytes, std::align_val_t(cache_line))));
#if defined(__linux__)
    constexpr std::uintptr_t page = 4096, huge = std::uintptr_t{2} << 20;
    const auto first = (reinterpret_cast<std::uintptr_t>(data_.get()) + page - 1) / page * page;
    if (bytes >= huge) madvise(reinterpret_cast<void*>(first), (bytes - page) / page * page, MADV_HUGEPAGE);
#endif
  }
  Buffer(Buffer&& other) noexcept : data_(std::move(other.data_)), bytes_(std::exchange(other.bytes_, 0)) {}
  Buffer& operator=(Buffer&& other) noexcept {
    data_ = std::move(other.data_);
    bytes_ = std::exchange(other.bytes_, 0);
    return *this;
  }

  [[nodiscard]] std::byte* data() const { return data_.get(); }
  [[nodiscard]] std::size_t size() const { return bytes_; }

 private:
  struct Free {
    void operator()(std::byte* p) const { ::operator delete(p, std::align_val_t(cache_line)); }
  };
  std::unique_ptr<std::byte, Free> data_;
  std::size_t bytes_ = 0;
};

}  // namespace mien::inline v0
