// Damaged and hostile files: each ends in a FileError or is read, without memory that the file asks for.

#include <formats/hdf5_files.hpp>

#include <array>
#include <bit>

#include <sys/resource.h>

#include <mien/core/random.hpp>

using namespace mien;

namespace hdf5_files {

/// The most memory that the process has held, in MiB.
inline long peak_memory() {
  struct rusage usage {};
  ::getrusage(RUSAGE_SELF, &usage);
  return usage.ru_maxrss / 1024;
}

/// Whether memory can be measured: a sanitizer keeps what was freed.
#if defined(__SANITIZE_ADDRESS__)
inline constexpr bool memory_is_real = false;
#elif defined(__has_feature)
inline constexpr bool memory_is_real = !__has_feature(address_sanitizer);
#else
inline constexpr bool memory_is_real = true;
#endif

inline std::string word(std::uint64_t value) {
  const auto bytes = std::bit_cast<std::array<char, 8>>(value);
  return {bytes.data(), bytes.size()};
}

/// A small file of each layout and of each structure that is read, and how it is read.
struct Victim {
  const char* name;
  bool (*refused)(const std::filesystem::path&);
  std::size_t step;  ///< of the bytes that are tried: every one of the smallest files
};
constexpr Victim victims[] = {
    {"keras_1.h5", refused_as_keras, 1},   {"newer_format.h5", refused_as_keras, 1},
    {"keras_2.h5", refused_as_keras, 5},   {"keras_3_unnamed.weights.h5", refused_as_keras, 2},
    {"stored.keras", refused_as_keras, 7}, {"deflated.h5", refused_as_hdf5, 1},
    {"kinds.h5", refused_as_hdf5, 5}};

}  // namespace hdf5_files

TEST_CASE("hostile HDF5: a file cut anywhere is refused") {
  const TemporaryFolder folder;
  for (const char* name : {"keras_1.h5", "whole_3.h5", "newer_format.h5", "kinds.h5", "stored.keras"}) {
    CAPTURE(name);
    const std::string whole = content(hdf5_files::reference(name));
    for (std::size_t i = 0; i < 200; ++i) {
      set_content(folder / "cut", whole.substr(0, whole.size() * i / 200));
      REQUIRE(hdf5_files::complaint(folder / "cut") != "");
    }
    set_content(folder / "cut", whole.substr(0, whole.size() - 1));
    CHECK(hdf5_files::complaint(folder / "cut") != "");
  }
}

TEST_CASE("hostile HDF5: whichever byte is damaged, nothing worse than a FileError happens") {
  const TemporaryFolder folder;
  for (const hdf5_files::Victim& victim : hdf5_files::victims) {
    CAPTURE(victim.name);
    hdf5_files::Patched file(folder, hdf5_files::reference(victim.name));
    REQUIRE_FALSE(victim.refused(file.path()));
    int refused = 0;
    for (std::size_t at = 0; at < file.original().size(); at += victim.step) {
      const auto flipped = static_cast<char>(file.original()[at] ^ (1 << at % 8 | 1 << at % 5));
      file.change(at, {&flipped, 1});
      refused += victim.refused(file.path()) ? 1 : 0;
      file.restore(at, 1);
    }
    CHECK(refused > 100);
  }
}

TEST_CASE("hostile HDF5: whichever number claims 2^60, its own address or 2 GiB, no memory is asked for") {
  const TemporaryFolder folder;
  const long before = hdf5_files::peak_memory();
  for (const hdf5_files::Victim& victim : hdf5_files::victims) {
    CAPTURE(victim.name);
    hdf5_files::Patched file(folder, hdf5_files::reference(victim.name));
    const std::size_t step = victim.step == 1 ? 8 : 40;
    for (std::size_t at = 0; at + 8 <= file.original().size(); at += step)
      for (const std::uint64_t claim : {std::uint64_t{1} << 60U, std::uint64_t{at}, std::uint64_t{0x7fffffff}}) {
        file.change(at, hdf5_files::word(claim));
        static_cast<void>(victim.refused(file.path()));
        file.restore(at, 8);
      }
  }
  if (hdf5_files::memory_is_real) CHECK(hdf5_files::peak_memory() - before < 100);
}

TEST_CASE("hostile HDF5: random damage in several places") {
  const TemporaryFolder folder;
  for (const hdf5_files::Victim& victim : hdf5_files::victims) {
    CAPTURE(victim.name);
    hdf5_files::Patched file(folder, hdf5_files::reference(victim.name));
    const auto size = static_cast<std::uint32_t>(file.original().size());
    for (std::uint32_t round = 0; round < 500; ++round) {
      Random random(RandomKey{.seed = 5, .step = round});
      std::string damaged = file.original();
      for (std::uint32_t changes = 1 + random.below(6); changes > 0; --changes) {
        const std::uint32_t at = random.below(size), from = random.below(size), count = random.below(16);
        damaged.replace(at, std::min(count, size - at), file.original(), from, std::min(count, size - at));
        damaged.resize(size);
        damaged[random.below(size)] = static_cast<char>(random.below(256));
      }
      file.change(0, damaged);
      static_cast<void>(victim.refused(file.path()));
    }
  }
}

TEST_CASE("hostile HDF5: shapes that do not multiply out") {
  using hdf5_files::complaint, hdf5_files::contains, hdf5_files::word;
  const TemporaryFolder folder;
  hdf5_files::Patched file(folder, hdf5_files::reference("keras_1.h5"));
  // The extents (3, 3, 1, 2) of the first kernel, in its dataspace.
  const std::size_t at = file.original().find(word(3) + word(3) + word(1) + word(2));
  REQUIRE(at != std::string::npos);
  const auto with = [&](std::uint64_t first, std::uint64_t second) {
    file.change(at, word(first) + word(second));
    return complaint(file.path());
  };
  CHECK(contains(with(3, 4), "says 72 bytes, but F32 (3, 4, 1, 2) has 96"));
  CHECK(contains(with(3, std::uint64_t{1} << 60U), "more than can be"));
  CHECK(contains(with(std::uint64_t{1} << 60U, std::uint64_t{1} << 60U), "does not fit 63 bits"));
  CHECK(contains(with(std::uint64_t{1} << 63U, 3), "has the extent 9223372036854775808"));
  CHECK(contains(with(std::uint64_t{1} << 61U, 1), "more than can be"));
  CHECK(contains(with(0, 3), "says 72 bytes"));
  CHECK(with(3, 3).empty());
}
