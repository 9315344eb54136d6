#include <formats/hdf5_files.hpp>

#include <numeric>

#include <mien/io/formats/hdf5/writer.hpp>

using namespace mien;

namespace hdf5_files {

/// Bytes 0, 1, 2, ... that live long enough.
inline std::span<const std::byte> counted_bytes(std::size_t count) {
  static const std::vector<std::byte> bytes = [] {
    std::vector<std::byte> all(4096);
    for (std::size_t i = 0; i < all.size(); ++i) all[i] = static_cast<std::byte>(i % 251);
    return all;
  }();
  return std::span(bytes).first(count);
}

inline std::vector<std::byte> read_at(const Hdf5File& file, std::string_view path) {
  std::vector<std::byte> bytes(file.find(path)->dataset().bytes);
  file.read(file.find(path)->dataset(), bytes);
  return bytes;
}

}  // namespace hdf5_files

TEST_CASE("HDF5 writer: groups, datasets of every type and attributes come back") {
  using hdf5_files::counted_bytes;
  const TemporaryFolder folder;
  hdf5::NewGroup root;
  constexpr DType types[] = {DType::f16, DType::f32, DType::f64, DType::i8,  DType::i16, DType::i32,
                             DType::i64, DType::u8,  DType::u16, DType::u32, DType::u64};
  for (const DType type : types)
    root.add(text("numbers/", to_string(type)), type, {3, 1}, counted_bytes(3 * size_of(type)));
  root.add("scalar", DType::f32, {}, counted_bytes(4));
  root.add("empty", DType::f32, {0, 5}, {});
  root.set_text("config", std::string(100000, 'x') + "caf\u00e9");
  root.set_text("nothing", "");
  root.group("numbers").set_text("backend", "tensorflow");
  root.group("numbers").set_names("names", {"a", "longer/name:0", ""});
  root.group("numbers").set_names("no_names", {});
  root.group("a/b/c");
  write_hdf5(folder / "file.h5", root);

  const Hdf5File file(folder / "file.h5");
  for (const DType type : types) {
    const std::string path = text("/numbers/", to_string(type));
    CAPTURE(path);
    CHECK(file.find(path)->dataset().dtype == type);
    CHECK(file.find(path)->dataset().shape == Shape{3, 1});
    const auto bytes = hdf5_files::read_at(file, path);
    CHECK(std::equal(bytes.begin(), bytes.end(), counted_bytes(bytes.size()).begin()));
  }
  CHECK(file.find("scalar")->dataset().shape == Shape{});
  CHECK(file.find("empty")->dataset().shape == Shape{0, 5});
  CHECK(hdf5_files::read_at(file, "empty").empty());
  CHECK(file.root().string_attribute("config") == std::string(100000, 'x') + "caf\u00e9");
  CHECK(file.root().string_attribute("nothing") == "");
  CHECK(file.find("numbers")->string_attribute("backend") == "tensorflow");
  CHECK(file.find("numbers")->attribute("names")->strings == std::vector<std::string>{"a", "longer/name:0", ""});
  CHECK(file.find("numbers")->attribute("no_names")->shape == Shape{0});
  CHECK(file.find("a/b/c")->children().empty());
}

TEST_CASE("HDF5 writer: groups of any size") {
  const TemporaryFolder folder;
  for (const int count : {0, 1, 8, 9, 256, 257, 9000}) {  // one table, two, one node, two, three levels
    CAPTURE(count);
    hdf5::NewGroup root;
    for (int i = 0; i < count; ++i) root.add(text("d", i), DType::u8, {1}, hdf5_files::counted_bytes(1));
    write_hdf5(folder / "file.h5", root);
    const Hdf5File file(folder / "file.h5");
    CHECK(file.root().children().size() == static_cast<std::size_t>(count));
    CHECK((count == 0 || file.find(text("d", count - 1)) != nullptr));
  }
}

TEST_CASE("HDF5 writer: equal contents give equal files") {
  const TemporaryFolder folder;
  for (const char* name : {"a.h5", "b.h5"}) {
    hdf5::NewGroup root;
    root.add("x/y", DType::f32, {2}, hdf5_files::counted_bytes(8));
    root.set_text("t", "u");
    write_hdf5(folder / name, root);
  }
  CHECK(content(folder / "a.h5") == content(folder / "b.h5"));
  CHECK(content(folder / "a.h5").size() % 8 == 0);
}

TEST_CASE("HDF5 writer: what cannot be written is refused, and the old file stays") {
  using hdf5_files::counted_bytes;
  const TemporaryFolder folder;
  set_content(folder / "file.h5", "old");
  hdf5::NewGroup root;
  root.add("taken", DType::f32, {1}, counted_bytes(4));
  CHECK_THROWS_AS(root.add("taken", DType::f32, {1}, counted_bytes(4)), OptionError);
  CHECK_THROWS_AS(root.group("taken"), OptionError);
  CHECK_THROWS_AS(root.group("taken/inner"), OptionError);
  CHECK_THROWS_AS(root.group("a//b"), OptionError);
  CHECK_THROWS_AS(root.group("."), OptionError);
  CHECK_THROWS_AS(root.add("", DType::f32, {1}, counted_bytes(4)), OptionError);
  CHECK_THROWS_AS(root.add("wrong", DType::f32, {2}, counted_bytes(4)), OptionError);
  root.set_text("attribute", "x");
  CHECK_THROWS_AS(root.set_names("attribute", {}), OptionError);
  root.set_names("large", std::vector<std::string>(2000, std::string(40, 'n')));
  CHECK_THROWS_AS(write_hdf5(folder / "file.h5", root), OptionError);
  hdf5::NewGroup booleans;
  booleans.add("b", DType::boolean, {1}, counted_bytes(1));
  CHECK_THROWS_AS(write_hdf5(folder / "file.h5", booleans), OptionError);
  CHECK(content(folder / "file.h5") == "old");
  CHECK(folder.files() == 1);
}
