#pragma once
// numpy's arrays: .npy files, and .npz archives of them. Layout: numpy.lib.format.

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include <mien/core/error.hpp>
#include <mien/core/shape.hpp>
#include <mien/io/formats/byte_reader.hpp>
#include <mien/io/formats/dtype.hpp>
#include <mien/io/formats/input_file.hpp>
#include <mien/io/formats/strided.hpp>
#include <mien/io/formats/tensor_file.hpp>

namespace mien::inline v0 {

namespace detail {

/// What stands before the numbers of an array.
struct NpyHeader {
  DType dtype = DType::f32;
  Shape shape;
  bool fortran_order = false;
  std::size_t bytes = 0;  ///< of the header: the numbers begin there
};

inline constexpr std::string_view npy_magic = "\x93NUMPY";
/// numpy itself reads no longer one of a file that it does not trust.
inline constexpr std::size_t max_npy_header = 10000;

/// The type that numpy calls so. Throws FileError on those that weights are not made of.
[[nodiscard]] inline DType npy_dtype(std::string_view descr) {
  constexpr std::pair<std::string_view, DType> known[] = {
      {"f2", DType::f16}, {"f4", DType::f32}, {"f8", DType::f64}, {"i1", DType::i8},
      {"i2", DType::i16}, {"i4", DType::i32}, {"i8", DType::i64}, {"u1", DType::u8},
      {"u2", DType::u16}, {"u4", DType::u32}, {"u8", DType::u64}, {"b1", DType::boolean}};
  if (descr.starts_with('>'))
    throw FileError(
        text("its numbers are big-endian ('", descr, "'); save array.astype(array.dtype.newbyteorder('<'))"));
  if (descr.find('O') != std::string_view::npos)
    throw FileError("it holds Python objects, which only Python can read; save numbers");
  if (!descr.empty() && std::string_view("<|=").find(descr[0]) != std::string_view::npos)
    for (const auto& [name, type] : known)
      if (descr.substr(1) == name) return type;
  throw FileError(text("its elements are of numpy's type '", descr.substr(0, 40),
                       "'; f2, f4, f8, whole numbers and bool are read"));
}

/// Reads the Python dictionary of a header: {'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }
class NpyHeaderParser {
 public:
  explicit NpyHeaderParser(std::string_view dictionary) : rest_(dictionary) {}

  [[nodiscard]] NpyHeader parse() {
    std::optional<DType> dtype;
    std::optional<Shape> shape;
    std::optional<bool> fortran;
    expect('{');
    while (!accept('}')) {
      const std::string_view key = quoted();
      expect(':');
      if (key == "descr" && !dtype) {
        dtype = npy_dtype(quoted());
      } else if (key == "fortran_order" && !fortran) {
        fortran = boolean();
      } else if (key == "shape" && !shape) {
        shape = tuple();
      } else {
        throw FileError(text("the key '", key.substr(0, 40), "' of its header is unknown or stands twice"));
      }
      if (!accept(',')) {
        expect('}');
        break;
      }
    }
    skip_blanks();
    if (!rest_.empty() || !dtype || !shape || !fortran) fail();
    return {.dtype = *dtype, .shape = *shape, .fortran_order = *fortran};
  }

 private:
  [[noreturn]] static void fail() {
    throw FileError("its header is not the dictionary of descr, fortran_order, shape");
  }
  void skip_blanks() { rest_.remove_prefix(std::min(rest_.find_first_not_of(" \n\t"), rest_.size())); }
  [[nodiscard]] bool accept(char c) {
    skip_blanks();
    if (!rest_.starts_with(c)) return false;
    rest_.remove_prefix(1);
    return true;
  }
  void expect(char c) {
    if (!accept(c)) fail();
  }
  [[nodiscard]] std::string_view quoted() {
    const char quote = accept('\'') ? '\'' : '"';
    if (quote == '"') expect('"');
    const std::size_t end = rest_.find(quote);
    if (end == std::string_view::npos) fail();
    const std::string_view value = rest_.substr(0, end);
    rest_.remove_prefix(end + 1);
    return value;
  }
  [[nodiscard]] bool boolean() {
    skip_blanks();
    const bool value = rest_.starts_with("True");
    if (!value && !rest_.starts_with("False")) fail();
    rest_.remove_prefix(value ? 4 : 5);
    return value;
  }
  [[nodiscard]] Shape tuple() {
    std::vector<std::int64_t> extents;
    expect('(');
    while (!accept(')')) {
      skip_blanks();
      std::int64_t extent = 0;
      const auto [end, error] = std::from_chars(rest_.data(), rest_.data() + rest_.size(), extent);
      if (error != std::errc()) fail();
      rest_.remove_prefix(static_cast<std::size_t>(end - rest_.data()));
      static_cast<void>(accept('L'));  // numpy under Python 2
      extents.push_back(extent);
      if (!accept(',')) {
        expect(')');
        break;
      }
    }
    return Shape(extents);
  }

