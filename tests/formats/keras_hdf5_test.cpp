#include <folder_beside.hpp>
#include <formats/hdf5_files.hpp>

using namespace mien;

namespace hdf5_files {

/// "name [layer] shape" of every tensor, in order.
inline std::vector<std::string> listing(const KerasHdf5File& file) {
  std::vector<std::string> lines;
  for (const StoredTensor& tensor : file.tensors())
    lines.push_back(text(tensor.name, " [", tensor.layer, "] ", tensor.shape));
  return lines;
}

/// Whether every tensor holds the numbers of the dataset at its path: group + "/" + name, with an optional infix.
inline bool tensors_hold(const KerasHdf5File& file, const std::function<std::string(const StoredTensor&)>& path_of) {
  for (const StoredTensor& tensor : file.tensors()) {
    std::vector<float> values(static_cast<std::size_t>(tensor.shape.size()));
    file.read(tensor, std::as_writable_bytes(std::span(values)));
    for (std::size_t i = 0; i < values.size(); ++i)
      if (values[i] != number(path_of(tensor), i, DType::f32)) return false;
  }
  return !file.tensors().empty();
}

/// "stem/kernel:0" is the dataset "/stem/stem/kernel:0".
inline std::string inside_layer(const StoredTensor& tensor) { return "/" + tensor.layer + "/" + tensor.name; }

using Lines = std::vector<std::string>;

}  // namespace hdf5_files

TEST_CASE("Keras HDF5: weights of Keras 2, in the order of the layers") {
  const KerasHdf5File file(hdf5_files::reference("keras_2.h5"));
  CHECK(hdf5_files::listing(file) ==
        hdf5_files::Lines{"stem/kernel:0 [stem] (3, 3, 1, 2)", "stem/bias:0 [stem] (2,)", "norm/gamma:0 [norm] (2,)",
                          "norm/beta:0 [norm] (2,)", "norm/moving_mean:0 [norm] (2,)",
                          "norm/moving_variance:0 [norm] (2,)", "top/kernel:0 [top] (2, 3)", "top/bias:0 [top] (3,)"});
  CHECK(hdf5_files::tensors_hold(file, hdf5_files::inside_layer));
  CHECK(file.layout() == KerasLayout::layers);
  CHECK(file.layers() == hdf5_files::Lines{"input_1", "stem", "norm", "top"});
  CHECK(file.backend() == "tensorflow");
  CHECK(file.keras_version() == "2.8.0");
  CHECK(file.model_config() == std::nullopt);
  CHECK(file.format() == "Keras HDF5");
  REQUIRE(file.find("top/bias:0") != nullptr);
  CHECK(file.find("top/bias:0")->shape == Shape{3});
  CHECK(file.find("top/bias") == nullptr);
  std::vector<std::byte> wrong(11);
  CHECK_THROWS_AS(file.read(*file.find("top/bias:0"), wrong), FileError);
  CHECK_THROWS_AS(file.read(StoredTensor{.name = "nobody", .shape = {}}, wrong), FileError);
}

TEST_CASE("Keras HDF5: a contiguous tensor's offset is where its bytes lie") {
  const auto path = hdf5_files::reference("keras_2.h5");
  const KerasHdf5File file(path);
  const std::string whole = content(path);
  for (const StoredTensor& tensor : file.tensors()) {
    std::vector<std::byte> bytes(tensor.bytes);
    file.read(tensor, bytes);
    CHECK(std::memcmp(&whole[tensor.offset], bytes.data(), bytes.size()) == 0);
  }
}

TEST_CASE("Keras HDF5: names of Keras 1 get their layer in front") {
  const KerasHdf5File file(hdf5_files::reference("keras_1.h5"));
  const auto lines = hdf5_files::listing(file);
  REQUIRE(lines.size() == 8);
  CHECK(lines[0] == "stem/stem_W_1:0 [stem] (3, 3, 1, 2)");
  CHECK(lines[5] == "norm/norm_running_std_1:0 [norm] (2,)");
  CHECK(hdf5_files::tensors_hold(file, [](const StoredTensor& tensor) { return "/" + tensor.name; }));
  CHECK(file.keras_version() == std::nullopt);
}

