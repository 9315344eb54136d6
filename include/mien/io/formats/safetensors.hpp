#pragma once
// The safetensors format: 8 bytes of header length (little-endian), a JSON header, the tensors' bytes without holes.
// Layout and rules: https://huggingface.co/docs/safetensors

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <limits>
#include <map>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <mien/core/error.hpp>
#include <mien/core/shape.hpp>
#include <mien/io/formats/atomic_file.hpp>
#include <mien/io/formats/dtype.hpp>
#include <mien/io/formats/front.hpp>
#include <mien/io/formats/input_file.hpp>
#include <mien/io/formats/json.hpp>
#include <mien/io/formats/tensor_file.hpp>

namespace mien::inline v0 {

static_assert(std::endian::native == std::endian::little, "weight files are read and written as they lie in memory");

/// Free text that travels with the tensors of a file.
using FileMetadata = std::map<std::string, std::string>;

/// A safetensors file, open for reading. The constructor reads and checks the whole header; tensors are read when asked
/// for, straight into the caller's memory. Nothing is allocated on the word of the file: a header must be there to be
/// read, and at most 32 MiB long.
///
///     SafetensorsFile file("model.safetensors");
///     for (const StoredTensor& tensor : file.tensors()) ...
///     file.read("conv_1/kernel", std::as_writable_bytes(kernel.span()));
class SafetensorsFile final : public TensorFile {
 public:
  static constexpr std::uint64_t max_header = std::uint64_t{32} << 20U;

  /// Throws FileError on a file that is missing, truncated, or breaks a rule of the format.
  explicit SafetensorsFile(const std::filesystem::path& path) : file_(path) { read_header(); }

  [[nodiscard]] const std::string& path() const override { return file_.path(); }
  [[nodiscard]] std::string_view format() const override { return "safetensors"; }
  /// In the order of their bytes.
  [[nodiscard]] const std::vector<StoredTensor>& tensors() const override { return tensors_; }
  [[nodiscard]] const FileMetadata& metadata() const { return metadata_; }
  [[nodiscard]] const StoredTensor* find(std::string_view name) const override {
    const auto found = by_name_.find(name);
    return found == by_name_.end() ? nullptr : &tensors_[found->second];
  }

  void read(const StoredTensor& tensor, std::span<std::byte> to) const override {
    detail::require_size(*this, tensor, to);
    file_.read_at(tensor.offset, to);
  }
  void stream(const StoredTensor& tensor, const ByteSink& sink) const override {
    detail::stream_pieces(tensor.bytes, sink,
                          [&](std::size_t at, std::span<std::byte> part) { file_.read_at(tensor.offset + at, part); });
  }
  /// Reads the tensor of that name. Throws FileError if there is none or `to` has another size.
  void read(std::string_view name, std::span<std::byte> to) const {
    const StoredTensor* tensor = find(name);
    if (tensor == nullptr) fail("has no tensor '", name, "'");
    read(*tensor, to);
  }

 private:
  template <class... Parts>
  [[noreturn]] void fail(const Parts&... parts) const {
    throw FileError(text("'", path(), "': ", parts...));
  }

  void refuse_other_formats() const;
  void read_header();
  void add_metadata(const nlohmann::json& entries);
  void add_tensor(const std::string& name, const nlohmann::json& entry);
  [[nodiscard]] Shape shape_of(const std::string& name, const nlohmann::json& extents) const;
  void check_layout();

