#include <doctest/doctest.h>

#include <cstdint>
#include <string>
#include <vector>

#include <mien/core/random.hpp>
#include <mien/io/formats/npz.hpp>

#include <formats/numbers.hpp>
#include <formats/temporary_folder.hpp>

using namespace mien;

namespace {

const std::string weights = MIEN_TEST_REFERENCES "/weights/";

/// A .npy file with that dictionary and so many bytes of numbers.
std::string npy_with(const std::string& dictionary, std::size_t bytes) {
  std::string header = "\x93NUMPY";
  header += {1, 0, static_cast<char>(dictionary.size() % 256), static_cast<char>(dictionary.size() / 256)};
  return header + dictionary + std::string(bytes, '\1');
}

std::string complaint_of_npy(const TemporaryFolder& folder, const std::string& bytes) {
  set_content(folder / "array.npy", bytes);
  try {
    const NpyFile file(folder / "array.npy");
    for (const StoredTensor& tensor : file.tensors()) static_cast<void>(numbers_of(file, tensor.name));
    return "";
  } catch (const FileError& error) {
    return error.what();
  }
}

std::string complaint_of_npz(const std::filesystem::path& path) {
  try {
    const NpzFile file(path);
    for (const StoredTensor& tensor : file.tensors()) static_cast<void>(numbers_of(file, tensor.name));
    return "";
  } catch (const FileError& error) {
    return error.what();
  }
}

}  // namespace

TEST_CASE("arrays of numpy come back, row-major and column-major") {
  const NpyFile rows(weights + "rows.npy"), columns(weights + "columns.npy");
  CHECK(rows.tensors()[0].name == "rows");
  CHECK(rows.tensors()[0].shape == Shape{3, 3, 2, 4});
  CHECK(numbers_of(rows, "rows") == halves(72));
  CHECK(columns.tensors()[0].shape == Shape{2, 3, 4});
  CHECK(numbers_of(columns, "columns") == halves(24));
  CHECK(streams_as_it_reads(rows, rows.tensors()[0]));
  CHECK(streams_as_it_reads(columns, columns.tensors()[0]));
}

TEST_CASE("archives of arrays come back, stored and deflated") {
  for (const char* name : {"stored.npz", "deflated.npz"}) {
    INFO(name);
    const NpzFile file(weights + name);
    CHECK(file.find("half")->dtype == DType::f16);
    CHECK(numbers_of(file, "half") == halves(6));
    CHECK(file.find("layer/kernel")->shape == Shape{3, 3, 2, 4});
    CHECK(numbers_of(file, "layer/kernel") == halves(72));
    CHECK(file.find("double")->dtype == DType::f64);
    CHECK(numbers_of(file, "double") == halves(5));
    CHECK(numbers_of(file, "columns") == halves(24));
    CHECK(file.find("scalar")->shape == Shape{});
    CHECK(numbers_of(file, "scalar") == halves(1));
    CHECK(numbers_of(file, "nothing").empty());
    CHECK(numbers_of(file, "long") == std::vector<double>{0, 1, 2, 3});
    CHECK(numbers_of(file, "byte") == std::vector<double>{0, 1, 2, 3, 4, 5});
    CHECK(numbers_of(file, "truth") == std::vector<double>{0, 1, 0});
    for (const StoredTensor& tensor : file.tensors()) CHECK(streams_as_it_reads(file, tensor));
  }
  CHECK(numbers_of(NpzFile(weights + "deflated.npz"), "zeros") == std::vector<double>(9000));
}

TEST_CASE("arrays that are not numbers of this machine are refused with what to do") {
  CHECK_THROWS_WITH_AS(NpyFile(weights + "big_endian.npy"), doctest::Contains("big-endian ('>f4')"), FileError);
  CHECK_THROWS_WITH_AS(NpyFile(weights + "objects.npy"), doctest::Contains("Python objects"), FileError);
  CHECK_THROWS_WITH_AS(NpzFile(weights + "members.zip"), doctest::Contains("'stored/text': it is not an array"),
                       FileError);
}

TEST_CASE("headers of arrays that lie are refused") {
  const TemporaryFolder folder;
  CHECK(complaint_of_npy(folder, npy_with("{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }", 8)).empty());
  CHECK(complaint_of_npy(folder, npy_with("{\"shape\":(1L,),'fortran_order':True,'descr':'|i1'}\n", 1)).empty());
  const auto refused = [&](const char* dictionary, std::size_t bytes, const char* why) {
    INFO(dictionary);
    const std::string message = complaint_of_npy(folder, npy_with(dictionary, bytes));
    CHECK(message.find(why) != std::string::npos);
  };
  refused("{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }", 7, "7 bytes of numbers");
  refused("{'descr': '<f4', 'fortran_order': False, 'shape': (1152921504606846976,), }", 8, "8 bytes of numbers");
  refused("{'descr': '<f4', 'fortran_order': False, 'shape': (4294967296, 4294967296), }", 8, "does not fit 63 bits");
  refused("{'descr': '<f4', 'fortran_order': False, 'shape': (-2, -1), }", 8, "no negative extents");
  refused("{'descr': '<f4', 'fortran_order': False, 'shape': (1,1,1,1,1,1,2), }", 8, "at most 6 extents");
  refused("{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999999999999,), }", 8, "its header");
  refused("{'descr': '<f4', 'shape': (2,), }", 8, "its header");
  refused("{'descr': '<f4', 'descr': '<f4', 'shape': (2,), }", 8, "'descr' of its header is unknown or stands twice");
  refused("{'descr': '<f4', 'fortran_order': False, 'shape': (2,), } x", 8, "its header");
  refused("{'descr': '<c8', 'fortran_order': False, 'shape': (1,), }", 8, "type '<c8'");
  refused("{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (1,), }", 8, "its header");
  refused("", 8, "its header");
  refused("{'descr': '<f4', 'fortran_order': None, 'shape': (2,), }", 8, "its header");
}

TEST_CASE("arrays and archives of arrays cut anywhere, or with a byte changed, are refused or as they were") {
  const TemporaryFolder folder;
  for (const char* name : {"rows.npy", "columns.npy"}) {
    const std::string whole = content(weights + name);
    for (std::size_t size = 0; size < whole.size(); ++size)
      CHECK_FALSE(complaint_of_npy(folder, whole.substr(0, size)).empty());
  }
  for (const char* name : {"stored.npz", "deflated.npz"}) {
    const std::string whole = content(weights + name);
    for (std::size_t i = 0; i < 200; ++i) {
      set_content(folder / "cut", whole.substr(0, whole.size() * i / 200));
      CHECK_FALSE(complaint_of_npz(folder / "cut").empty());
    }
    for (std::uint64_t i = 0; i < 1000; ++i) {
      std::string bytes = whole;
      Random random(RandomKey{.seed = 8, .step = i});
      char& byte = bytes[random.below(static_cast<std::uint32_t>(bytes.size()))];
      byte = static_cast<char>(byte ^ (1 << random.below(8)));
      set_content(folder / "changed", bytes);
      if (!complaint_of_npz(folder / "changed").empty()) continue;
      const NpzFile changed(folder / "changed");
      for (const StoredTensor& tensor : changed.tensors())
        if (tensor.shape.rank() == 4) CHECK(numbers_of(changed, tensor.name) == halves(72));
    }
  }
}