TEST_CASE("Keras HDF5: layers whose names have a slash") {
  const KerasHdf5File file(hdf5_files::reference("vggface.h5"));
  CHECK(file.layers() == hdf5_files::Lines{"conv1_1", "fc6", "fc6/relu", "fc7", "fc7/relu"});
  CHECK(file.tensors().size() == 6);
  CHECK(hdf5_files::tensors_hold(file, hdf5_files::inside_layer));
}

TEST_CASE("Keras HDF5: the weights and the architecture of whole models") {
  for (const char* name : {"whole_2_0.h5", "whole_3.h5"}) {
    CAPTURE(name);
    const KerasHdf5File file(hdf5_files::reference(name));
    CHECK(file.weights().path() == "/model_weights");
    CHECK(file.tensors().size() == 8);
    CHECK(file.model_config()->starts_with("{\"class_name\": \"Functional\""));
    CHECK(file.model_config()->size() > 600);
    CHECK(file.file().root().string_attribute("training_config").has_value());
    CHECK(file.file().find("optimizer_weights/iterations:0")->dataset().dtype == DType::i64);
    CHECK(hdf5_files::tensors_hold(file, [](const StoredTensor& t) { return "/model_weights/" + t.name; }));
  }
  const KerasHdf5File old(hdf5_files::reference("whole_2_0.h5")), recent(hdf5_files::reference("whole_3.h5"));
  CHECK(hdf5_files::listing(old).front() == "stem/stem_1/kernel:0 [stem] (3, 3, 1, 2)");
  CHECK(hdf5_files::listing(recent).front() == "stem/functional/stem/kernel [stem] (3, 3, 1, 2)");
  CHECK(old.keras_version() == "2.0.5");
}

TEST_CASE("Keras HDF5: lists of names in several attributes, and B-trees of several levels") {
  const KerasHdf5File split(hdf5_files::reference("split_names.h5"));
  CHECK(split.layers() == hdf5_files::Lines{"layer_0", "layer_1", "layer_2"});
  CHECK(split.tensors().size() == 6);
  CHECK(hdf5_files::tensors_hold(split, hdf5_files::inside_layer));
  const KerasHdf5File deep(hdf5_files::reference("deep_tree.h5"));
  CHECK(deep.layers().size() == 11);
  CHECK(deep.layers()[10] == "layer_10");
  CHECK(hdf5_files::tensors_hold(deep, hdf5_files::inside_layer));
}

TEST_CASE("Keras HDF5: superblock 3, object headers 2 and links in messages") {
  const KerasHdf5File file(hdf5_files::reference("newer_format.h5"));
  CHECK(file.tensors().size() == 6);
  CHECK(hdf5_files::tensors_hold(file, hdf5_files::inside_layer));
}

TEST_CASE("Keras HDF5: weights of Keras 3 by class and number") {
  const KerasHdf5File file(hdf5_files::reference("keras_3.weights.h5"));
  CHECK(file.layout() == KerasLayout::variables);
  const auto lines = hdf5_files::listing(file);
  REQUIRE(lines.size() == 18);
  CHECK(lines[0] == "layers/conv2d/vars/0 [stem] (3, 3, 1, 2)");
  CHECK(lines[3] == "layers/conv2d_1/vars/1 [conv_a] (2,)");
  CHECK(lines[4] == "layers/conv2d_9/vars/0 [conv_c] (1, 1, 1, 2)");
  CHECK(lines[5] == "layers/conv2d_10/vars/0 [conv_b] (1, 1, 2, 1)");
  CHECK(lines[6] == "layers/functional/layers/conv2d/vars/0 [base_conv] (1, 1, 2, 2)");
  CHECK(lines[17] == "layers/many/vars/10 [many] (11,)");
  CHECK(hdf5_files::tensors_hold(file, [](const StoredTensor& tensor) { return "/" + tensor.name; }));
  CHECK(hdf5_files::listing(KerasHdf5File(hdf5_files::reference("keras_3_unnamed.weights.h5"))).front() ==
        "layers/conv2d/vars/0 [conv2d] (3, 3, 1, 2)");
}

