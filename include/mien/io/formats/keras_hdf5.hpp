#pragma once
// Keras's HDF5 files as named tensors: what weights are in them, whose they are, and in which order.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <mien/io/formats/front.hpp>
#include <mien/io/formats/hdf5/file.hpp>
#include <mien/io/formats/keras_keys.hpp>
#include <mien/io/formats/tensor_file.hpp>
#include <mien/io/formats/zip.hpp>

namespace mien::inline v0 {

/// The two ways in which Keras lays weights out in HDF5.
enum class KerasLayout : int {
  layers,    ///< Keras 1 and 2, and `.h5` of Keras 3: a group for each layer, the names in layer_names, weight_names
  variables  ///< `.weights.h5` of Keras 3, and in a `.keras`: layers/<class>_<number>/vars/<number>
};

/// A weight file of Keras: `save_weights` and whole models (`.h5`, `.hdf5`) of Keras 1 to 3, those of
/// keras.applications and keras-vggface, Keras 3's `.weights.h5`, and the one inside a `.keras`.
///
/// Tensors of the layout `layers` are named as the file names them, with the layer in front where the file leaves it
/// out: "conv1/kernel:0", "block1_conv1/block1_conv1_W_1:0". They come in the order of the model's layers.
/// Tensors of the layout `variables` have their path as name: "layers/conv2d_1/vars/0"; `layer` is the layer's name
/// where the file has it (Keras 3.10 has), else the key "conv2d_1". That layout does not say in which order the layers
/// are: they come sorted by key, numbers as numbers. Who has the model finds its layers by key (`KerasKeys`).
class KerasHdf5File final : public TensorFile {
 public:
  /// Throws FileError if it is missing, truncated, damaged, not HDF5, or holds no weights of Keras.
  explicit KerasHdf5File(const std::filesystem::path& path) {
    const std::string front = detail::front_of(InputFile(path), 16);
    if (detail::looks_like_safetensors(front))
      throw FileError(text("'", path.string(), "' is safetensors, not a file of Keras: load_model reads a whole model ",
                           "of mien, load_weights weights"));
    front.starts_with(detail::zip_magic) ? open_archive(path) : open(std::make_unique<const Hdf5File>(path));
  }

  [[nodiscard]] const std::string& path() const override { return file_->path(); }
  [[nodiscard]] std::string_view format() const override { return "Keras HDF5"; }
  [[nodiscard]] const std::vector<StoredTensor>& tensors() const override { return tensors_; }
  [[nodiscard]] const StoredTensor* find(std::string_view name) const override {
    const auto found = by_name_.find(name);
    return found == by_name_.end() ? nullptr : &tensors_[found->second];
  }
  void read(const StoredTensor& tensor, std::span<std::byte> to) const override {
    const auto found = by_name_.find(tensor.name);
    if (found == by_name_.end()) throw FileError(text("'", path(), "' has no tensor '", tensor.name, "'"));
    file_->read(*objects_[found->second], to);
  }

  void stream(const StoredTensor& tensor, const ByteSink& sink) const override {
    // Without a position the tensor does not lie in one piece.
    if (tensor.offset == 0) return TensorFile::stream(tensor, sink);
    const auto found = by_name_.find(tensor.name);
    if (found == by_name_.end()) throw FileError(text("'", path(), "' has no tensor '", tensor.name, "'"));
    detail::stream_pieces(tensor.bytes, sink, [&](std::size_t at, std::span<std::byte> part) {
      file_->read_part(objects_[found->second]->dataset(), at, part);
    });
  }

  [[nodiscard]] KerasLayout layout() const { return layout_; }
  /// All of the file: groups, attributes, datasets.
  [[nodiscard]] const Hdf5File& file() const { return *file_; }
  /// The group that the weights are in: the root, or "/model_weights" in a whole model.
  [[nodiscard]] const hdf5::Object& weights() const { return *weights_; }
  /// The layers of the layout `layers` in the model's order, those without weights too.
  [[nodiscard]] const std::vector<std::string>& layers() const { return layers_; }

  /// The architecture as JSON: an attribute of a whole model, or the config.json of a `.keras`.
  [[nodiscard]] std::optional<std::string> model_config() const {
    return archive_config_ ? archive_config_ : attribute("model_config");
  }
  /// The metadata.json of a `.keras`: {"keras_version": "3.10.0", ...}.
  [[nodiscard]] const std::optional<std::string>& archive_metadata() const { return archive_metadata_; }
  /// Attributes of an `.h5`, where it has them: "2.15.0", "tensorflow".
  [[nodiscard]] std::optional<std::string> keras_version() const { return attribute("keras_version"); }
  [[nodiscard]] std::optional<std::string> backend() const { return attribute("backend"); }

