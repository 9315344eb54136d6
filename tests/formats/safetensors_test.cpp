#include <doctest/doctest.h>

#include <bit>
#include <cstdint>
#include <numeric>
#include <string>
#include <vector>

#include <mien/core/random.hpp>
#include <mien/core/tensor.hpp>
#include <mien/io/formats/safetensors.hpp>

#include <formats/temporary_folder.hpp>

using namespace mien;

namespace {

/// A file with that header, its length in front, and so many bytes of data after it.
std::string file_with(const std::string& header, std::size_t data) {
  const auto length = std::bit_cast<std::array<char, 8>>(std::uint64_t{header.size()});
  return std::string(length.data(), length.size()) + header + std::string(data, '\1');
}

/// What opening a file of these bytes complains about; "" if it does not.
std::string complaint(const TemporaryFolder& folder, const std::string& bytes) {
  set_content(folder / "file", bytes);
  try {
    const SafetensorsFile file(folder / "file");
    return "";
  } catch (const FileError& error) {
    return error.what();
  }
}

/// The same for one tensor's entry in front of 8 bytes of data.
std::string entry_complaint(const TemporaryFolder& folder, const std::string& entry) {
  return complaint(folder, file_with(R"({"t":)" + entry + "}", 8));
}

bool contains(const std::string& message, const char* part) { return message.find(part) != std::string::npos; }

/// A small file as the library writes it.
std::string sample(const TemporaryFolder& folder) {
  const std::vector<float> kernel{1, 2, 3, 4, 5, 6};
  const std::vector<std::int64_t> step{42};
  const std::vector<NamedTensor> tensors{{"kernel", DType::f32, {2, 3}, std::as_bytes(std::span(kernel))},
                                         {"empty", DType::f64, {0, 7}, {}},
                                         {"step", DType::i64, {}, std::as_bytes(std::span(step))}};
  write_safetensors(folder / "sample", tensors, {{"classes", "[\"angry\",\"f\u00e2ch\u00e9\"]"}, {"a\"b", "\n"}});
  return content(folder / "sample");
}

}  // namespace

TEST_CASE("tensors and metadata come back as they were written") {
  const TemporaryFolder folder;
  sample(folder);
  const SafetensorsFile file(folder / "sample");
  CHECK(file.metadata() == FileMetadata{{"classes", "[\"angry\",\"f\u00e2ch\u00e9\"]"}, {"a\"b", "\n"}});
  REQUIRE(file.tensors().size() == 3);
  CHECK(file.tensors()[0].name == "kernel");
  CHECK(file.find("nothing") == nullptr);
  CHECK(file.find("step")->shape == Shape{});
  CHECK(file.find("empty")->shape == Shape{0, 7});
  CHECK(file.find("empty")->dtype == DType::f64);

  Tensor<float> kernel(file.find("kernel")->shape);
  file.read("kernel", std::as_writable_bytes(kernel.span()));
  CHECK(kernel(0, 0) == 1);
  CHECK(kernel(1, 2) == 6);
  std::int64_t step = 0;
  file.read("step", std::as_writable_bytes(std::span(&step, 1)));
  CHECK(step == 42);
  CHECK_THROWS_AS(file.read("step", std::as_writable_bytes(kernel.span())), FileError);
  CHECK_THROWS_AS(file.read("nothing", {}), FileError);
}

TEST_CASE("the layout is that of the format, byte for byte") {
  const TemporaryFolder folder;
  const std::vector<std::uint8_t> pixels{7, 8, 9};
  const std::vector<NamedTensor> tensors{{"p", DType::u8, {3}, std::as_bytes(std::span(pixels))}};
  write_safetensors(folder / "a", tensors, {{"k", "v"}});
  const std::string header = R"({"__metadata__":{"k":"v"},"p":{"dtype":"U8","shape":[3],"data_offsets":[0,3]}})";
  std::string expected = file_with(header + std::string((8 - header.size() % 8) % 8, ' '), 0);
  CHECK(content(folder / "a") == expected + "\7\10\11");
}

TEST_CASE("a file cut short or made longer anywhere is refused") {
  const TemporaryFolder folder;
  const std::string whole = sample(folder);
  for (std::size_t length = 0; length < whole.size(); ++length)
    REQUIRE(contains(complaint(folder, whole.substr(0, length)), "'"));
  CHECK(contains(complaint(folder, whole + "x"), "belong to no tensor"));
  CHECK(complaint(folder, whole).empty());
}

