#pragma once
// Zip archives, as .npz, .keras and PyTorch's files are: members stored or deflated, with the 64-bit extensions.
// Layout: PKWARE's APPNOTE.TXT.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <mien/core/error.hpp>
#include <mien/io/formats/byte_reader.hpp>
#include <mien/io/formats/crc32.hpp>
#include <mien/io/formats/inflate.hpp>
#include <mien/io/formats/input_file.hpp>

namespace mien::inline v0 {

/// A file inside a zip archive.
struct ZipMember {
  std::string name;
  std::uint64_t header = 0;      ///< where its local header stands
  std::uint64_t offset = 0;      ///< where its bytes begin
  std::uint64_t compressed = 0;  ///< bytes in the archive
  std::uint64_t size = 0;        ///< bytes of the member; for a stored one, the same
  std::uint32_t crc = 0;
  bool deflated = false;
};

/// A zip archive, open for reading. The constructor reads the directory and checks it against the file: members lie
/// apart and inside it, have different names, and claim no size that their bytes could not give. Refused: encryption,
/// several volumes, methods other than stored and deflated, bytes before the archive.
class ZipFile {
 public:
  static constexpr std::uint64_t max_directory = std::uint64_t{16} << 20U;

  /// Throws FileError.
  explicit ZipFile(const std::filesystem::path& path);

  [[nodiscard]] const std::string& path() const { return file_.path(); }
  /// In the order of the directory.
  [[nodiscard]] const std::vector<ZipMember>& members() const { return members_; }
  /// The member of that name; null if there is none.
  [[nodiscard]] const ZipMember* find(std::string_view name) const {
    const auto found = by_name_.find(name);
    return found == by_name_.end() ? nullptr : &members_[found->second];
  }

  /// Reads a whole member and checks its checksum. A deflated one takes memory for its compressed bytes meanwhile.
  /// Throws FileError, also if `to` has another size than the member.
  void read(const ZipMember& member, std::span<std::byte> to) const;
  /// A whole member of at most that many bytes, which the caller thinks sensible. Throws FileError.
  [[nodiscard]] std::vector<std::byte> read(const ZipMember& member, std::uint64_t at_most) const {
    if (member.size > at_most) fail(member, "has ", member.size, " bytes; at most ", at_most, " were expected");
    std::vector<std::byte> bytes(static_cast<std::size_t>(member.size));
    read(member, std::span(bytes));
    return bytes;
  }
  /// Reads a part of a stored member, without the checksum. Throws FileError, also if the member ends before.
  void read_part(const ZipMember& member, std::uint64_t from, std::span<std::byte> to) const {
    if (member.deflated) fail(member, "is compressed and can only be read whole");
    if (from > member.size || to.size() > member.size - from)
      fail(member, "has ", member.size, " bytes; ", to.size(), " at position ", from, " were asked for");
    file_.read_at(member.offset + from, to);
  }
  /// Reads a stored member through, a piece at a time, and checks its checksum. Throws FileError.
  void verify(const ZipMember& member) const;
  /// The first bytes of a member, as many as it has and at most that many, without the checksum. The rest is not looked
  /// at, however large it is. Of a damaged deflated one there may be fewer. Throws FileError.
  [[nodiscard]] std::vector<std::byte> read_front(const ZipMember& member, std::size_t at_most) const;

 private:
  struct Directory {
    std::uint64_t offset = 0, bytes = 0, count = 0;
  };

  template <class... Parts>
  [[noreturn]] static void refuse(const ZipMember& member, const Parts&... parts) {
    throw FileError(text("its member '", std::string_view(member.name).substr(0, 200), "' ", parts...));
  }
  template <class... Parts>
  [[noreturn]] void fail(const ZipMember& member, const Parts&... parts) const {
    throw FileError(text("'", path(), "': its member '", std::string_view(member.name).substr(0, 200), "' ", parts...));
  }
  [[nodiscard]] Directory find_directory() const;
  [[nodiscard]] bool has_locator(std::uint64_t end) const;
  [[nodiscard]] Directory find_directory64(std::uint64_t locator) const;
  void read_directory(const Directory& directory);
  [[nodiscard]] static ZipMember next_member(detail::ByteReader& entries);
  void locate(ZipMember& member) const;
  void check_members(std::uint64_t end) const;

