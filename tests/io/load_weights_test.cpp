#include <doctest/doctest.h>

#include <cmath>
#include <cstdio>
#include <cstring>
#include <memory>
#include <set>

#include <mien/applications/resnet50.hpp>
#include <mien/applications/vgg16.hpp>
#include <mien/io.hpp>
#include <mien/io/formats/npz.hpp>
#include <mien/io/formats/open_tensor_file.hpp>
#include <mien/io/formats/pytorch.hpp>
#include <mien/io/formats/safetensors.hpp>
#include <mien/io/weights/known_names.hpp>
#include <mien/mien.hpp>

#include "formats/numbers.hpp"
#include "formats/temporary_folder.hpp"
#include "load_complaint.hpp"

using namespace mien;

namespace {

const std::string stored_weights = MIEN_TEST_REFERENCES "/weights/";

struct NetOptions {
  bool named = true;
  double epsilon = 1e-5;
  std::int64_t classes = 6;
};

/// The network of tests/references/weight_files.py.
Model<float> net(const NetOptions& options = {}) {
  const auto name = [&](const char* given) { return options.named ? std::string(given) : std::string(); };
  Node x = Input({6, 5, 3});
  Node y = Conv2D{.filters = 4, .kernel_size = 3, .padding = Padding::same, .name = name("conv1")}(x);
  y = BatchNormalization{.epsilon = options.epsilon, .name = name("bn1")}(y);
  y = Activation{.activation = relu}(y);
  y = Conv2D{.filters = 6, .kernel_size = {3, 2}, .groups = 2, .name = name("conv2")}(y);
  y = Flatten{}(y);
  y = BatchNormalization{.epsilon = options.epsilon, .name = name("bn2")}(y);
  y = Dropout{.rate = 0.5}(y);
  y = Dense{.units = 6, .activation = relu, .name = name("fc1")}(y);
  y = Dense{.units = options.classes, .name = name("fc2")}(y);
  return Model<float>(x, y, {.seed = 5});
}

Tensor<float> tensor_of(const TensorFile& file, const char* name) {
  Tensor<float> tensor(file.find(name)->shape);
  file.read(*file.find(name), std::as_writable_bytes(tensor.span()));
  return tensor;
}

/// The largest difference between the model's layers and PyTorch's, relative to the largest number of the layer.
double worst_difference(Model<float>& model, const std::vector<std::string>& layers) {
  const NpzFile outputs(stored_weights + "net_outputs.npz");
  const Tensor<float> x = tensor_of(outputs, "input");
  const char* reference[] = {"conv1", "bn1", "conv2", "bn2", "fc1", "fc2"};
  double worst = 0;
  for (std::size_t i = 0; i < layers.size(); ++i) {
    const Tensor<float> expected = tensor_of(outputs, reference[i]), got = model.output_of(layers[i], x);
    REQUIRE(expected.size() == got.size());
    // PyTorch's flattened elements are in channels-first order, ours are not.
    const bool flattened = std::string_view(reference[i]) == "bn2";
    double largest = 0, difference = 0;
    for (std::int64_t k = 0; k < got.size(); ++k) {
      const std::int64_t j = k % 96, row = flattened ? k / 96 * 96 + j % 6 * 16 + j / 6 : k;
      largest = std::max(largest, std::abs(double{expected[row]}));
      difference = std::max(difference, std::abs(double{expected[row]} - double{got[k]}));
    }
    worst = std::max(worst, difference / largest);
  }
  return worst;
}

const std::vector<std::string> layer_names{"conv1", "bn1", "conv2", "bn2", "fc1", "fc2"};

}  // namespace

TEST_CASE("a state dict of PyTorch gives its outputs, layer by layer") {
  Model<float> model = net();
  const WeightReport report = load_weights(model, stored_weights + "net.pt");
  CHECK(worst_difference(model, layer_names) < 1e-5);
  CHECK(report.matched_by == "name");
  CHECK(report.matched.size() == model.parameters().size());
  CHECK(report.missing.empty());
  CHECK(report.extra.empty());
  CHECK(report.notes.empty());
  CHECK(report.matched[0].change == "OIHW to HWIO");
  const std::string table = report.to_string();
  INFO(table);
  const auto has = [&](const char* part) { return table.find(part) != std::string::npos; };
  CHECK(has("' (PyTorch) into model 'model': 16 matched by name, 9 reshaped, 0 missing, 0 extra"));
  CHECK(has("F32 from (4, 3, 3, 3) OIHW to HWIO"));
  CHECK(has("F32 from (6, 96) transposed, rows to channels-last order"));
  CHECK(has("F32 to channels-last order"));
  CHECK(has("F32 zeros: not stored"));
}

