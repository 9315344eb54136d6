#pragma once
// PyTorch's files, torch.save(state_dict, file): the zip format of PyTorch 1.6 and later, and the one before it.
// Layout: torch/serialization.py.

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <mien/core/error.hpp>
#include <mien/core/shape.hpp>
#include <mien/io/formats/crc32.hpp>
#include <mien/io/formats/input_file.hpp>
#include <mien/io/formats/pickle.hpp>
#include <mien/io/formats/strided.hpp>
#include <mien/io/formats/tensor_file.hpp>
#include <mien/io/formats/zip.hpp>

namespace mien::inline v0 {

namespace detail {

/// How a file of PyTorch before 1.6 begins: a pickled magic number.
inline constexpr std::string_view legacy_torch_magic("\x80\x02\x8a\x0al\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19.", 15);

/// Collects the tensors of a state dict under their names.
class StateDict {
 public:
  struct Entry {
    std::string name;
    std::size_t tensor = 0;
  };

  StateDict(const Pickle& pickle, PickleValue::Id root) : pickle_(pickle) {
    collect(inner(root), "", 0);
    if (entries_.empty()) throw FileError("it holds no tensors");
    constexpr std::string_view parallel = "module.";  // torch.nn.DataParallel
    const auto has_prefix = [&](const Entry& entry) { return entry.name.starts_with(parallel); };
    if (std::all_of(entries_.begin(), entries_.end(), has_prefix))
      for (Entry& entry : entries_) entry.name.erase(0, parallel.size());
    std::set<std::string_view> names;
    for (const Entry& entry : entries_)
      if (!names.insert(entry.name).second)
        throw FileError(text("two of its tensors are named '", std::string_view(entry.name).substr(0, 200), "'"));
  }

  [[nodiscard]] const std::vector<Entry>& entries() const { return entries_; }

 private:
  using Kind = PickleValue::Kind;
  static constexpr int max_depth = 16;

  [[nodiscard]] bool is_container(PickleValue::Id id) const {
    const Kind kind = pickle_[id].kind;
    return kind == Kind::dictionary || kind == Kind::list || kind == Kind::tuple;
  }

  /// Training scripts save more than the model: its weights then stand under one of the usual names.
  [[nodiscard]] PickleValue::Id inner(PickleValue::Id root) const {
    constexpr std::string_view usual[] = {"state_dict", "model_state_dict", "model_state", "model",
                                          "net",        "network",          "weights"};
    for (int depth = 0; depth < max_depth; ++depth) {
      const std::vector<PickleValue::Id>& items = pickle_[root].items;
      if (pickle_[root].kind != Kind::dictionary) return root;
      std::optional<PickleValue::Id> next;
      for (const std::string_view name : usual)
        for (std::size_t i = 0; i < items.size() && !next; i += 2)
          if (pickle_[items[i]].text == name && pickle_[items[i + 1]].kind == Kind::dictionary) next = items[i + 1];
      if (!next) return root;
      root = *next;
    }
    return root;
  }

  /// A tensor may stand in many places, each with a name of its own that the pickle holds only once.
  void add(const std::string& name, std::size_t tensor) {
    constexpr std::size_t max_tensors = 100000, max_names = std::size_t{16} << 20U;
    names_ += name.size();
    if (entries_.size() == max_tensors || names_ > max_names)
      throw FileError(text("it has more than ", max_tensors, " tensors, or names of more than ", max_names, " bytes"));
    entries_.push_back({name, tensor});
  }
  void collect(PickleValue::Id id, const std::string& name, int depth) {
    const PickleValue& value = pickle_[id];
    if (value.kind == Kind::tensor) add(name, static_cast<std::size_t>(value.number));
    // A container that stands in several places, or in itself, is looked at once.
    if (!is_container(id) || !seen_.insert(id).second) return;
    if (depth == max_depth) throw FileError(text("its dictionaries are nested deeper than ", max_depth, " levels"));
    const std::string prefix = name.empty() ? "" : name + ".";
    const bool keyed = value.kind == Kind::dictionary;
    for (std::size_t i = 0; i < value.items.size(); i += keyed ? 2 : 1) {
      const PickleValue::Id element = value.items[keyed ? i + 1 : i];
      if (!is_container(element) && pickle_[element].kind != Kind::tensor) continue;
      collect(element, prefix + (keyed ? key_of(value.items[i]) : text(i)), depth + 1);
    }
  }
  [[nodiscard]] std::string key_of(PickleValue::Id id) const {
    const PickleValue& key = pickle_[id];
    if (key.text.size() > 1000) throw FileError("the name of a tensor is longer than 1000 bytes");
    return key.kind == Kind::text ? std::string(key.text) : text(key.number);
  }

