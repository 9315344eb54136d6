#pragma once
// HDF5, the part of it that Keras's weight files are written in, read without a library.
// Format: https://docs.hdfgroup.org/hdf5/develop/_f_m_t3.html

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include <mien/io/formats/hdf5/chunks.hpp>
#include <mien/io/formats/hdf5/tree.hpp>

namespace mien::inline v0 {

/// An HDF5 file, open for reading. The constructor reads all groups and attributes and checks where every dataset lies;
/// numbers are read when asked for, straight into the caller's memory. At most 64 MiB are allocated, whatever the file
/// says.
///
///     Hdf5File file("weights.h5");
///     for (const hdf5::Object* child : file.root().children()) ...
///     if (const hdf5::Object* kernel = file.find("/conv1/conv1/kernel:0"))
///       file.read(*kernel, std::as_writable_bytes(tensor.span()));
///     std::optional<std::string> config = file.root().string_attribute("model_config");
///
/// Read are superblocks 0 to 3, object headers 1 and 2, groups by symbol tables and by link messages, datasets of
/// little-endian numbers that are contiguous, compact or in chunks (deflate, shuffle), attributes of numbers and of
/// fixed and variable strings. Whatever lies outside throws FileError with the name of the feature when it is asked
/// for. The checksums of newer structures are not compared.
class Hdf5File {
 public:
  /// Throws FileError if it is missing, truncated, damaged, or not HDF5.
  explicit Hdf5File(const std::filesystem::path& path) : Hdf5File(hdf5::Region(path)) {}
  /// A file inside another one: `size` bytes from `begin` on; `name` stands in messages.
  Hdf5File(std::string name, InputFile file, std::uint64_t begin, std::uint64_t size)
      : Hdf5File(hdf5::Region(std::move(name), std::move(file), begin, size)) {}
  Hdf5File(const Hdf5File&) = delete;
  Hdf5File& operator=(const Hdf5File&) = delete;

  [[nodiscard]] const std::string& path() const { return region_.name(); }
  [[nodiscard]] std::uint64_t size() const { return region_.size(); }
  [[nodiscard]] const hdf5::Object& root() const { return tree_.root(); }
  /// The object at that path from the root; null if there is none.
  [[nodiscard]] const hdf5::Object* find(std::string_view path) const { return root().find(path); }

  /// Reads a dataset of this file, row-major and little-endian. Calls may come from several threads. Throws FileError
  /// if `to` has another size than `dataset.bytes`, or what the file holds is damaged.
  void read(const hdf5::Dataset& dataset, std::span<std::byte> to) const {
    if (to.size() != dataset.bytes)
      throw FileError(text("'", path(), "': a dataset ", dataset.shape, " of ", to_string(dataset.dtype), " has ",
                           dataset.bytes, " bytes, but ", to.size(), " were asked for"));
    if (dataset.storage == hdf5::Storage::compact) {
      std::copy(dataset.compact.begin(), dataset.compact.end(), to.begin());
    } else if (dataset.storage == hdf5::Storage::contiguous && dataset.address != hdf5::undefined_address) {
      region_.read(dataset.address, to);
    } else {
      fill(dataset, to);
      if (dataset.storage == hdf5::Storage::chunked && dataset.address != hdf5::undefined_address)
        hdf5::ChunkReader(region_, dataset, to).read();
    }
  }

  /// Reads a dataset; what is damaged is told with its path.
  void read(const hdf5::Object& object, std::span<std::byte> to) const {
    try {
      read(object.dataset(), to);
    } catch (const FileError& error) {
      throw FileError(text(error.what(), "; it belongs to ", object.path()));
    }
  }

  /// Reads a part of the numbers of a dataset that has a position. Throws FileError, also if the dataset ends before.
  void read_part(const hdf5::Dataset& dataset, std::uint64_t from, std::span<std::byte> to) const {
    if (position(dataset) == 0 || from > dataset.bytes || to.size() > dataset.bytes - from)
      throw FileError(text("'", path(), "': a dataset of ", dataset.bytes, " bytes has no ", to.size(),
                           " bytes in one piece at position ", from));
    region_.read(dataset.address + from, to);
  }

  /// Where the numbers of a contiguous dataset begin in the file on the disk; 0 for others.
  [[nodiscard]] std::uint64_t position(const hdf5::Dataset& dataset) const {
    const bool in_one_piece =
        dataset.storage == hdf5::Storage::contiguous && dataset.address != hdf5::undefined_address;
    return in_one_piece ? region_.position(dataset.address) : 0;
  }

 private:
  explicit Hdf5File(hdf5::Region region) : region_(std::move(region)), tree_(region_) {}

  /// What the elements are that nobody wrote.
  static void fill(const hdf5::Dataset& dataset, std::span<std::byte> to) {
    std::fill(to.begin(), to.end(), std::byte{0});
    if (dataset.fill.empty()) return;
    for (std::size_t at = 0; at < to.size(); at += dataset.fill.size())
      std::memcpy(&to[at], dataset.fill.data(), dataset.fill.size());
  }

  hdf5::Region region_;
  hdf5::Tree tree_;
};

}  // namespace mien::inline v0