 private:
  template <class... Parts>
  [[noreturn]] void fail(const Parts&... parts) const {
    throw FileError(text("'", path(), "': ", parts...));
  }

  [[nodiscard]] std::optional<std::string> attribute(std::string_view name) const {
    auto value = file_->root().string_attribute(name);
    return value || weights_ == &file_->root() ? value : weights_->string_attribute(name);
  }

  void open_archive(const std::filesystem::path& path);
  void open(std::unique_ptr<const Hdf5File> file) {
    file_ = std::move(file);
    find_weights();
  }
  void find_weights();
  [[nodiscard]] std::optional<std::vector<std::string>> names(const hdf5::Object& group, std::string_view name) const;
  void add_layers(const std::vector<std::string>& layers);
  void add_layer(const std::string& layer, const hdf5::Object& group);
  void add_variables(const hdf5::Object& group);
  void add_vars(const hdf5::Object& vars);
  void add_tensor(std::string name, const std::string& layer, const hdf5::Object& object);

  std::optional<std::string> archive_config_, archive_metadata_;
  std::unique_ptr<const Hdf5File> file_;
  const hdf5::Object* weights_ = nullptr;
  KerasLayout layout_ = KerasLayout::layers;
  std::vector<std::string> layers_;
  std::vector<StoredTensor> tensors_;
  std::vector<const hdf5::Object*> objects_;  // the dataset of each tensor
  std::map<std::string, std::size_t, std::less<>> by_name_;
};

/// A `.keras`: a zip archive whose member with the weights is an HDF5 file, stored as it is.
inline void KerasHdf5File::open_archive(const std::filesystem::path& path) {
  const ZipFile archive(path);
  const auto text_of = [&](const char* name) -> std::optional<std::string> {
    constexpr std::uint64_t longest = std::uint64_t{16} << 20U;
    const ZipMember* member = archive.find(name);
    if (member == nullptr) return std::nullopt;
    const std::vector<std::byte> bytes = archive.read(*member, longest);
    return std::string(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  };
  constexpr const char* name = "model.weights.h5";
  const ZipMember* member = archive.find(name);
  if (member == nullptr)
    throw FileError(text("'", archive.path(), "' is a zip archive without the member '", name,
                         "': it is no .keras file, or one whose weights are not HDF5"));
  if (member->deflated)
    throw FileError(text("'", archive.path(), "': its member '", name,
                         "' is compressed, which Keras never does; unpack it and read it by itself"));
  archive.verify(*member);
  archive_config_ = text_of("config.json");
  archive_metadata_ = text_of("metadata.json");
  open(std::make_unique<const Hdf5File>(archive.path() + "/" + name, InputFile(path), member->offset, member->size));
}

inline void KerasHdf5File::find_weights() {
  weights_ = &file_->root();
  auto layers = names(*weights_, "layer_names");
  if (const hdf5::Object* inner = weights_->find("model_weights"); !layers && inner != nullptr) {
    weights_ = inner;
    layers = names(*weights_, "layer_names");
    if (!layers) fail("/model_weights has no attribute 'layer_names': it is damaged, or was not written by Keras");
  }
  if (layers) {
    add_layers(*layers);
    return;
  }
  layout_ = KerasLayout::variables;
  const bool known = weights_->find("layers") != nullptr ||
                     weights_->find("_layer_checkpoint_dependencies") != nullptr || weights_->find("vars") != nullptr;
  if (!known) fail("is HDF5, but holds no weights of Keras: there is no attribute 'layer_names' and no group 'layers'");
  add_variables(*weights_);
}

/// A list of names in an attribute, or in several: Keras splits one that is larger than HDF5 allows (64 kB) into name0,
/// name1, ... An empty list may be of any type. Nothing if there is no such attribute.
inline std::optional<std::vector<std::string>> KerasHdf5File::names(const hdf5::Object& group,
                                                                    std::string_view name) const {
  const auto list = [&](const hdf5::Attribute& attribute) -> const std::vector<std::string>& {
    if (attribute.type.kind == hdf5::Datatype::Kind::number && attribute.shape.size() != 0)
      fail("attribute '", attribute.name, "' of ", group.path(), " should be a list of names");
    return attribute.strings;
  };
  if (const hdf5::Attribute* whole = group.attribute(name)) return list(*whole);
  std::vector<std::string> all;
  int parts = 0;
  while (const hdf5::Attribute* part = group.attribute(text(name, parts))) {
    all.insert(all.end(), list(*part).begin(), list(*part).end());
    ++parts;
  }
  return parts == 0 ? std::nullopt : std::optional(std::move(all));
}

inline void KerasHdf5File::add_layers(const std::vector<std::string>& layers) {
  std::set<std::string_view> seen;
  for (const std::string& layer : layers) {
    const hdf5::Object* group = weights_->find(layer);
    if (layer.empty() || group == nullptr || group->is_dataset())
      fail("layer_names lists '", layer, "', but ", weights_->path(), " has no group of that name");
    if (!seen.insert(layer).second) fail("layer_names lists '", layer, "' twice");
    add_layer(layer, *group);
    layers_.push_back(layer);
  }
  // What belongs to the model and to none of its layers.
  constexpr const char* rest = "top_level_model_weights";
  if (const hdf5::Object* group = weights_->find(rest); group != nullptr && !seen.contains(rest))
    add_layer(rest, *group);
}

inline void KerasHdf5File::add_layer(const std::string& layer, const hdf5::Object& group) {
  const auto weights = names(group, "weight_names");
  if (!weights) fail("layer '", layer, "' has no attribute 'weight_names'");
  for (const std::string& weight : *weights) {
    const hdf5::Object* dataset = group.find(weight);
    if (dataset == nullptr || !dataset->is_dataset())
      fail("layer '", layer, "' lists the weight '", weight, "', but ", group.path(), " has no dataset of that name");
    add_tensor(weight.starts_with(layer + "/") ? weight : layer + "/" + weight, layer, *dataset);
  }
}

/// The tensors of the vars groups in this group and below it. What an optimizer remembers and the state of random
/// numbers are no weights.
inline void KerasHdf5File::add_variables(const hdf5::Object& group) {
  std::vector<const hdf5::Object*> children = group.children();
  std::sort(children.begin(), children.end(), [](const hdf5::Object* a, const hdf5::Object* b) {
    return detail::keras_key_order(a->name()) < detail::keras_key_order(b->name());
  });
  for (const hdf5::Object* child : children) {
    if (child->is_dataset() || child->name() == "seed_generator") continue;
    if (child->name() == "optimizer" && &group == weights_) continue;
    child->name() == "vars" ? add_vars(*child) : add_variables(*child);
  }
}

/// The datasets 0, 1, 2, ... of a vars group, in the order of these numbers.
inline void KerasHdf5File::add_vars(const hdf5::Object& vars) {
  const std::string path = vars.path().substr(1);
  const std::string owner = path.substr(0, path.rfind('/'));
  const std::string layer = vars.string_attribute("name").value_or(owner.substr(owner.rfind('/') + 1));
  const std::size_t count = vars.children().size();
  for (std::size_t i = 0; i < count; ++i) {
    const hdf5::Object* dataset = vars.find(text(i));
    if (dataset == nullptr || !dataset->is_dataset())
      fail(vars.path(), " has ", count, " entries, but no dataset '", i, "' among them");
    add_tensor(text(path, "/", i), layer, *dataset);
  }
}

inline void KerasHdf5File::add_tensor(std::string name, const std::string& layer, const hdf5::Object& object) {
  const hdf5::Dataset& dataset = object.dataset();
  // Keras writes all of every weight. What the file does not hold would be memory asked for by its word alone; deflate
  // makes at most 1032 bytes of one.
  const bool written = dataset.storage == hdf5::Storage::compact || dataset.address != hdf5::undefined_address;
  if (dataset.bytes > 0 && !written) fail("tensor '", name, "' was never written");
  if (dataset.bytes / 1100 > file_->size())
    fail("tensor '", name, "' claims ", dataset.bytes, " bytes, which a file of ", file_->size(), " cannot hold");
  if (!by_name_.emplace(name, tensors_.size()).second) fail("two tensors are named '", name, "'");
  tensors_.push_back({std::move(name), dataset.dtype, dataset.shape, file_->position(dataset),
                      static_cast<std::size_t>(dataset.bytes), layer});
  objects_.push_back(&object);
}

}  // namespace mien::inline v0
