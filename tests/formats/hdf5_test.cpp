#include <formats/hdf5_files.hpp>

#include <functional>

using namespace mien;

namespace hdf5_files {

/// What happens when something is asked of an object.
inline std::string refusal(const std::function<void()>& ask) {
  try {
    ask();
    return "";
  } catch (const FileError& error) {
    return error.what();
  }
}

inline std::string dataset_refusal(const Hdf5File& file, const char* name) {
  return refusal([&] { static_cast<void>(file.find(name)->dataset()); });
}

}  // namespace hdf5_files

TEST_CASE("HDF5: every type of number and kind of storage is read") {
  const Hdf5File file(hdf5_files::reference("kinds.h5"));
  int by_path = 0;
  for (const hdf5::Object* child : file.root().children()) {
    const std::string& name = child->name();
    if (name == "never_written" || name.starts_with("filled")) continue;
    CAPTURE(name);
    CHECK(hdf5_files::holds_its_numbers(file, *child));
    ++by_path;
  }
  CHECK(by_path == 17);
  CHECK(file.find("f2")->dataset().dtype == DType::f16);
  CHECK(file.find("u8")->dataset().dtype == DType::u64);
  CHECK(file.find("/scalar")->dataset().shape == Shape{});
  CHECK(file.find("no_elements")->dataset().shape == Shape{0, 3});
  CHECK(file.find("chunked")->dataset().shape == Shape{5, 3, 4});
  CHECK(file.find("chunked")->dataset().storage == hdf5::Storage::chunked);
  CHECK(file.find("compact")->dataset().storage == hdf5::Storage::compact);
  CHECK(file.find("nothing_there") == nullptr);
  CHECK(file.find("f4/inside_a_dataset") == nullptr);
}

TEST_CASE("HDF5: chunks that share bytes are refused, with the dataset's path") {
  const TemporaryFolder folder;
  hdf5_files::Patched patched(folder, hdf5_files::reference("kinds.h5"));
  // Behind the 24 bytes of a node's head, for each chunk: its size, a mask, four offsets; then its address.
  constexpr std::size_t key = 4 + 4 + 4 * 8;
  const std::size_t first = Hdf5File(patched.path()).find("chunked")->dataset().address + 24 + key;
  std::string address = patched.original().substr(first, 8);
  for (int i = 0; i < 2; ++i, address[0] = static_cast<char>(address[0] + 4)) {
    patched.change(first + 8 + key, address);
    const Hdf5File file(patched.path());
    const hdf5::Object& object = *file.find("chunked");
    std::vector<std::byte> bytes(object.dataset().bytes);
    std::string complaint;
    try {
      file.read(object, bytes);
    } catch (const FileError& error) {
      complaint = error.what();
    }
    CHECK(hdf5_files::contains(complaint, "has two chunks that share bytes"));
    CHECK(hdf5_files::contains(complaint, "it belongs to /chunked"));
  }
}

TEST_CASE("HDF5: deflated and shuffled chunks are read") {
  const Hdf5File file(hdf5_files::reference("deflated.h5"));
  for (const char* name : {"deflated", "both"}) CHECK(hdf5_files::holds_its_numbers(file, *file.find(name)));
  CHECK(file.find("both")->dataset().filters ==
        std::vector<hdf5::Filter>{hdf5::Filter::shuffle, hdf5::Filter::deflate});
}

TEST_CASE("HDF5: what was never written is the fill value") {
  const Hdf5File file(hdf5_files::reference("kinds.h5"));
  const auto read = [&](const char* name) {
    std::vector<float> values(static_cast<std::size_t>(file.find(name)->dataset().shape.size()), 7.0F);
    file.read(file.find(name)->dataset(), std::as_writable_bytes(std::span(values)));
    return values;
  };
  CHECK(read("never_written") == std::vector<float>(4, 0.0F));
  CHECK(read("filled") == std::vector<float>(3, 0.5F));
  const auto half_written = read("filled_chunks");
  CHECK(half_written[1] == 0.25F);
  CHECK(half_written[3] == hdf5_files::number("/filled_chunks", 1, DType::f32));
}