TEST_CASE("absurd header lengths are refused before memory is asked for") {
  const TemporaryFolder folder;
  const std::string rest(100, ' ');
  CHECK(contains(complaint(folder, std::string(8, '\xff') + rest), "claims 18446744073709551615 bytes"));
  CHECK(contains(complaint(folder, std::string("\0\0\0\0\0\0\0\x80", 8) + rest), "claims 9223372036854775808 bytes"));
  CHECK(contains(complaint(folder, std::string("\x65\0\0\0\0\0\0\0", 8) + rest), "truncated"));
  CHECK(contains(complaint(folder, std::string(8, '\0')), "not valid JSON"));
}

TEST_CASE("a file of another format is told by name, and what reads it") {
  const TemporaryFolder folder;
  const std::string rest(100, ' ');
  const std::string hdf5 = complaint(folder, "\x89HDF\r\n\x1a\n" + rest), zip = complaint(folder, "PK\3\4....." + rest);
  CHECK(contains(hdf5, "HDF5 file (Keras's .h5)"));
  CHECK(contains(hdf5, "load_keras_model"));
  CHECK(contains(zip, "zip archive (Keras's .keras"));
  CHECK(contains(complaint(folder, "no weights at all"), "not safetensors, or damaged"));
}

TEST_CASE("what is wrong with a header is said") {
  const TemporaryFolder folder;
  const auto header = [&](const std::string& text) { return complaint(folder, file_with(text, 0)); };
  CHECK(contains(header("{]"), "not valid JSON at byte 2"));
  CHECK(contains(header("{\"a\xff\":1}"), "not valid JSON at byte 4"));
  CHECK(contains(header("[]"), "not a JSON object"));
  CHECK(contains(header(R"({"a":1e999})"), "not usable"));
  CHECK(contains(header(std::string(1000000, '[')), "nested deeper than 64"));
  std::string many = "[0";  // small when it is deflated, which a member of a .keras file may be
  for (int i = 0; i < (1 << 21); ++i) many += ",{}";
  CHECK(contains(header(many + "]"), "more than 2097152 values"));
  CHECK(contains(header(R"({"__metadata__":[]})"), "not a JSON object"));
  CHECK(contains(header(R"({"__metadata__":{"a":1}})"), "'a' in __metadata__ is not a string"));
  CHECK(contains(header(R"({"a":7})"), "has no 'dtype'"));
  const std::string empty = R"({"dtype":"F32","shape":[0],"data_offsets":[0,0]})";
  CHECK(contains(header(R"({"a":)" + empty + R"(,"a":)" + empty + "}"), "\"a\" stands twice"));
  CHECK(header(R"({"a":)" + empty + R"(,"b":)" + empty + "}  ").empty());
}

