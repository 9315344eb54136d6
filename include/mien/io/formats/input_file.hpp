#pragma once

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <mien/core/error.hpp>

namespace mien::inline v0 {

namespace detail {
/// What the operating system says about its last failure.
[[nodiscard]] inline std::string system_message() { return std::generic_category().message(errno); }

/// A POSIX file descriptor that closes itself.
class FileDescriptor {
 public:
  FileDescriptor() = default;
  explicit FileDescriptor(int descriptor) : descriptor_(descriptor) {}
  FileDescriptor(FileDescriptor&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}
  FileDescriptor& operator=(FileDescriptor&& other) noexcept {
    std::swap(descriptor_, other.descriptor_);
    return *this;
  }
  ~FileDescriptor() {
    if (descriptor_ >= 0) ::close(descriptor_);
  }
  [[nodiscard]] int get() const { return descriptor_; }
  [[nodiscard]] explicit operator bool() const { return descriptor_ >= 0; }

 private:
  int descriptor_ = -1;
};
}  // namespace detail

/// A file read by position. Reads are const and may come from several threads.
class InputFile {
 public:
  /// Throws FileError if there is no such file, or it is not a regular one (without O_NONBLOCK, a pipe would wait for
  /// its writer here).
  explicit InputFile(const std::filesystem::path& path)
      : path_(path.string()), descriptor_(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)) {
    struct stat status {};
    if (!descriptor_ || ::fstat(descriptor_.get(), &status) != 0)
      throw FileError(text("cannot read '", path_, "': ", detail::system_message()));
    if (!S_ISREG(status.st_mode)) throw FileError(text("cannot read '", path_, "': it is not a regular file"));
    size_ = static_cast<std::uint64_t>(status.st_size);
  }

  [[nodiscard]] const std::string& path() const { return path_; }
  [[nodiscard]] std::uint64_t size() const { return size_; }

  /// Fills `to` with the bytes from `offset` on. Throws FileError if the file ends before, without having read.
  void read_at(std::uint64_t offset, std::span<std::byte> to) const {
    if (offset > size_ || to.size() > size_ - offset)
      throw FileError(text("'", path_, "' is truncated: expected ", to.size(), " bytes at position ", offset,
                           ", but the file has ", size_));
    while (!to.empty()) {
      const ::ssize_t count = ::pread(descriptor_.get(), to.data(), to.size(), static_cast<::off_t>(offset));
      if (count < 0 && errno == EINTR) continue;
      if (count < 0) throw FileError(text("cannot read '", path_, "': ", detail::system_message()));
      if (count == 0) throw FileError(text("'", path_, "' became shorter while it was read"));
      offset += static_cast<std::uint64_t>(count);
      to = to.subspan(static_cast<std::size_t>(count));
    }
  }

 private:
  std::string path_;
  detail::FileDescriptor descriptor_;
  std::uint64_t size_ = 0;
};

}  // namespace mien::inline v0
