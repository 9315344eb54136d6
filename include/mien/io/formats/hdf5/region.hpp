#pragma once
// Where an HDF5 file lies: a whole file, or a piece of one (a member of a zip archive). All addresses count from its
// first byte.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <mien/core/error.hpp>
#include <mien/io/formats/hdf5/cursor.hpp>
#include <mien/io/formats/input_file.hpp>

namespace mien::inline v0::hdf5 {

/// The bytes of an HDF5 file. `name` stands in messages.
class Region {
 public:
  explicit Region(const std::filesystem::path& path) : Region(path.string(), InputFile(path), 0, ~std::uint64_t{0}) {}
  Region(std::string name, InputFile file, std::uint64_t begin, std::uint64_t size)
      : name_(std::move(name)), file_(std::move(file)), begin_(begin) {
    if (begin > file_.size()) throw FileError(text("'", name_, "' lies beyond the end of its file"));
    size_ = std::min(size, file_.size() - begin);
  }

  [[nodiscard]] const std::string& name() const { return name_; }
  [[nodiscard]] std::uint64_t size() const { return size_; }
  [[nodiscard]] bool holds(std::uint64_t address, std::uint64_t length) const {
    return address <= size_ && length <= size_ - address;
  }
  /// Where an address lies in the file on the disk.
  [[nodiscard]] std::uint64_t position(std::uint64_t address) const { return begin_ + address; }

  /// Throws FileError if the bytes do not lie in the region.
  void read(std::uint64_t address, std::span<std::byte> to) const {
    if (!holds(address, to.size()))
      throw FileError(text("'", name_, "' is truncated or damaged: expected ", to.size(), " bytes at address ", address,
                           ", but it has ", size_));
    file_.read_at(begin_ + address, to);
  }

 private:
  std::string name_;
  InputFile file_;
  std::uint64_t begin_ = 0, size_ = 0;
};

/// Reads the structures of a region, everything but the numbers of the datasets, and counts what it reads: however
/// structures point at one another, the work and the memory have an end.
class Metadata {
 public:
  // A file of 175 layers with 350 tensors takes 3834 reads and 0.8 MB.
  static constexpr std::uint64_t max_bytes = std::uint64_t{64} << 20U, max_reads = std::uint64_t{1} << 19U;

  explicit Metadata(const Region& region) : region_(region) {}

  [[nodiscard]] const Region& region() const { return region_; }

  /// The bytes there, read after it is known that the file has them. `what` is for the message: "a local heap".
  [[nodiscard]] std::vector<std::byte> read(std::string_view what, std::uint64_t address, std::uint64_t length) {
    if (!region_.holds(address, length))
      throw FileError(text("'", region_.name(), "': ", what, " should lie at address ", address, " with ", length,
                           " bytes, but the file has ", region_.size(), "; it is truncated or damaged"));
    spend(length);
    if (++reads_ > max_reads) refuse();
    std::vector<std::byte> bytes(static_cast<std::size_t>(length));
    region_.read(address, bytes);
    return bytes;
  }
  [[nodiscard]] Cursor cursor(std::string_view what, std::uint64_t address, std::span<const std::byte> bytes) const {
    return {region_.name(), what, address, bytes};
  }

  /// Counts memory that the structures of the file ask for.
  void spend(std::uint64_t bytes) {
    if (bytes > max_bytes - spent_) refuse();
    spent_ += bytes;
  }

 private:
  [[noreturn]] void refuse() const {
    throw FileError(text("'", region_.name(), "': its structures take more than ", max_bytes, " bytes or ", max_reads,
                         " reads, or lead in a circle; no Keras file is like that"));
  }

  const Region& region_;
  std::uint64_t spent_ = 0, reads_ = 0;
};

}  // namespace mien::inline v0::hdf5