TEST_CASE("what is wrong with a tensor is said") {
  const TemporaryFolder folder;
  const auto entry = [&](const char* text) { return entry_complaint(folder, text); };
  CHECK(entry(R"({"dtype":"F32","shape":[2],"data_offsets":[0,8]})").empty());
  CHECK(contains(entry(R"({"shape":[2],"data_offsets":[0,8]})"), "has no 'dtype'"));
  CHECK(contains(entry(R"({"dtype":"F32","data_offsets":[0,8]})"), "has no 'shape'"));
  CHECK(contains(entry(R"({"dtype":"F32","shape":[2]})"), "has no 'data_offsets'"));
  CHECK(contains(entry(R"({"dtype":"F33","shape":[2],"data_offsets":[0,8]})"), "unknown dtype \"F33\""));
  CHECK(contains(entry(R"({"dtype":32,"shape":[2],"data_offsets":[0,8]})"), "unknown dtype 32"));
  CHECK(contains(entry(R"({"dtype":"F32","shape":2,"data_offsets":[0,8]})"), "not a list"));
  CHECK(contains(entry(R"({"dtype":"F32","shape":[1,1,1,1,1,1,2],"data_offsets":[0,8]})"), "at most 6 extents"));
  CHECK(contains(entry(R"({"dtype":"F32","shape":[-2],"data_offsets":[0,8]})"), "the extent -2"));
  CHECK(contains(entry(R"({"dtype":"F32","shape":[2.0],"data_offsets":[0,8]})"), "the extent 2.0"));
  CHECK(contains(entry(R"({"dtype":"F32","shape":[18446744073709551614],"data_offsets":[0,8]})"), "the extent"));
  CHECK(contains(entry(R"({"dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,8]})"), "63 bits"));
  CHECK(contains(entry(R"({"dtype":"F32","shape":[4611686018427387906],"data_offsets":[0,8]})"), "should have"));
  CHECK(contains(entry(R"({"dtype":"F32","shape":[3],"data_offsets":[0,8]})"), "should have 3 elements"));
  CHECK(contains(entry(R"({"dtype":"F64","shape":[2],"data_offsets":[0,8]})"), "should have 2 elements of 8 bytes"));
  CHECK(contains(entry(R"({"dtype":"F32","shape":[2],"data_offsets":[0]})"), "not two whole numbers"));
  CHECK(contains(entry(R"({"dtype":"F32","shape":[2],"data_offsets":[-8,0]})"), "not two whole numbers"));
  CHECK(contains(entry(R"({"dtype":"F32","shape":[2],"data_offsets":[8,0]})"), "lies at 8 to 0"));
  CHECK(contains(entry(R"({"dtype":"F32","shape":[2],"data_offsets":[4,12]})"), "lies at 4 to 12"));
  CHECK(contains(entry(R"({"dtype":"F32","shape":[1],"data_offsets":[4,8]})"), "hole"));
  CHECK(contains(entry(R"({"dtype":"F32","shape":[1],"data_offsets":[0,4]})"), "4 bytes at its end"));
  CHECK(contains(entry(R"({"dtype":"F32","shape":[2],"data_offsets":[0,8]},
                         "u":{"dtype":"F32","shape":[1],"data_offsets":[4,8]})"),
                 "overlaps"));
}

TEST_CASE("random damage is never anything but a FileError") {
  const TemporaryFolder folder;
  const std::string whole = sample(folder);
  int refused = 0;
  for (std::uint32_t round = 0; round < 3000; ++round) {
    Random random(RandomKey{.seed = 11, .step = round});
    std::string damaged = whole;
    for (std::uint32_t changes = 1 + random.below(4); changes > 0; --changes) {
      const std::size_t at = random.below(static_cast<std::uint32_t>(damaged.size()));
      const std::uint32_t kind = random.below(4);
      if (kind == 0) damaged[at] = static_cast<char>(random.below(256));
      if (kind == 1) damaged[at] = "0123456789{}[]\",:"[random.below(17)];
      if (kind == 2) damaged.erase(at, 1 + random.below(8));
      if (kind == 3) damaged.insert(at, damaged, random.below(static_cast<std::uint32_t>(at + 1)), random.below(16));
      if (damaged.empty()) damaged = "x";
    }
    set_content(folder / "file", damaged);
    try {
      const SafetensorsFile file(folder / "file");
      std::vector<std::byte> bytes;
      for (const StoredTensor& tensor : file.tensors()) {
        bytes.resize(tensor.bytes);
        file.read(tensor.name, bytes);
      }
    } catch (const FileError&) {
      ++refused;
    }
  }
  CHECK(refused > 2000);
}

TEST_CASE("a wrong request leaves the old file") {
  const TemporaryFolder folder;
  const std::string before = sample(folder);
  const std::vector<float> values(2);
  const auto bytes = std::as_bytes(std::span(values));
  const auto save = [&](std::vector<NamedTensor> tensors, const FileMetadata& metadata = {}) {
    write_safetensors(folder / "sample", tensors, metadata);
  };
  CHECK_THROWS_AS(save({{"a", DType::f32, {3}, bytes}}), OptionError);
  CHECK_THROWS_AS(save({{"a", DType::f32, {2}, bytes}, {"a", DType::f32, {2}, bytes}}), OptionError);
  CHECK_THROWS_AS(save({{"__metadata__", DType::f32, {2}, bytes}}), OptionError);
  CHECK_THROWS_AS(save({{"\xff", DType::f32, {2}, bytes}}), OptionError);
  CHECK_THROWS_AS(save({}, {{"a", "\xff"}}), OptionError);
  CHECK(content(folder / "sample") == before);
  CHECK(folder.files() == 1);
}

TEST_CASE("what is not a file is refused") {
  const TemporaryFolder folder;
  CHECK_THROWS_AS(SafetensorsFile(folder / "missing"), FileError);
  CHECK_THROWS_AS(SafetensorsFile(folder / "."), FileError);
}