TEST_CASE("the table is printed, to stdout unless told otherwise") {
  CHECK(LoadWeightsOptions{}.print_to == stdout);
  Model<float> model = net();
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> out(std::tmpfile(), &std::fclose);
  REQUIRE(out);
  const std::string table = load_weights(model, stored_weights + "net.pt", {.print_to = out.get()}).to_string();
  CHECK_THROWS_AS(load_weights(model, stored_weights + "missing.pt", {.print_to = out.get()}), FileError);
  std::rewind(out.get());
  std::string printed(table.size() + 1, ' ');
  printed.resize(std::fread(printed.data(), 1, printed.size(), out.get()));
  CHECK(printed == table);
}

TEST_CASE("half and double precision are converted; a predictor made before is not used any more") {
  Model<float> model = net();
  const NpzFile outputs(stored_weights + "net_outputs.npz");
  const Tensor<float> x = tensor_of(outputs, "input"), before = model.predict(x);
  load_weights(model, stored_weights + "net_half.pt");
  CHECK(worst_difference(model, layer_names) < 2e-3);
  load_weights(model, stored_weights + "net_double.pt");
  CHECK(worst_difference(model, layer_names) < 1e-5);
  const Tensor<float> after = model.predict(x);
  CHECK(std::memcmp(before.data(), after.data(), after.span().size_bytes()) != 0);
}

TEST_CASE("layers without common names are matched by their order") {
  Model<float> model = net({.named = false});
  const WeightReport report = load_weights(model, stored_weights + "net_numbered.pt");
  CHECK(report.matched_by == "order of the layers");
  CHECK(worst_difference(
            model, {"conv2d", "batch_normalization", "conv2d_1", "batch_normalization_1", "dense", "dense_1"}) < 1e-5);
  Model<float> other = net({.named = false, .classes = 5});
  CHECK(load_complaint(other, stored_weights + "net_numbered.pt").find("missing in the file") != std::string::npos);
}

TEST_CASE("names that all begin with those of networks around it are matched by the rest") {
  const TemporaryFolder folder;
  const PyTorchFile file(stored_weights + "net.pt");
  for (const char* prefix : {"module.", "module.backbone."}) {
    std::vector<std::vector<std::byte>> bytes;
    std::vector<NamedTensor> tensors;
    for (const StoredTensor& tensor : file.tensors()) file.read(tensor, bytes.emplace_back(tensor.bytes));
    for (std::size_t i = 0; i < bytes.size(); ++i)
      tensors.push_back({prefix + file.tensors()[i].name, file.tensors()[i].dtype, file.tensors()[i].shape, bytes[i]});
    write_safetensors(folder / "p", tensors);
    Model<float> model = net();
    const WeightReport report = load_weights(model, folder / "p");
    CHECK(report.matched_by == "name");
    CHECK(report.matched[0].tensor == text(prefix, "conv1.weight"));
    CHECK(worst_difference(model, layer_names) < 1e-5);
  }
}

TEST_CASE("an epsilon that is not the source's is said") {
  Model<float> model = net({.epsilon = 1e-3});
  const WeightReport report = load_weights(model, stored_weights + "net.pt");
  REQUIRE(report.notes.size() == 1);
  CHECK(report.notes[0].starts_with(
      "2 batch normalisations (first 'bn1') have epsilon 0.001; PyTorch's default is 1e-05"));
}

TEST_CASE("a file that does not fit is refused with a table; without strict, what fits is taken") {
  Model<float> model = net({.classes = 3});
  const std::string message = load_complaint(model, stored_weights + "net.pt");
  CHECK(message.find("other shape           fc2/kernel (6, 3), in the file (6, 6) (fc2.weight) instead of (3, 6)") !=
        std::string::npos);
  CHECK(message.find("other shape           fc2/bias (3,), in the file (6,)") != std::string::npos);
  CHECK(message.find("{.strict = false}") != std::string::npos);
  const Model<float> before = model;
  const WeightReport report = load_weights(model, stored_weights + "net.pt", {.strict = false});
  CHECK(report.matched.size() == 14);
  CHECK(report.missing.size() == 2);
  CHECK(report.missing[0].name == "fc2/kernel");
  CHECK(report.notes.size() == 2);
  CHECK(worst_difference(model, {"conv1", "bn1", "conv2", "bn2", "fc1"}) < 1e-5);
  CHECK(model.parameter("fc2/kernel")[0] == before.parameter("fc2/kernel")[0]);
  Model<float> stranger(Sequential{Input({4}), Dense{.units = 2}});
  CHECK_THROWS_AS(load_weights(stranger, stored_weights + "net.pt", {.strict = false}), FileError);
}

