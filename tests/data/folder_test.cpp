#include <string>
#include <vector>

#include <doctest/doctest.h>

#include <mien/images.hpp>

#include "picture_files.hpp"

using namespace mien;
using namespace picture_files;

namespace {

/// Two pictures of a level for each class, one of them in a folder inside, and things that are no pictures.
void fill(const Folder& folder) {
  std::uint8_t level = 10;
  for (const std::string name : {"sad", "happy", "neutral"}) {
    folder.write(name + "/b.png", png(std::vector<std::uint8_t>(12, level), 2, 2, 3));
    folder.write(name + "/a/z.bmp", bmp(std::vector<std::uint8_t>(27, static_cast<std::uint8_t>(level + 1)), 3, 3, 3));
    folder.write(name + "/notes.txt", Bytes(3, std::byte{'x'}));
    level = static_cast<std::uint8_t>(level + 10);
  }
  folder.write(".hidden/a.png", png(std::vector<std::uint8_t>(12, 99), 2, 2, 3));
  folder.write("sad/.hidden.png", Bytes(3, std::byte{'x'}));
}

std::vector<int> levels(const Dataset& data) {
  std::vector<int> found;
  for (std::int64_t i = 0; i < data.size(); ++i) {
    std::vector<int> x(static_cast<std::size_t>(data.sample_shape().size()));
    data.read(i, x.data());
    CHECK(x == std::vector<int>(x.size(), x[0]));
    found.push_back(x[0]);
  }
  return found;
}

}  // namespace

TEST_CASE("image_folder takes the sub-folders as classes, in alphabetical order, and files in byte order") {
  const Folder folder("folder_test");
  fill(folder);
  const Dataset data = image_folder(folder.path());
  CHECK(data.class_names() == std::vector<std::string>{"happy", "neutral", "sad"});
  CHECK(data.sample_shape() == Shape{48, 48, 3});
  CHECK(levels(data) == std::vector<int>{21, 20, 31, 30, 11, 10});
  CHECK(data.class_counts() == std::vector<std::int64_t>{2, 2, 2});
  CHECK(data.file(0) == folder.path("happy/a/z.bmp"));
  CHECK(data.unreadable().empty());
}

TEST_CASE("image_folder takes classes as listed, renamed and merged") {
  const Folder folder("folder_test");
  fill(folder);
  const Dataset data = image_folder(folder.path(), {.image_size = {4, 5},
                                                    .classes = {"calm=neutral", "other=sad", "other=happy"},
                                                    .color_mode = ColorMode::grayscale});
  CHECK(data.class_names() == std::vector<std::string>{"calm", "other"});
  CHECK(data.sample_shape() == Shape{4, 5, 1});
  CHECK(levels(data) == std::vector<int>{31, 30, 11, 10, 21, 20});
  CHECK(data.class_counts() == std::vector<std::int64_t>{2, 4});
}

TEST_CASE("image_folder lists unreadable files, for any number of threads, and fails on them if asked") {
  const Folder folder("folder_test");
  fill(folder);
  folder.write("happy/0.jpg", Bytes(50, std::byte{3}));
  folder.write("neutral/c.gif", Bytes(50, std::byte{3}));
  for (const int threads : {1, 3}) {
    const Dataset data = image_folder(folder.path(), {.threads = threads});
    CHECK(levels(data) == std::vector<int>{21, 20, 31, 30, 11, 10});
    CHECK(data.label(5) == 2);
    REQUIRE(data.unreadable().size() == 2);
    CHECK(data.unreadable()[0].file == folder.path("happy/0.jpg"));
    CHECK(data.unreadable()[1].file == folder.path("neutral/c.gif"));
    CHECK(data.unreadable()[1].reason.find("not a picture that can be read") == 0);
  }
  CHECK_THROWS_WITH_AS(static_cast<void>(image_folder(folder.path(), {.on_unreadable = OnUnreadable::fail})),
                       doctest::Contains("(2 of 8 files cannot be read)"), FileError);
}

TEST_CASE("image_folder says what is missing") {
  const Folder folder("folder_test");
  CHECK_THROWS_WITH_AS(static_cast<void>(image_folder(folder.path("none"))), doctest::Contains("cannot be read"),
                       FileError);
  CHECK_THROWS_WITH_AS(static_cast<void>(image_folder(folder.path())), doctest::Contains("no sub-folders"), FileError);
  folder.write("sad/notes.txt", {});
  CHECK_THROWS_WITH_AS(static_cast<void>(image_folder(folder.path())), doctest::Contains("no JPEG, PNG or BMP files"),
                       FileError);
  folder.write("sad/a.png", {});
  CHECK_THROWS_WITH_AS(static_cast<void>(image_folder(folder.path())), doctest::Contains("1 of 1 files"), FileError);
  CHECK_THROWS_WITH_AS(static_cast<void>(image_folder(folder.path(), {.classes = {"glad"}})),
                       doctest::Contains("no folder \"glad\" for the class \"glad\"; it has sad"), FileError);
  CHECK_THROWS_AS(static_cast<void>(image_folder(folder.path(), {.image_size = {}})), OptionError);
}
