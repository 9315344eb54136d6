#pragma once

#include <cerrno>
#include <cstddef>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <system_error>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <mien/core/error.hpp>
#include <mien/io/formats/input_file.hpp>

namespace mien::inline v0 {

/// Writes a file so that its name stands for the old content or for the new one, whole, at every moment, and after a
/// power failure too: the bytes go to `<name>.partial` in the same folder, are flushed to the disk, and take the name.
///
///     AtomicFile file("model.safetensors");
///     file.write(bytes);
///     file.commit();              // without it, the destructor removes what was written
///
/// A process that is killed leaves the .partial file; the next write of the same name takes it over.
class AtomicFile {
 public:
  /// Throws FileError if the folder cannot be written, or another AtomicFile is writing this name now.
  explicit AtomicFile(const std::filesystem::path& path)
      : path_(target_of(path)), partial_(path_.string() + ".partial") {
    do {
      descriptor_ = detail::FileDescriptor(::open(partial_.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0666));
      if (!descriptor_) fail();
      if (::flock(descriptor_.get(), LOCK_EX | LOCK_NB) != 0)
        throw FileError(text("cannot write '", path_.string(), "': another save of it is under way"));
    } while (!still_named());
    if (::ftruncate(descriptor_.get(), 0) != 0) fail();
  }
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;
  ~AtomicFile() {
    if (!committed_ && descriptor_) ::unlink(partial_.c_str());
  }

  /// Appends. Throws FileError; the file of that name is then as it was before.
  void write(std::span<const std::byte> bytes) {
    while (!bytes.empty()) {
      const ::ssize_t count = ::write(descriptor_.get(), bytes.data(), bytes.size());
      if (count < 0 && errno == EINTR) continue;
      if (count < 0) fail();
      bytes = bytes.subspan(static_cast<std::size_t>(count));
    }
  }
  void write(std::string_view characters) { write(std::as_bytes(std::span(characters))); }

  /// Flushes to the disk and gives the file its name. Throws FileError; the file of that name is then as it was before.
  void commit() {
    if (::fsync(descriptor_.get()) != 0 || ::rename(partial_.c_str(), path_.c_str()) != 0) fail();
    committed_ = true;
    // The new name itself is on the disk once the folder is. A folder that cannot be flushed is no reason to fail: the
    // file is complete under its name.
    const std::filesystem::path folder = path_.has_parent_path() ? path_.parent_path() : ".";
    if (const detail::FileDescriptor opened(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)); opened)
      static_cast<void>(::fsync(opened.get()));
  }

 private:
  /// A symbolic link is followed, so that the file it points to is replaced and the link stays.
  [[nodiscard]] static std::filesystem::path target_of(const std::filesystem::path& path) {
    std::error_code none;
    const std::filesystem::path target = std::filesystem::canonical(path, none);
    return none ? path : target;
  }

  /// Whether the locked file is the one that has the name: its last writer may have renamed it between open and lock.
  [[nodiscard]] bool still_named() const {
    struct stat mine {
    }, named{};
    return ::fstat(descriptor_.get(), &mine) == 0 && ::stat(partial_.c_str(), &named) == 0 &&
           mine.st_ino == named.st_ino && mine.st_dev == named.st_dev;
  }

  [[noreturn]] void fail() const {
    throw FileError(text("cannot write '", path_.string(), "': ", detail::system_message(),
                         "; a file that had this name before is unchanged"));
  }

  std::filesystem::path path_;
  std::string partial_;
  detail::FileDescriptor descriptor_;
  bool committed_ = false;
};

}  // namespace mien::inline v0