  const Pickle& pickle_;
  std::vector<Entry> entries_;
  std::size_t names_ = 0;  // their bytes
  std::set<PickleValue::Id> seen_;
};

}  // namespace detail

/// A state dict of PyTorch (.pt, .pth, .bin), open for reading. Nothing of the file is executed. Tensors have the names
/// of the state dict, which may stand in a checkpoint under "state_dict", "model" and the like; in any other nested
/// dictionary they are named "outer.inner". Views and transposed tensors are read as what they are.
class PyTorchFile final : public TensorFile {
 public:
  static constexpr std::uint64_t max_pickle = std::uint64_t{8} << 20U;

  /// Throws FileError.
  explicit PyTorchFile(const std::filesystem::path& path) : file_(path) {
    std::array<std::byte, 4> magic{};
    if (file_.size() >= magic.size()) file_.read_at(0, magic);
    if (magic == std::array{std::byte{'P'}, std::byte{'K'}, std::byte{3}, std::byte{4}}) archive_.emplace(path);
    try {
      archive_ ? open_archive() : open_legacy();
    } catch (const FileError& error) {
      throw FileError(text("'", this->path(), "' is no PyTorch file that can be read: ", error.what()));
    }
  }

  [[nodiscard]] const std::string& path() const override { return file_.path(); }
  [[nodiscard]] std::string_view format() const override { return "PyTorch"; }
  /// In the order of the state dict: the order in which the layers were made.
  [[nodiscard]] const std::vector<StoredTensor>& tensors() const override { return tensors_; }
  [[nodiscard]] const StoredTensor* find(std::string_view name) const override {
    const auto found = by_name_.find(name);
    return found == by_name_.end() ? nullptr : &tensors_[found->second];
  }
  void read(const StoredTensor& tensor, std::span<std::byte> to) const override {
    detail::require_size(*this, tensor, to);
    const Place& place = place_of(tensor);
    if (place.contiguous) return read_storage(place, 0, to);
    std::vector<std::byte> storage(place.bytes);
    read_storage(place, 0, storage);
    detail::gather(storage, size_of(tensor.dtype), tensor.shape, place.strides, to);
  }
  void stream(const StoredTensor& tensor, const ByteSink& sink) const override {
    const Place& place = place_of(tensor);
    if (!place.contiguous || (place.member != nullptr && place.member->deflated))
      return TensorFile::stream(tensor, sink);
    std::uint32_t crc = 0;
    detail::stream_pieces(tensor.bytes, sink, [&](std::size_t at, std::span<std::byte> part) {
      read_storage(place, at, part);
      crc = detail::crc32(part, crc);
    });
    if (place.member != nullptr && place.member->size == tensor.bytes && place.member->crc != crc)
      throw FileError(text("'", path(), "': tensor '", tensor.name, "' is damaged: its checksum differs"));
  }

 private:
  /// Where a tensor's bytes are: `bytes` of them from `offset` in a member of the archive, or in the file.
  struct Place {
    const ZipMember* member = nullptr;
    std::uint64_t offset = 0;
    std::size_t bytes = 0;
    detail::Strides strides{};
    bool contiguous = true;
  };
  /// The memory of storages: in the zip format by member, in the other one by position.
  struct Storage {
    const ZipMember* member = nullptr;
    std::uint64_t offset = 0, bytes = 0;
  };

  void open_archive();
  void open_legacy();
  [[nodiscard]] std::map<std::string, Storage, std::less<>> legacy_storages(const detail::Pickle& pickle,
                                                                            const detail::PickleValue& keys,
                                                                            std::uint64_t at) const;
  template <class FindStorage>
  void add_tensors(const detail::Pickle& pickle, detail::PickleValue::Id root, const FindStorage& find_storage);
  [[nodiscard]] static Place place(const detail::PickleTensor& tensor, const detail::PickleStorage& memory,
                                   const Storage& storage, const Shape& shape);
  [[nodiscard]] const Place& place_of(const StoredTensor& tensor) const {
    const auto found = by_name_.find(tensor.name);
    if (found == by_name_.end()) throw FileError(text("'", path(), "' has no tensor '", tensor.name, "'"));
    return places_[found->second];
  }
  void read_storage(const Place& place, std::uint64_t from, std::span<std::byte> to) const;