  InputFile file_;
  std::vector<ZipMember> members_;
  std::map<std::string, std::size_t, std::less<>> by_name_;
};

namespace detail {
inline constexpr std::uint32_t zip_member_magic = 0x04034b50, zip_directory_magic = 0x02014b50,
                               zip_end_magic = 0x06054b50, zip64_end_magic = 0x06064b50,
                               zip64_locator_magic = 0x07064b50;
inline constexpr std::size_t zip_member_header = 30, zip_end_record = 22, zip64_end_record = 56, zip64_locator = 20;

/// Takes a number of fixed place in the 64-bit extension: it stands there if the short field is full of ones.
inline void widen(std::uint64_t& value, ByteReader& extension) {
  if (value == 0xFFFFFFFFU) value = extension.take<std::uint64_t>();
}
}  // namespace detail

inline ZipFile::ZipFile(const std::filesystem::path& path) : file_(path) {
  try {
    read_directory(find_directory());
  } catch (const FileError& error) {
    throw FileError(text("'", this->path(), "' is no zip archive that can be read: ", error.what()));
  }
}

/// The record at the end of the file, which only a comment may follow.
inline ZipFile::Directory ZipFile::find_directory() const {
  using namespace detail;
  constexpr std::uint64_t longest = zip_end_record + 0xFFFF;
  const auto tail_size = static_cast<std::size_t>(std::min(longest, file_.size()));
  std::vector<std::byte> tail(tail_size);
  const std::uint64_t start = file_.size() - tail_size;
  file_.read_at(start, tail);
  for (std::size_t comment = 0; comment + zip_end_record <= tail_size; ++comment) {
    const std::size_t at = tail_size - zip_end_record - comment;
    ByteReader record(std::span<const std::byte>(tail).subspan(at));
    if (record.take<std::uint32_t>() != zip_end_magic) continue;
    const auto disk = record.take<std::uint16_t>(), directory_disk = record.take<std::uint16_t>();
    const auto count_here = record.take<std::uint16_t>(), count = record.take<std::uint16_t>();
    const auto bytes = record.take<std::uint32_t>(), offset = record.take<std::uint32_t>();
    if (record.take<std::uint16_t>() != comment) continue;
    if (has_locator(start + at)) return find_directory64(start + at - zip64_locator);
    if (disk != 0 || directory_disk != 0 || count_here != count) throw FileError("it is one of several volumes");
    if (std::uint64_t{offset} + bytes != start + at)
      throw FileError(text("its directory should be the ", bytes, " bytes before ", start + at,
                           ", but claims to begin at ", offset));
    return {offset, bytes, count};
  }
  throw FileError("its end record is missing: truncated, or another format");
}

/// Whether the locator of a 64-bit end record ends there. PyTorch always writes one.
inline bool ZipFile::has_locator(std::uint64_t end) const {
  std::uint32_t magic = 0;
  if (end < detail::zip64_locator) return false;
  file_.read_at(end - detail::zip64_locator, std::as_writable_bytes(std::span(&magic, 1)));
  return magic == detail::zip64_locator_magic;
}

inline ZipFile::Directory ZipFile::find_directory64(std::uint64_t locator) const {
  using namespace detail;
  std::vector<std::byte> bytes(zip64_locator);
  file_.read_at(locator, bytes);
  ByteReader where(bytes);
  where.take(4 + 4);  // the magic number, the volume
  const auto at = where.take<std::uint64_t>();
  if (at > locator || locator - at < zip64_end_record) throw FileError("its 64-bit end record lies outside");
  bytes.resize(zip64_end_record);
  file_.read_at(at, bytes);
  ByteReader record(bytes);
  if (record.take<std::uint32_t>() != zip64_end_magic) throw FileError("its 64-bit end record is missing");
  record.take(8 + 2 + 2);  // its own length, versions
  const auto disk = record.take<std::uint32_t>(), directory_disk = record.take<std::uint32_t>();
  const auto count_here = record.take<std::uint64_t>(), count = record.take<std::uint64_t>();
  const auto size = record.take<std::uint64_t>(), offset = record.take<std::uint64_t>();
  if (disk != 0 || directory_disk != 0 || count_here != count) throw FileError("it is one of several volumes");
  if (offset > at || size != at - offset)
    throw FileError(text("its directory claims ", size, " bytes at ", offset, ", but its end record stands at ", at));
  return {offset, size, count};
}

inline void ZipFile::read_directory(const Directory& directory) {
  if (directory.bytes > max_directory)
    throw FileError(text("its directory has ", directory.bytes, " bytes; more than ", max_directory, " are not read"));
  std::vector<std::byte> bytes(static_cast<std::size_t>(directory.bytes));
  file_.read_at(directory.offset, bytes);
  detail::ByteReader entries(bytes);
  while (entries.left() > 0) {
    ZipMember member = next_member(entries);
    locate(member);
    if (member.size > member.compressed * (member.deflated ? detail::max_deflate_ratio : 1) ||
        (!member.deflated && member.size != member.compressed))
      refuse(member, "claims ", member.size, " bytes, which its ", member.compressed, " bytes cannot give");
    if (!by_name_.emplace(member.name, members_.size()).second) refuse(member, "stands twice in the archive");
    members_.push_back(std::move(member));
  }
  if (members_.size() != directory.count)
    throw FileError(text("its directory has ", members_.size(), " entries where ", directory.count, " were announced"));
  check_members(directory.offset);
}

/// The next entry of the directory.
inline ZipMember ZipFile::next_member(detail::ByteReader& entries) {
  if (entries.take<std::uint32_t>() != detail::zip_directory_magic)
    throw FileError("an entry of its directory does not begin as one");
  entries.take(4);  // versions
  const auto flags = entries.take<std::uint16_t>(), method = entries.take<std::uint16_t>();
  entries.take(4);  // time and date
  ZipMember member;
  member.crc = entries.take<std::uint32_t>();
  member.compressed = entries.take<std::uint32_t>();
  member.size = entries.take<std::uint32_t>();
  const auto name = entries.take<std::uint16_t>(), extra = entries.take<std::uint16_t>();
  const auto comment = entries.take<std::uint16_t>();
  entries.take(2 + 2 + 4);  // volume, attributes
  member.header = entries.take<std::uint32_t>();
  member.name = entries.take_text(name);
  detail::ByteReader extensions(entries.take(extra));
  entries.take(comment);
  while (extensions.left() >= 4) {
    const auto kind = extensions.take<std::uint16_t>(), length = extensions.take<std::uint16_t>();
    detail::ByteReader extension(extensions.take(length));
    if (kind != 1) continue;
    for (std::uint64_t* value : {&member.size, &member.compressed, &member.header}) detail::widen(*value, extension);
  }
  if ((flags & 1U) != 0) refuse(member, "is encrypted");
  if (method != 0 && method != 8)
    refuse(member, "is compressed by method ", method, "; only stored (0) and deflated (8) ones are read");
  member.deflated = method == 8;
  return member;
}

/// Finds the member's bytes: they follow its local header, whose extra field may be longer than the directory's.
inline void ZipFile::locate(ZipMember& member) const {
  std::vector<std::byte> bytes(detail::zip_member_header + member.name.size());
  if (member.header > file_.size() || bytes.size() > file_.size() - member.header)
    refuse(member, "lies outside the file");
  file_.read_at(member.header, bytes);
  detail::ByteReader header(bytes);
  const auto magic = header.take<std::uint32_t>();
  header.take(22);
  const auto name = header.take<std::uint16_t>(), extra = header.take<std::uint16_t>();
  if (magic != detail::zip_member_magic || name != member.name.size() || header.take_text(name) != member.name)
    refuse(member, "has no header of that name where the directory says");
  member.offset = member.header + bytes.size() + extra;
}

/// The members lie before the directory, none inside another.
inline void ZipFile::check_members(std::uint64_t end) const {
  std::vector<const ZipMember*> order;
  for (const ZipMember& member : members_) order.push_back(&member);
  std::sort(order.begin(), order.end(), [](const ZipMember* a, const ZipMember* b) {
    return a->header != b->header ? a->header > b->header : a < b;
  });
  for (const ZipMember* member : order) {
    if (member->offset > end || member->compressed > end - member->offset)
      refuse(*member, "reaches into another member or the directory");
    end = member->header;
  }
}

inline void ZipFile::read(const ZipMember& member, std::span<std::byte> to) const {
  if (to.size() != member.size) fail(member, "has ", member.size, " bytes, but ", to.size(), " were asked for");
  if (member.deflated) {
    std::vector<std::byte> stream(static_cast<std::size_t>(member.compressed));
    file_.read_at(member.offset, stream);
    try {
      detail::inflate_raw(std::move(stream), to);
    } catch (const FileError& error) {
      fail(member, "cannot be read: ", error.what());
    }
  } else {
    file_.read_at(member.offset, to);
  }
  if (detail::crc32(to) != member.crc) fail(member, "is damaged: its checksum differs");
}

inline void ZipFile::verify(const ZipMember& member) const {
  std::vector<std::byte> piece(static_cast<std::size_t>(std::min(member.size, std::uint64_t{1} << 20U)));
  std::uint32_t crc = 0;
  for (std::uint64_t at = 0; at < member.size; at += piece.size()) {
    piece.resize(static_cast<std::size_t>(std::min<std::uint64_t>(piece.size(), member.size - at)));
    read_part(member, at, piece);
    crc = detail::crc32(piece, crc);
  }
  if (crc != member.crc) fail(member, "is damaged: its checksum differs");
}

inline std::vector<std::byte> ZipFile::read_front(const ZipMember& member, std::size_t at_most) const {
  std::vector<std::byte> front(static_cast<std::size_t>(std::min<std::uint64_t>(member.size, at_most)));
  if (member.deflated) {
    // The inflater gives nothing of a block without compression (up to 65535 bytes) unless all of it is there and fits.
    std::vector<std::byte> room(at_most + 65535);
    std::vector<std::byte> stream(
        static_cast<std::size_t>(std::min<std::uint64_t>(member.compressed, 2 * room.size())));
    file_.read_at(member.offset, stream);
    const std::size_t count = detail::inflate_front(std::move(stream), room);
    front.resize(std::min(front.size(), count));
    std::copy_n(room.begin(), front.size(), front.begin());
  } else {
    file_.read_at(member.offset, front);
  }
  return front;
}

}  // namespace mien::inline v0
