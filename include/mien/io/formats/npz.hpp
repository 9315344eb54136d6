#pragma once

#include <algorithm>
#include <cstddef>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <mien/core/error.hpp>
#include <mien/io/formats/crc32.hpp>
#include <mien/io/formats/npy.hpp>
#include <mien/io/formats/strided.hpp>
#include <mien/io/formats/tensor_file.hpp>
#include <mien/io/formats/zip.hpp>

namespace mien::inline v0 {

/// A .npz file of numpy.savez or savez_compressed, open for reading: a zip archive of arrays. Arrays of a compressed
/// one are inflated whole when they are read, which takes memory for the bytes of the array twice meanwhile.
class NpzFile final : public TensorFile {
 public:
  /// Throws FileError.
  explicit NpzFile(const std::filesystem::path& path) : NpzFile(ZipFile(path)) {}
  explicit NpzFile(ZipFile archive) : archive_(std::move(archive)) {
    for (const ZipMember& member : archive_.members()) add(member);
  }

  [[nodiscard]] const std::string& path() const override { return archive_.path(); }
  [[nodiscard]] std::string_view format() const override { return "npz"; }
  [[nodiscard]] const std::vector<StoredTensor>& tensors() const override { return tensors_; }
  void read(const StoredTensor& tensor, std::span<std::byte> to) const override {
    detail::require_size(*this, tensor, to);
    const auto& [member, header] = array_of(tensor);
    std::vector<std::byte> whole(static_cast<std::size_t>(member->size));
    archive_.read(*member, whole);
    const auto numbers = std::span<const std::byte>(whole).subspan(header.bytes);
    if (header.fortran_order)
      detail::gather(numbers, size_of(tensor.dtype), tensor.shape, detail::column_major(tensor.shape), to);
    else
      std::copy(numbers.begin(), numbers.end(), to.begin());
  }
  void stream(const StoredTensor& tensor, const ByteSink& sink) const override {
    const auto& [member, header] = array_of(tensor);
    if (header.fortran_order || member->deflated) return TensorFile::stream(tensor, sink);
    std::vector<std::byte> front(header.bytes);
    archive_.read_part(*member, 0, front);
    std::uint32_t crc = detail::crc32(front);
    detail::stream_pieces(tensor.bytes, sink,
                          [&, m = member, skip = header.bytes](std::size_t at, std::span<std::byte> part) {
                            archive_.read_part(*m, skip + at, part);
                            crc = detail::crc32(part, crc);
                          });
    if (crc != member->crc) fail(*member, "it is damaged: its checksum differs");
  }

 private:
  struct Array {
    const ZipMember* member;
    detail::NpyHeader header;
  };

  [[noreturn]] void fail(const ZipMember& member, std::string_view why) const {
    throw FileError(text("'", path(), "': the array '", member.name.substr(0, 200), "': ", why));
  }
  void add(const ZipMember& member) {
    std::string name = member.name;
    if (!name.ends_with(".npy")) fail(member, "it is not an array of numpy's (.npy)");
    name.resize(name.size() - 4);
    try {
      const auto front = archive_.read_front(member, detail::max_npy_header + 512);
      arrays_.push_back({&member, detail::read_npy_header(front, member.size)});
    } catch (const FileError& error) {
      fail(member, error.what());
    }
    const detail::NpyHeader& header = arrays_.back().header;
    tensors_.push_back({.name = std::move(name),
                        .dtype = header.dtype,
                        .shape = header.shape,
                        .bytes = static_cast<std::size_t>(header.shape.size()) * size_of(header.dtype)});
  }
  /// `tensor` is an element of tensors_, or a copy of one.
  [[nodiscard]] const Array& array_of(const StoredTensor& tensor) const {
    for (std::size_t i = 0; i < tensors_.size(); ++i)
      if (tensors_[i].name == tensor.name) return arrays_[i];
    throw FileError(text("'", path(), "' has no tensor '", tensor.name, "'"));
  }

  ZipFile archive_;
  std::vector<Array> arrays_;  ///< of each tensor
  std::vector<StoredTensor> tensors_;
};

}  // namespace mien::inline v0