  InputFile file_;
  std::optional<ZipFile> archive_;
  std::vector<StoredTensor> tensors_;
  std::vector<Place> places_;  ///< of each tensor
  std::map<std::string, std::size_t, std::less<>> by_name_;
};

inline void PyTorchFile::open_archive() {
  constexpr std::string_view pickle_name = "/data.pkl";
  const ZipMember* main = nullptr;
  for (const ZipMember& member : archive_->members()) {
    if (!member.name.ends_with(pickle_name)) continue;
    if (main != nullptr) throw FileError(text("it has '", main->name, "' and '", member.name, "'"));
    main = &member;
  }
  if (main == nullptr) throw FileError("it has no data.pkl");
  const std::string folder = main->name.substr(0, main->name.size() - pickle_name.size() + 1);
  if (const ZipMember* order = archive_->find(folder + "byteorder"); order != nullptr) {
    const std::vector<std::byte> bytes = archive_->read(*order, 16);
    if (detail::ByteReader(bytes).peek_text() != "little") throw FileError("its numbers are not little-endian");
  }
  const std::vector<std::byte> bytes = archive_->read(*main, max_pickle);
  detail::Pickle pickle(bytes);
  const detail::PickleValue::Id root = pickle.load();
  add_tensors(pickle, root, [&](std::string_view key) -> Storage {
    const ZipMember* member = archive_->find(text(folder, "data/", key));
    if (member == nullptr) throw FileError(text("its storage '", key.substr(0, 60), "' is missing"));
    return {.member = member, .bytes = member->size};
  });
}

/// Pickles one after the other: magic number, version, machine, the object itself, the keys of the storages; then
/// these, each after its number of elements.
inline void PyTorchFile::open_legacy() {
  std::vector<std::byte> front(static_cast<std::size_t>(std::min(file_.size(), max_pickle)));
  file_.read_at(0, front);
  detail::Pickle pickle(front);
  if (!std::string_view(reinterpret_cast<const char*>(front.data()), front.size())
           .starts_with(detail::legacy_torch_magic))
    throw FileError("it begins neither as a zip archive nor as an older PyTorch file does");
  static_cast<void>(pickle.load());
  const detail::PickleValue protocol = pickle[pickle.load()], machine = pickle[pickle.load()];
  if (protocol.number != 1001) throw FileError(text("its version ", protocol.number, " is unknown; 1001 is read"));
  for (std::size_t i = 0; i + 1 < machine.items.size(); i += 2)
    if (pickle[machine.items[i]].text == "little_endian" && pickle[machine.items[i + 1]].number != 1)
      throw FileError("its numbers are not little-endian");
  const detail::PickleValue::Id root = pickle.load(), keys = pickle.load();
  const auto storages = legacy_storages(pickle, pickle[keys], front.size() - pickle.left());
  add_tensors(pickle, root, [&](std::string_view key) -> Storage {
    const auto found = storages.find(key);
    if (found == storages.end()) throw FileError(text("its storage '", key.substr(0, 60), "' is missing"));
    return found->second;
  });
}

inline std::map<std::string, PyTorchFile::Storage, std::less<>> PyTorchFile::legacy_storages(
    const detail::Pickle& pickle, const detail::PickleValue& keys, std::uint64_t at) const {
  std::map<std::string_view, const detail::PickleStorage*> described;
  for (const detail::PickleStorage& storage : pickle.storages()) described.emplace(storage.key, &storage);
  std::map<std::string, Storage, std::less<>> storages;
  for (const detail::PickleValue::Id id : keys.items) {
    const std::string_view key = pickle[id].text;
    const auto found = described.find(key);
    if (found == described.end()) throw FileError(text("its storage '", key.substr(0, 60), "' belongs to no tensor"));
    std::uint64_t count = 0;
    file_.read_at(at, std::as_writable_bytes(std::span(&count, 1)));
    at += sizeof count;
    const std::size_t size = size_of(found->second->dtype);
    if (count > (file_.size() - at) / size)
      throw FileError(text("its storage '", key.substr(0, 60), "' claims ", count, " elements of ", size,
                           " bytes, but the file has ", file_.size() - at, " more: truncated"));
    if (!storages.emplace(key, Storage{.offset = at, .bytes = count * size}).second)
      throw FileError(text("its storage '", key.substr(0, 60), "' stands twice"));
    at += count * size;
  }
  return storages;
}

template <class FindStorage>
void PyTorchFile::add_tensors(const detail::Pickle& pickle, detail::PickleValue::Id root,
                              const FindStorage& find_storage) {
  const detail::StateDict state(pickle, root);
  for (const detail::StateDict::Entry& entry : state.entries()) {
    const detail::PickleTensor& tensor = pickle.tensors()[entry.tensor];
    const detail::PickleStorage& memory = pickle.storages()[tensor.storage];
    try {
      const Shape shape(tensor.shape);
      places_.push_back(place(tensor, memory, find_storage(memory.key), shape));
      tensors_.push_back({.name = entry.name,
                          .dtype = memory.dtype,
                          .shape = shape,
                          .bytes = static_cast<std::size_t>(shape.size()) * size_of(memory.dtype)});
    } catch (const Error& error) {
      throw FileError(text("its tensor '", std::string_view(entry.name).substr(0, 200), "': ", error.what()));
    }
    by_name_.emplace(entry.name, by_name_.size());
  }
}

/// Checks that the tensor lies in its storage, and the storage in the file.
inline PyTorchFile::Place PyTorchFile::place(const detail::PickleTensor& tensor, const detail::PickleStorage& memory,
                                             const Storage& storage, const Shape& shape) {
  const auto size = static_cast<std::uint64_t>(size_of(memory.dtype));
  if (memory.count < 0 || storage.bytes % size != 0 || storage.bytes / size != static_cast<std::uint64_t>(memory.count))
    throw FileError(text("its storage should have ", memory.count, " elements of ", size, " bytes, but has ",
                         storage.bytes, " bytes"));
  if (tensor.strides.size() != tensor.shape.size() || tensor.offset < 0 || tensor.offset > memory.count)
    throw FileError("its strides or its offset do not fit its shape");
  // PyTorch's expanded tensors repeat elements; a file would not hold one, unless to have memory asked for.
  if (shape.size() > memory.count)
    throw FileError(text("its shape ", shape, " has more elements than its storage, which has ", memory.count));
  Place place{.member = storage.member, .offset = storage.offset + static_cast<std::uint64_t>(tensor.offset) * size};
  std::int64_t last = tensor.offset;
  for (int axis = 0; axis < shape.rank(); ++axis) {
    const auto a = static_cast<std::size_t>(axis);
    place.strides[a] = tensor.strides[a];
    std::int64_t step = 0;
    if (tensor.strides[a] < 0 ||
        __builtin_mul_overflow(std::max<std::int64_t>(0, shape[axis] - 1), tensor.strides[a], &step) ||
        __builtin_add_overflow(last, step, &last))
      last = memory.count;
  }
  if (shape.size() > 0 && last >= memory.count)
    throw FileError(text("of shape ", shape, " and strides (", join(tensor.strides),
                         ") it reaches beyond its storage of ", memory.count, " elements"));
  place.contiguous = detail::is_row_major(shape, place.strides);
  const std::int64_t spanned = shape.size() > 0 ? last - tensor.offset + 1 : 0;
  place.bytes = static_cast<std::size_t>(spanned) * size_of(memory.dtype);
  return place;
}

inline void PyTorchFile::read_storage(const Place& place, std::uint64_t from, std::span<std::byte> to) const {
  if (place.member == nullptr) return file_.read_at(place.offset + from, to);
  if (!place.member->deflated) return archive_->read_part(*place.member, place.offset + from, to);
  // PyTorch deflates nothing. A file may, but not to have a large storage unpacked again for each of many small
  // tensors.
  if (place.member->size / 64 > to.size() + (std::size_t{1} << 20U))
    throw FileError(text("'", path(), "': a tensor of ", to.size(), " bytes lies in a deflated storage of ",
                         place.member->size, "; save it without compression"));
  std::vector<std::byte> whole(static_cast<std::size_t>(place.member->size));
  archive_->read(*place.member, whole);
  const auto part = std::span(whole).subspan(static_cast<std::size_t>(place.offset + from), to.size());
  std::copy(part.begin(), part.end(), to.begin());
}

}  // namespace mien::inline v0
