#pragma once
// The files of tests/references/keras_hdf5.py: where they are, what is in them, and what becomes of damaged ones.

#include <doctest/doctest.h>

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>
#include <vector>

#include <mien/io/formats/keras_hdf5.hpp>

#include <formats/temporary_folder.hpp>

namespace hdf5_files {

using namespace mien;

inline std::filesystem::path reference(const std::string& name) {
  return std::filesystem::path(MIEN_TEST_REFERENCES) / "keras_hdf5" / name;
}

/// Element i of the dataset at that path, as the script computes it.
inline double number(std::string_view path, std::size_t i, DType dtype) {
  std::size_t sum = 37 * i;
  for (const char c : path) sum += static_cast<unsigned char>(c);
  const double value = (static_cast<double>(sum % 256) - 128) / 16;
  const bool real = dtype == DType::f16 || dtype == DType::f32 || dtype == DType::f64;
  return real ? value : std::floor(value);
}

template <class X>
double element_as(const std::byte* at) {
  X x{};
  std::memcpy(&x, at, sizeof x);
  return static_cast<double>(x);
}

/// A normal half-precision number or zero.
inline double half(const std::byte* at) {
  std::uint16_t bits = 0;
  std::memcpy(&bits, at, sizeof bits);
  if ((bits & 0x7fffU) == 0) return 0;
  return std::ldexp((bits & 0x8000U) != 0 ? -1.0 - (bits & 1023U) / 1024.0 : 1.0 + (bits & 1023U) / 1024.0,
                    static_cast<int>(bits >> 10U & 31U) - 15);
}

inline double element(DType dtype, const std::byte* at) {
  switch (dtype) {
    case DType::f16:
      return half(at);
    case DType::f32:
      return element_as<float>(at);
    case DType::f64:
      return element_as<double>(at);
    case DType::i8:
      return element_as<std::int8_t>(at);
    case DType::i16:
      return element_as<std::int16_t>(at);
    case DType::i32:
      return element_as<std::int32_t>(at);
    case DType::i64:
      return element_as<std::int64_t>(at);
    // The script casts -1 to the largest unsigned number: read as signed, it is -1 again.
    case DType::u8:
      return element_as<std::int8_t>(at);
    case DType::u16:
      return element_as<std::int16_t>(at);
    case DType::u32:
      return element_as<std::int32_t>(at);
    case DType::u64:
      return element_as<std::int64_t>(at);
    default:
      return std::nan("");
  }
}

/// Whether a dataset holds the numbers that follow from its path.
inline bool holds_its_numbers(const Hdf5File& file, const hdf5::Object& object) {
  const hdf5::Dataset& dataset = object.dataset();
  std::vector<std::byte> bytes(dataset.bytes);
  file.read(dataset, bytes);
  const std::size_t size = size_of(dataset.dtype);
  for (std::size_t i = 0; i * size < bytes.size(); ++i)
    if (element(dataset.dtype, &bytes[i * size]) != number(object.path(), i, dataset.dtype)) return false;
  return true;
}

/// Reads all that a file holds, object by object: what one object refuses does not hide the others. Returns how many
/// objects refused.
inline int visit(const Hdf5File& file, const hdf5::Object& object) {
  int refused = 0;
  try {
    for (const hdf5::Attribute& attribute : object.attributes()) static_cast<void>(object.attribute(attribute.name));
    if (object.is_dataset() && object.dataset().bytes < (1U << 20U)) {
      std::vector<std::byte> bytes(object.dataset().bytes);
      file.read(object.dataset(), bytes);
    }
    for (const hdf5::Object* child : object.children()) refused += visit(file, *child);
  } catch (const FileError&) {
    ++refused;
  }
  return refused;
}

/// Opens a file as HDF5 and reads all of it. Returns whether anything was refused; anything but a FileError goes
/// through to the test.
inline bool refused_as_hdf5(const std::filesystem::path& path) {
  try {
    const Hdf5File file(path);
    return visit(file, file.root()) > 0;
  } catch (const FileError&) {
    return true;
  }
}

/// The same as a file of Keras.
inline bool refused_as_keras(const std::filesystem::path& path) {
  try {
    const KerasHdf5File file(path);
    for (const StoredTensor& tensor : file.tensors()) {
      if (tensor.bytes > (1U << 20U)) continue;
      std::vector<std::byte> bytes(tensor.bytes);
      file.read(tensor, bytes);
    }
    return false;
  } catch (const FileError&) {
    return true;
  }
}

/// The message that opening and reading a file of Keras ends with; "" if all is well.
inline std::string complaint(const std::filesystem::path& path) {
  try {
    const KerasHdf5File file(path);
    for (const StoredTensor& tensor : file.tensors()) {
      std::vector<std::byte> bytes(tensor.bytes);
      file.read(tensor, bytes);
    }
    return "";
  } catch (const FileError& error) {
    return error.what();
  }
}

/// A copy of a file whose bytes are changed in place and restored.
class Patched {
 public:
  Patched(const TemporaryFolder& folder, const std::filesystem::path& original)
      : path_(folder / "patched.h5"), bytes_(content(original)) {
    set_content(path_, bytes_);
    stream_.open(path_, std::ios::in | std::ios::out | std::ios::binary);
  }
  [[nodiscard]] const std::filesystem::path& path() const { return path_; }
  [[nodiscard]] const std::string& original() const { return bytes_; }
  void change(std::size_t at, std::string_view bytes) { write(at, bytes); }
  void restore(std::size_t at, std::size_t count) { write(at, std::string_view(bytes_).substr(at, count)); }

 private:
  void write(std::size_t at, std::string_view bytes) {
    stream_.seekp(static_cast<std::streamoff>(at));
    stream_.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
    stream_.flush();
  }

  std::filesystem::path path_;
  std::string bytes_;
  std::fstream stream_;
};

inline bool contains(const std::string& message, std::string_view part) {
  return message.find(part) != std::string::npos;
}

}  // namespace hdf5_files
