#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <mien/core/random.hpp>
#include <mien/io/formats/zip.hpp>

#include <formats/temporary_folder.hpp>

using namespace mien;

namespace {

constexpr auto members_zip = MIEN_TEST_REFERENCES "/weights/members.zip";

std::string as_text(const std::vector<std::byte>& bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

/// Opens a file of these bytes and reads all of it; the complaint, "" if there is none.
std::string complaint_of_zip(const TemporaryFolder& folder, const std::string& bytes) {
  set_content(folder / "file", bytes);
  try {
    const ZipFile file(folder / "file");
    for (const ZipMember& member : file.members()) static_cast<void>(file.read(member, 1U << 20U));
    return "";
  } catch (const FileError& error) {
    return error.what();
  }
}

/// The bytes with some of them replaced at the place-th occurrence of a magic number.
std::string patched(std::string bytes, std::string_view magic, int place, std::size_t offset, std::string_view with) {
  std::size_t at = bytes.find(magic);
  for (; place > 0; --place) at = bytes.find(magic, at + 1);
  return bytes.replace(at + offset, with.size(), with);
}

constexpr std::string_view local = "PK\3\4", entry = "PK\1\2", end_record = "PK\5\6";

}  // namespace

TEST_CASE("stored and deflated members come back, with 64-bit extensions and a comment at the end") {
  const ZipFile file(members_zip);
  CHECK(file.members().size() == 6);
  std::string happy;
  for (int i = 0; i < 500; ++i) happy += "happy ";
  for (const char* kind : {"stored", "deflated"}) {
    const std::string prefix = kind;
    CHECK(as_text(file.read(*file.find(prefix + "/text"), 3000)) == happy);
    CHECK(file.read(*file.find(prefix + "/noise"), 3000) == file.read(*file.find("stored/noise"), 3000));
    CHECK(file.read(*file.find(prefix + "/empty"), 0).empty());
  }
  CHECK(file.find("deflated/text")->compressed < 100);
  CHECK(file.find("text") == nullptr);
  std::vector<std::byte> part(6);
  file.read_part(*file.find("stored/text"), 6, part);
  CHECK(as_text(part) == "happy ");
  CHECK_NOTHROW(file.verify(*file.find("stored/noise")));
  for (const ZipMember& member : file.members()) {
    const auto whole = file.read(member, 3000), front = file.read_front(member, 1000);
    CHECK(front.size() == std::min<std::size_t>(1000, whole.size()));
    CHECK(std::equal(front.begin(), front.end(), whole.begin()));
  }
}

TEST_CASE("a member is read only by those who expect its size") {
  const ZipFile file(members_zip);
  const ZipMember& text = *file.find("deflated/text");
  std::vector<std::byte> bytes(2999);
  CHECK_THROWS_WITH_AS(static_cast<void>(file.read(text, 2999)),
                       doctest::Contains("has 3000 bytes; at most 2999 were expected"), FileError);
  CHECK_THROWS_AS(file.read(text, std::span(bytes)), FileError);
  CHECK_THROWS_WITH_AS(file.read_part(text, 0, bytes), doctest::Contains("can only be read whole"), FileError);
  CHECK_THROWS_AS(file.read_part(*file.find("stored/text"), 2, bytes), FileError);
}

TEST_CASE("a zip file cut at any place is refused") {
  const TemporaryFolder folder;
  const std::string whole = content(members_zip);
  CHECK(complaint_of_zip(folder, whole).empty());
  for (std::size_t size = 0; size < whole.size(); size += size < whole.size() - 300 ? 61 : 1) {
    INFO("cut at ", size);
    CHECK(complaint_of_zip(folder, whole.substr(0, size)).find("is no zip archive") != std::string::npos);
  }
}

TEST_CASE("archives that lie are refused, with the member's name") {
  const TemporaryFolder folder;
  const std::string whole = content(members_zip);
  const auto refused = [&](const std::string& bytes, const char* why) {
    INFO(why);
    CHECK(complaint_of_zip(folder, bytes).find(why) != std::string::npos);
  };
  const std::string_view ones("\xFF\xFF\xFF\x7F", 4);
  refused(patched(whole, entry, 1, 24, ones), "'deflated/text' claims 2147483647 bytes, which its");
  refused(patched(whole, entry, 0, 24, ones), "'stored/text' claims 2147483647 bytes, which its 3000");
  refused(patched(whole, entry, 1, 24, std::string_view("\x00\x10\0\0", 4)), "give 3000 bytes where 4096");
  refused(patched(whole, entry, 1, 24, std::string_view("\x00\x01\0\0", 4)), "give more than the 256 expected");
  refused(patched(whole, entry, 1, 16, "crc!"), "'deflated/text' is damaged: its checksum differs");
  refused(patched(whole, entry, 0, 16, "crc!"), "'stored/text' is damaged: its checksum differs");
  refused(patched(whole, entry, 0, 8, "\1"), "'stored/text' is encrypted");
  refused(patched(whole, entry, 0, 10, "\x0c"), "'stored/text' is compressed by method 12");
  refused(patched(whole, entry, 2, 42, std::string_view("\0\0\0\0", 4)), "'stored/noise' has no header of that name");
  refused(patched(whole, local, 0, 28, "\xFF"), "'stored/text' reaches into another member");
  refused(patched(whole, end_record, 0, 4, "\1"), "several volumes");
  refused("prefix" + whole, "its directory should be the");
  const std::string twice = patched(patched(whole, entry, 2, 46, "stored/empty"), local, 2, 30, "stored/empty");
  refused(twice, "'stored/empty' stands twice");
}

TEST_CASE("a directory of 64-bit sizes that claims 2^60 bytes is refused") {
  const TemporaryFolder folder;
  const std::string whole = content(members_zip);
  const auto little = [](auto number) {
    const auto bytes = std::bit_cast<std::array<char, sizeof number>>(number);
    return std::string(bytes.data(), bytes.size());
  };
  const auto with_end64 = [&](std::uint64_t count, std::uint64_t size, std::uint64_t offset) {
    const std::size_t end = whole.find(end_record);
    const std::string record = "PK\6\6" + little(std::uint64_t{44}) + std::string(12, '\0') + little(count) +
                               little(count) + little(size) + little(offset);
    const std::string locator = "PK\6\7" + little(0U) + little(std::uint64_t{end}) + little(1U);
    const std::string short_end = std::string(end_record) + std::string(4, '\0') + std::string(12, '\xFF') + "\0\0";
    return whole.substr(0, end) + record + locator + short_end + std::string(2, '\0');
  };
  const std::size_t end = whole.find(end_record), begin = whole.find(entry);
  CHECK(complaint_of_zip(folder, with_end64(6, end - begin, begin)).empty());
  CHECK_FALSE(complaint_of_zip(folder, with_end64(7, end - begin, begin)).empty());
  CHECK_FALSE(complaint_of_zip(folder, with_end64(6, std::uint64_t{1} << 60U, begin)).empty());
  CHECK_FALSE(complaint_of_zip(folder, with_end64(6, 0 - std::uint64_t{begin}, begin)).empty());
  CHECK_FALSE(complaint_of_zip(folder, with_end64(6, 16, 0 - std::uint64_t{16})).empty());
}

TEST_CASE("no byte of a zip file can be changed to crash the reader or to change a member unnoticed") {
  const TemporaryFolder folder;
  const std::string whole = content(members_zip);
  const ZipFile intact(members_zip);
  std::vector<std::vector<std::byte>> expected;
  for (const ZipMember& member : intact.members()) expected.push_back(intact.read(member, 1U << 20U));
  for (std::uint64_t i = 0; i < 3000; ++i) {
    std::string bytes = whole;
    Random random(RandomKey{.seed = 7, .step = i});
    char& byte = bytes[random.below(static_cast<std::uint32_t>(bytes.size()))];
    byte = static_cast<char>(byte ^ (1 << random.below(8)));
    if (!complaint_of_zip(folder, bytes).empty()) continue;
    const ZipFile changed(folder / "file");
    for (std::size_t m = 0; m < changed.members().size(); ++m)
      CHECK(changed.read(changed.members()[m], 1U << 20U) == expected[m]);
  }
}

TEST_CASE("zlib streams, as HDF5 compresses its chunks") {
  // zlib.compress(b"happy happy happy happy")
  constexpr std::array<std::uint8_t, 16> stream{0x78, 0x9c, 0xcb, 0x48, 0x2c, 0x28, 0xa8, 0x54,
                                                0xc8, 0x40, 0x27, 0x01, 0x6a, 0x33, 0x08, 0xe9};
  std::vector<std::byte> out(23);
  const auto bytes = std::as_bytes(std::span(stream));
  CHECK_NOTHROW(detail::inflate_zlib(bytes, out));
  CHECK(as_text(out) == "happy happy happy happy");
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    std::vector<std::byte> damaged(bytes.begin(), bytes.end());
    damaged[i] ^= std::byte{1};
    INFO("byte ", i);
    CHECK_THROWS_AS(detail::inflate_zlib(damaged, out), FileError);
  }
  for (std::size_t size = 0; size < bytes.size(); ++size)
    CHECK_THROWS_AS(detail::inflate_zlib(bytes.first(size), out), FileError);
  out.resize(22);
  CHECK_THROWS_AS(detail::inflate_zlib(bytes, out), FileError);
}