TEST_CASE("NaN and infinity load and are reported") {
  Model<float> model = net();
  const WeightReport report = load_weights(model, stored_weights + "net_nan.pt");
  CHECK(report.matched[0].not_finite == 2);
  CHECK(report.to_string().find("2 values are NaN or infinite") != std::string::npos);
  REQUIRE(report.notes.size() == 1);  // what a program prints that leaves the table out
  CHECK(report.notes[0] == "2 values are NaN or infinite, the first of 'conv1/kernel'");
  CHECK(std::isnan(model.parameter("conv1/kernel")[60]));
}

TEST_CASE("a file of the library's own loads with the same bits") {
  const TemporaryFolder folder;
  Model<float> model = net(), other = net();
  load_weights(model, stored_weights + "net.pt");
  save(model, folder / "m.safetensors");
  const WeightReport report = load_weights(other, folder / "m.safetensors");
  CHECK(report.reshaped().empty());
  CHECK(same_weights(model, other));
}

TEST_CASE("Keras's files load by name, and where there are only keys by these") {
  for (const char* name : {"keras_1.h5", "keras_2.h5", "whole_2_0.h5", "whole_3.h5"}) {
    INFO(name);
    const std::string path = std::string(MIEN_TEST_REFERENCES) + "/keras_hdf5/" + name;
    Model<float> model(Sequential{Input({4, 4, 1}), Conv2D{.filters = 2, .kernel_size = 3, .name = "stem"},
                                  BatchNormalization{.name = "norm"}, GlobalAveragePooling2D{},
                                  Dense{.units = 3, .name = "top"}});
    const WeightReport report = load_weights(model, path);
    CHECK(report.matched_by == "name");
    CHECK(report.reshaped().empty());
    const auto file = open_tensor_file(path);
    REQUIRE(file->tensors().size() == model.parameters().size());
    for (std::size_t i = 0; i < model.parameters().size(); ++i) {
      const std::vector<double> expected = numbers_of(*file, file->tensors()[i].name);
      const TensorView<float> got = model.parameter(model.parameters()[i].name);
      CHECK(std::equal(expected.begin(), expected.end(), got.begin(), got.end()));
    }
  }
  Model<float> model(Sequential{Input({3, 3, 1}), Conv2D{.filters = 2, .kernel_size = 3, .name = "first"},
                                Conv2D{.filters = 2, .kernel_size = 1, .name = "second"}});
  const std::string path = std::string(MIEN_TEST_REFERENCES) + "/keras_hdf5/keras_3_unnamed.weights.h5";
  CHECK(load_weights(model, path).matched_by == "Keras's keys");
  const std::vector<double> expected = numbers_of(*open_tensor_file(path), "layers/conv2d_1/vars/0");
  const TensorView<float> got = model.parameter("second/kernel");
  CHECK(std::equal(expected.begin(), expected.end(), got.begin(), got.end()));
}

TEST_CASE("files are known by their content") {
  const auto format = [&](const char* name) {
    return std::string(open_tensor_file(std::string(MIEN_TEST_REFERENCES) + "/" + name)->format());
  };
  CHECK(format("weights/state_zip.pt") == "PyTorch");
  CHECK(format("weights/state_legacy.pt") == "PyTorch");
  CHECK(format("weights/stored.npz") == "npz");
  CHECK(format("weights/rows.npy") == "npy");
  CHECK(format("keras_hdf5/keras_2.h5") == "Keras HDF5");
  CHECK(format("keras_hdf5/stored.keras") == "Keras HDF5");
  const TemporaryFolder folder;
  save(net(), folder / "weights.h5");
  CHECK(open_tensor_file(folder / "weights.h5")->format() == "safetensors");
  const auto refused = [&](const std::string& bytes, const char* why) {
    set_content(folder / "file", bytes);
    CHECK_THROWS_WITH_AS(static_cast<void>(open_tensor_file(folder / "file")), doctest::Contains(why), FileError);
  };
  refused("", "no weight file that is known");
  refused("GGUF and more than sixteen bytes", "no weight file that is known");
  refused("\x80\x04\x95 and so on", "a pickle of Python, but no state dict");
  CHECK_THROWS_WITH_AS(static_cast<void>(open_tensor_file(stored_weights + "members.zip")),
                       doctest::Contains("holds neither a state dict"), FileError);
}