TEST_CASE("Keras HDF5: the weights inside a .keras") {
  const KerasHdf5File file(hdf5_files::reference("stored.keras"));
  CHECK(file.tensors().size() == 4);
  CHECK(hdf5_files::tensors_hold(file, [](const StoredTensor& tensor) { return "/" + tensor.name; }));
  CHECK(file.model_config() == "{\"class_name\": \"Sequential\"}");
  CHECK(file.archive_metadata() == "{\"keras_version\": \"3.10.0\"}");
  CHECK(hdf5_files::contains(file.path(), "stored.keras/model.weights.h5"));
  CHECK(hdf5_files::contains(hdf5_files::complaint(hdf5_files::reference("deflated.keras")), "is compressed"));
  CHECK(hdf5_files::contains(
      hdf5_files::complaint(std::filesystem::path(MIEN_TEST_REFERENCES) / "weights" / "members.zip"),
      "without the member 'model.weights.h5'"));
}

TEST_CASE("Keras HDF5: keys of Keras 3") {
  KerasKeys keys;
  CHECK(keys.next("Conv2D") == "conv2d");
  CHECK(keys.next("BatchNormalization") == "batch_normalization");
  CHECK(keys.next("Conv2D") == "conv2d_1");
  CHECK(keys.next("Conv2D") == "conv2d_2");
  for (const auto& [name, key] :
       std::vector<std::pair<const char*, const char*>>{{"ReLU", "re_lu"},
                                                        {"LeakyReLU", "leaky_re_lu"},
                                                        {"PReLU", "p_re_lu"},
                                                        {"UpSampling2D", "up_sampling2d"},
                                                        {"GlobalAveragePooling2D", "global_average_pooling2d"},
                                                        {"SeparableConv2D", "separable_conv2d"},
                                                        {"InputLayer", "input_layer"},
                                                        {"Add", "add"},
                                                        {"ELU", "elu"},
                                                        {"ZeroPadding2D", "zero_padding2d"}})
    CHECK(keras_snake_case(name) == key);
}

TEST_CASE("Keras HDF5: what is wrong with a file is said") {
  using hdf5_files::complaint, hdf5_files::contains, hdf5_files::reference;
  const TemporaryFolder folder;
  set_content(folder / "text", std::string(2000, 'x'));
  CHECK(contains(complaint(folder / "text"), "not an HDF5 file"));
  set_content(folder / "safetensors", std::string("\2\0\0\0\0\0\0\0{}", 10));
  CHECK(contains(complaint(folder / "safetensors"), "is safetensors, not a file of Keras: load_model reads"));
  set_content(folder / "empty", "");
  CHECK(contains(complaint(folder / "empty"), "not an HDF5 file"));
  CHECK(contains(complaint(folder / "missing"), "cannot read"));
  CHECK(contains(complaint(folder / "."), "not a regular file"));
  CHECK(contains(complaint(reference("kinds.h5")), "no weights of Keras"));

  hdf5_files::Patched file(folder, reference("keras_2.h5"));
  const auto with = [&](const std::string& from, std::string_view to) {
    const std::size_t at = file.original().find(from);
    REQUIRE(at != std::string::npos);
    file.change(at, to);
    std::string message = complaint(file.path());
    file.restore(at, to.size());
    return message;
  };
  // The first of each is the name of a link or of an attribute, the strings of layer_names stand in the global heap.
  CHECK(contains(with("layer_names", "layer_nomes"), "no weights of Keras"));
  CHECK(contains(with("weight_names", "weight_nomes"), "has no attribute 'weight_names'"));
  CHECK(contains(with("stem", "stom"), "layer_names lists"));
  CHECK(contains(with("kernel:0", "kernel:1"), "lists the weight"));
  CHECK(complaint(file.path()).empty());
}

TEST_CASE("Keras HDF5: a real file of Keras 2.0.5, where it is") {
  const auto folder = keras_models_folder();
  if (!folder) {
    MESSAGE("skipped: there are no models of Keras; MIEN_KERAS_MODELS names a folder of them");
    return;
  }
  const std::filesystem::path path = *folder / "fer2013_mini_XCEPTION.107-0.66.hdf5";
  const KerasHdf5File file(path);
  CHECK(file.keras_version() == "2.0.5");
  CHECK(file.layers().size() == 46);
  std::int64_t parameters = 0;
  for (const StoredTensor& tensor : file.tensors()) {
    std::vector<float> values(static_cast<std::size_t>(tensor.shape.size()));
    file.read(tensor, std::as_writable_bytes(std::span(values)));
    for (const float value : values) REQUIRE(std::abs(value) < 1e4F);
    parameters += tensor.shape.size();
  }
  CHECK(parameters == 58423);
}