TEST_CASE("HDF5: attributes are numbers, strings, or nothing") {
  const Hdf5File file(hdf5_files::reference("kinds.h5"));
  const hdf5::Object& root = file.root();
  REQUIRE(root.attributes().size() == 3);
  CHECK(hdf5_files::element(DType::i32, root.attribute("whole")->bytes.data()) == -3);
  CHECK(root.attribute("numbers")->shape == Shape{2});
  CHECK(root.attribute("nothing")->shape == Shape{0});
  CHECK(root.attribute("absent") == nullptr);
  CHECK(root.string_attribute("absent") == std::nullopt);
  CHECK_THROWS_AS(static_cast<void>(root.string_attribute("whole")), FileError);
}

TEST_CASE("HDF5: what is not read is named when it is asked for, and the rest is read") {
  using hdf5_files::contains, hdf5_files::dataset_refusal, hdf5_files::refusal;
  const Hdf5File file(hdf5_files::reference("odd.h5"));
  CHECK(contains(dataset_refusal(file, "big_endian"), "big-endian"));
  CHECK(contains(dataset_refusal(file, "big_endian"), "odd.h5"));
  CHECK(contains(dataset_refusal(file, "big_endian"), "belongs to /big_endian"));
  CHECK(contains(dataset_refusal(file, "strings"), "is a string"));
  CHECK(contains(dataset_refusal(file, "compound"), "compound value"));
  CHECK(contains(dataset_refusal(file, "complex"), "compound value"));
  CHECK(contains(dataset_refusal(file, "truth"), "an enumeration"));
  CHECK(contains(dataset_refusal(file, "checksums"), "fletcher32"));
  CHECK(contains(dataset_refusal(file, "rank_7"), "7 extents; at most 6"));
  CHECK(contains(dataset_refusal(file, "of_committed"), "committed datatype"));
  CHECK(contains(refusal([&] { static_cast<void>(file.find("committed")->children()); }), "committed datatype"));
  CHECK(contains(refusal([&] { static_cast<void>(file.find("soft")->children()); }), "soft or external link"));
  CHECK(contains(refusal([&] { static_cast<void>(file.root().attribute("compound")); }), "compound value"));
  CHECK(file.root().string_attribute("text") == "good");

  const Hdf5File dense(hdf5_files::reference("dense.h5"));
  CHECK(contains(refusal([&] { static_cast<void>(dense.find("layer_1")); }), "dense storage"));
}

TEST_CASE("HDF5: a tree that is no tree is refused") {
  using hdf5_files::contains, hdf5_files::reference;
  CHECK(contains(hdf5_files::complaint(reference("cycle.h5")), "/a/b/up leads to an object that has another name"));
  CHECK(contains(hdf5_files::complaint(reference("hard_links.h5")), "hard link"));
  const TemporaryFolder folder;
  // Two links of one group with one name: the names stand in its heap.
  hdf5_files::Patched file(folder, reference("kinds.h5"));
  const std::size_t at = file.original().find(std::string("f8\0", 3));
  file.change(at, "f4");
  CHECK(contains(hdf5_files::complaint(file.path()), "/ holds two objects named 'f4'"));
}

TEST_CASE("HDF5: a group's B-tree that leads back to itself is refused") {
  const TemporaryFolder folder;
  hdf5_files::Patched file(folder, hdf5_files::reference("deep_tree.h5"));
  const std::string& bytes = file.original();
  int upper = 0;
  for (std::size_t at = bytes.find("TREE"); at != std::string::npos; at = bytes.find("TREE", at + 1)) {
    if (bytes[at + 5] == 0) continue;
    ++upper;
    std::string own(8, '\0');
    std::memcpy(own.data(), &at, sizeof at);
    file.change(at + 24 + 8, own);  // its first child
    CHECK(hdf5_files::refused_as_hdf5(file.path()));
    file.restore(at + 24 + 8, 8);
  }
  CHECK(upper > 1);
  CHECK_FALSE(hdf5_files::refused_as_hdf5(file.path()));
}