  std::string_view rest_;
};

/// The header at the front of an array of `total` bytes. Throws FileError on one that is none, and where the shape does
/// not make up the total.
[[nodiscard]] inline NpyHeader read_npy_header(std::span<const std::byte> front, std::uint64_t total) {
  ByteReader reader(front);
  if (reader.take_text(npy_magic.size()) != npy_magic) throw FileError("it does not begin as numpy's arrays do");
  const auto major = reader.take<std::uint8_t>();
  static_cast<void>(reader.take<std::uint8_t>());
  if (major < 1 || major > 3) throw FileError(text("its version ", int{major}, " is unknown; 1, 2 and 3 are read"));
  const std::size_t length = major == 1 ? reader.take<std::uint16_t>() : reader.take<std::uint32_t>();
  if (length > max_npy_header) throw FileError(text("its header claims ", length, " bytes; 10000 are the most"));
  NpyHeader header;
  try {
    header = NpyHeaderParser(reader.take_text(length)).parse();
  } catch (const ShapeError& error) {
    throw FileError(error.what());
  }
  header.bytes = front.size() - reader.left();
  const std::uint64_t data = total - header.bytes, size = size_of(header.dtype);
  if (data % size != 0 || data / size != static_cast<std::uint64_t>(header.shape.size()))
    throw FileError(text("it has ", data, " bytes of numbers, but ", header.shape, " of ", to_string(header.dtype),
                         " should have ", header.shape.size(), " times ", size));
  return header;
}

}  // namespace detail

/// A .npy file, open for reading: one array, under the name of the file without its ending. Column-major ("Fortran")
/// arrays are read into row-major order.
class NpyFile final : public TensorFile {
 public:
  /// Throws FileError.
  explicit NpyFile(const std::filesystem::path& path) : file_(path) {
    std::vector<std::byte> front(
        static_cast<std::size_t>(std::min<std::uint64_t>(file_.size(), detail::max_npy_header + 12)));
    file_.read_at(0, front);
    try {
      header_ = detail::read_npy_header(front, file_.size());
    } catch (const FileError& error) {
      throw FileError(text("'", this->path(), "' is no numpy array that can be read: ", error.what()));
    }
    tensors_.push_back({.name = path.stem().string(),
                        .dtype = header_.dtype,
                        .shape = header_.shape,
                        .offset = header_.bytes,
                        .bytes = static_cast<std::size_t>(header_.shape.size()) * size_of(header_.dtype)});
  }

  [[nodiscard]] const std::string& path() const override { return file_.path(); }
  [[nodiscard]] std::string_view format() const override { return "npy"; }
  [[nodiscard]] const std::vector<StoredTensor>& tensors() const override { return tensors_; }
  void read(const StoredTensor& tensor, std::span<std::byte> to) const override {
    detail::require_size(*this, tensor, to);
    if (!header_.fortran_order) return file_.read_at(header_.bytes, to);
    std::vector<std::byte> columns(to.size());
    file_.read_at(header_.bytes, columns);
    detail::gather(columns, size_of(tensor.dtype), tensor.shape, detail::column_major(tensor.shape), to);
  }
  void stream(const StoredTensor& tensor, const ByteSink& sink) const override {
    if (header_.fortran_order) return TensorFile::stream(tensor, sink);
    detail::stream_pieces(tensor.bytes, sink,
                          [&](std::size_t at, std::span<std::byte> part) { file_.read_at(header_.bytes + at, part); });
  }

 private:
  InputFile file_;
  detail::NpyHeader header_;
  std::vector<StoredTensor> tensors_;
};

}  // namespace mien::inline v0