TEST_CASE("every layer of VGG16 and ResNet50 has a name of its own elsewhere") {
  const auto check = [](const Application& application, auto translate, std::size_t expected) {
    std::set<std::string> names;
    const Topology graph = sort_graph(application.input, application.output);
    for (int i = 0; i < graph.size(); ++i) {
      const auto n = static_cast<std::size_t>(i);
      const std::string_view type = graph.nodes[n].layer().type();
      const bool has_weights = type == "Conv2D" || type == "Dense" || type == "BatchNormalization";
      const std::string name = translate(graph.names[n]);
      INFO(graph.names[n]);
      CHECK(name.empty() != has_weights);
      if (has_weights) CHECK(names.insert(name).second);
    }
    CHECK(names.size() == expected);
  };
  check(vgg16(), io::torchvision_vgg16_name, 16);
  check(resnet50(), io::torchvision_resnet50_name, 107);
  check(resnet50(), io::old_keras_resnet50_name, 107);
  CHECK(io::torchvision_vgg16_name("block5_conv3") == "features.28");
  CHECK(io::torchvision_resnet50_name("conv3_block4_0_bn") == "layer2.3.downsample.1");
  CHECK(io::torchvision_resnet50_name("conv5_block3_3_conv") == "layer4.2.conv3");
  CHECK(io::old_keras_resnet50_name("conv4_block6_2_bn") == "bn4f_branch2b");
  CHECK(io::old_keras_resnet50_name("conv2_block1_0_conv") == "res2a_branch1");
}

TEST_CASE("files cut at 200 places leave the model as it was") {
  const TemporaryFolder folder;
  Model<float> model = net();
  save(model, folder / "m.safetensors");
  std::vector<std::string> names{stored_weights + "net.pt", stored_weights + "net_double.pt",
                                 (folder / "m.safetensors").string()};
  for (const std::string& name : names) {
    const std::string whole = content(name);
    for (std::size_t i = 0; i < 200; ++i) {
      set_content(folder / "cut", whole.substr(0, whole.size() * i / 200));
      CHECK_FALSE(load_complaint(model, folder / "cut").empty());
    }
  }
}

TEST_CASE("a damaged tensor is noticed before the first weight changes") {
  const TemporaryFolder folder;
  Model<float> model = net();
  std::string bytes = content(stored_weights + "net.pt");
  const NpzFile outputs(stored_weights + "net_outputs.npz");
  const PyTorchFile intact(stored_weights + "net.pt");
  std::vector<std::byte> last(intact.find("fc2.weight")->bytes);
  intact.read(*intact.find("fc2.weight"), last);
  const std::string needle(reinterpret_cast<const char*>(last.data()), last.size());
  const std::size_t at = bytes.find(needle);
  REQUIRE(at != std::string::npos);
  bytes[at + 8] = static_cast<char>(bytes[at + 8] ^ 1);
  set_content(folder / "damaged", bytes);
  CHECK(load_complaint(model, folder / "damaged").find("'fc2.weight' is damaged: its checksum differs") !=
        std::string::npos);
}

TEST_CASE("no changed bytes of a state dict half-load a model") {
  const TemporaryFolder folder;
  for (const char* name : {"net.pt", "net_double.pt"}) {
    const std::string whole = content(stored_weights + name);
    Model<float> model = net();
    for (std::uint64_t i = 0; i < 500; ++i) {
      std::string bytes = whole;
      Random random(RandomKey{.seed = 10, .step = i});
      for (int flips = 0; flips < 2; ++flips) {
        char& byte = bytes[random.below(static_cast<std::uint32_t>(bytes.size()))];
        byte = static_cast<char>(byte ^ (1 << random.below(8)));
      }
      set_content(folder / "changed", bytes);
      static_cast<void>(load_complaint(model, folder / "changed"));
    }
  }
}