  InputFile file_;
  std::uint64_t data_ = 0;  ///< where the tensors' bytes begin
  std::vector<StoredTensor> tensors_;
  std::map<std::string, std::size_t, std::less<>> by_name_;
  FileMetadata metadata_;
};

/// Files that are taken for one are told by name.
inline void SafetensorsFile::refuse_other_formats() const {
  const std::string front = detail::front_of(file_, 8);
  const char* format = front.starts_with(detail::hdf5_magic)  ? "an HDF5 file (Keras's .h5)"
                       : front.starts_with(detail::zip_magic) ? "a zip archive (Keras's .keras, PyTorch, numpy)"
                                                              : nullptr;
  if (format != nullptr)
    fail("it is ", format, ", not safetensors: load_keras_model reads a whole model of Keras, load_weights weights");
}

inline void SafetensorsFile::read_header() {
  refuse_other_formats();
  std::uint64_t length = 0;
  file_.read_at(0, std::as_writable_bytes(std::span(&length, 1)));
  if (length > max_header)
    fail("it is not safetensors, or damaged: its header claims ", length, " bytes; more than ", max_header,
         " are not read");
  if (length > file_.size() - sizeof length)
    fail("its header claims ", length, " bytes, but the file has ", file_.size(), ": truncated, or not safetensors");
  std::string header(static_cast<std::size_t>(length), ' ');
  file_.read_at(sizeof length, std::as_writable_bytes(std::span(header)));
  data_ = sizeof length + length;

  const nlohmann::json root = parse_json(header, text("'", path(), "': the header"));
  if (!root.is_object()) fail("the header is not a JSON object");
  for (const auto& [name, entry] : root.items()) name == "__metadata__" ? add_metadata(entry) : add_tensor(name, entry);
  check_layout();
}

inline void SafetensorsFile::add_metadata(const nlohmann::json& entries) {
  if (!entries.is_object()) fail("__metadata__ is not a JSON object");
  for (const auto& [key, value] : entries.items()) {
    if (!value.is_string()) fail("the value of '", key, "' in __metadata__ is not a string");
    metadata_[key] = value.get<std::string>();
  }
}

inline void SafetensorsFile::add_tensor(const std::string& name, const nlohmann::json& entry) {
  const auto member = [&](const char* key) -> const nlohmann::json& {
    if (!entry.is_object() || !entry.contains(key)) fail("tensor '", name, "' has no '", key, "'");
    return entry[key];
  };
  const nlohmann::json &dtype = member("dtype"), &offsets = member("data_offsets");
  const auto type = dtype.is_string() ? dtype_named(dtype.get_ref<const std::string&>()) : std::nullopt;
  if (!type) fail("tensor '", name, "' has the unknown dtype ", dtype.dump().substr(0, 40));
  const Shape shape = shape_of(name, member("shape"));

  if (!offsets.is_array() || offsets.size() != 2 || !offsets[0].is_number_unsigned() ||
      !offsets[1].is_number_unsigned())
    fail("the data_offsets of tensor '", name, "' are not two whole numbers");
  const auto begin = offsets[0].get<std::uint64_t>(), end = offsets[1].get<std::uint64_t>();
  if (begin > end || end > file_.size() - data_)
    fail("tensor '", name, "' lies at ", begin, " to ", end, ", but the file has ", file_.size() - data_,
         " bytes after its header");
  const auto elements = static_cast<std::uint64_t>(shape.size());
  if ((end - begin) % size_of(*type) != 0 || (end - begin) / size_of(*type) != elements)
    fail("tensor '", name, "', ", to_string(*type), " ", shape, ", should have ", elements, " elements of ",
         size_of(*type), " bytes, but its data_offsets span ", end - begin, " bytes");
  tensors_.push_back({name, *type, shape, data_ + begin, static_cast<std::size_t>(end - begin), {}});
}

inline Shape SafetensorsFile::shape_of(const std::string& name, const nlohmann::json& extents) const {
  std::vector<std::int64_t> sizes;
  const bool listed = extents.is_array() && extents.size() <= Shape::max_rank;
  if (!listed) fail("the shape of tensor '", name, "' is not a list of at most ", Shape::max_rank, " extents");
  for (const nlohmann::json& extent : extents) {
    if (!extent.is_number_unsigned())
      fail("the shape of tensor '", name, "' has the extent ", extent.dump().substr(0, 40));
    const auto value = extent.get<std::uint64_t>();
    if (value > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max()))
      fail("the shape of tensor '", name, "' has the extent ", value);
    sizes.push_back(static_cast<std::int64_t>(value));
  }
  try {
    return Shape(sizes);
  } catch (const ShapeError& error) {
    fail("tensor '", name, "': ", error.what());
  }
}

/// The tensors fill the file from the header to the end: none overlaps another, no byte is left over.
inline void SafetensorsFile::check_layout() {
  std::sort(tensors_.begin(), tensors_.end(), [](const StoredTensor& a, const StoredTensor& b) {
    return a.offset != b.offset ? a.offset < b.offset : a.bytes < b.bytes;
  });
  std::uint64_t expected = data_;
  for (std::size_t i = 0; i < tensors_.size(); ++i) {
    const StoredTensor& tensor = tensors_[i];
    if (tensor.offset != expected)
      fail("tensor '", tensor.name, "' begins at byte ", tensor.offset, " where ", expected,
           " was expected: ", tensor.offset < expected ? "it overlaps another" : "there is a hole before it");
    expected += tensor.bytes;
    by_name_.emplace(tensor.name, i);
  }
  if (expected != file_.size()) fail(file_.size() - expected, " bytes at its end belong to no tensor");
}

namespace detail {

/// The header of a file with these tensors, padded to a multiple of 8 bytes.
[[nodiscard]] inline std::string safetensors_header(std::span<const NamedTensor> tensors,
                                                    const FileMetadata& metadata) {
  std::vector<std::string> entries;
  if (!metadata.empty()) {
    std::vector<std::string> pairs;
    for (const auto& [key, value] : metadata) pairs.push_back(text(json_string(key), ":", json_string(value)));
    entries.push_back(text("\"__metadata__\":{", join(pairs, ","), "}"));
  }
  std::set<std::string_view> names{"__metadata__"};
  std::size_t offset = 0;
  for (const NamedTensor& tensor : tensors) {
    if (!names.insert(tensor.name).second)
      throw OptionError(text("two tensors to be saved are named '", tensor.name, "' (or the name is reserved)"));
    if (tensor.bytes.size() != static_cast<std::size_t>(tensor.shape.size()) * size_of(tensor.dtype))
      throw OptionError(text("tensor '", tensor.name, "', ", to_string(tensor.dtype), " ", tensor.shape,
                             ", cannot be saved from ", tensor.bytes.size(), " bytes"));
    const std::size_t end = offset + tensor.bytes.size();
    entries.push_back(text(json_string(tensor.name), ":{\"dtype\":\"", to_string(tensor.dtype), "\",\"shape\":[",
                           join(tensor.shape, ","), "],\"data_offsets\":[", offset, ",", end, "]}"));
    offset = end;
  }
  std::string header = text("{", join(entries, ","), "}");
  header.resize((header.size() + 7) / 8 * 8, ' ');
  return header;
}

}  // namespace detail

/// Writes the tensors in the order given. The file of that name is replaced when all is on the disk, and left alone on
/// any failure. Equal tensors and metadata give equal files. Throws FileError, or OptionError on a name that stands
/// twice, is not UTF-8, or whose bytes do not fit its shape.
inline void write_safetensors(const std::filesystem::path& path, std::span<const NamedTensor> tensors,
                              const FileMetadata& metadata = {}) {
  const std::string header = detail::safetensors_header(tensors, metadata);
  if (header.size() > SafetensorsFile::max_header)
    throw OptionError(text("'", path.string(), "': a header of ", header.size(),
                           " bytes could not be read again; at most ", SafetensorsFile::max_header, " are allowed"));
  const std::uint64_t length = header.size();
  AtomicFile file(path);
  file.write(std::as_bytes(std::span(&length, 1)));
  file.write(header);
  for (const NamedTensor& tensor : tensors) file.write(tensor.bytes);
  file.commit();
}

}  // namespace mien::inline v0
