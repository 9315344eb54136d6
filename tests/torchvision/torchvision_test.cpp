#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include <mien/applications/resnet50.hpp>
#include <mien/applications/vgg16.hpp>
#include <mien/io.hpp>
#include <mien/io/formats/npz.hpp>
#include <mien/mien.hpp>

using namespace mien;

namespace {

std::string torchvision_file(const char* name) {
  const char* folder = std::getenv("MIEN_TORCHVISION_FILES");
  REQUIRE_MESSAGE(folder != nullptr, "run this program through tests/torchvision/check.sh");
  return std::string(folder) + "/" + name;
}

/// They need h5py, which PyTorch does not.
bool has_keras_files() {
  const bool has = std::filesystem::exists(torchvision_file("vgg16_keras_1.h5"));
  if (!has) MESSAGE("h5py is not installed (python3-h5py): no files of Keras to compare with");
  return has;
}

Tensor<float> array(const NpzFile& file, const std::string& name) {
  const StoredTensor* stored = file.find(name);
  REQUIRE_MESSAGE(stored != nullptr, name);
  Tensor<float> tensor(stored->shape);
  file.read(*stored, std::as_writable_bytes(tensor.span()));
  return tensor;
}

/// Every layer of the file against the model's.
void check_layers(Model<float>& model, const char* outputs, std::size_t layers) {
  const NpzFile file(torchvision_file(outputs));
  const Tensor<float> x = array(file, "input");
  CHECK(file.tensors().size() == layers + 1);
  for (const StoredTensor& stored : file.tensors()) {
    if (stored.name == "input") continue;
    INFO(stored.name);
    const Tensor<float> expected = array(file, stored.name), got = model.output_of(stored.name, x);
    REQUIRE(expected.shape() == got.shape());
    double largest = 0, difference = 0;
    for (std::int64_t i = 0; i < got.size(); ++i) {
      largest = std::max(largest, std::abs(double{expected[i]}));
      difference = std::max(difference, std::abs(double{expected[i]} - double{got[i]}));
    }
    CHECK(largest > 0);
    CHECK(difference <= 1e-4 * largest);
  }
}

/// A number of kB in /proc/self/status.
double memory(const std::string& name) {
  std::ifstream status("/proc/self/status");
  for (std::string word; status >> word;)
    if (word == name + ":") {
      double kilobytes = 0;
      status >> kilobytes;
      return kilobytes * 1024;
    }
  return 0;
}

}  // namespace

TEST_CASE("VGG16 with its dense layers at 224 px: outputs, and the memory that loading takes") {
  Model<float> model(vgg16());
  model.set_preprocessing({});
  const std::string path = torchvision_file("vgg16.pth");
  std::ofstream("/proc/self/clear_refs") << "5";  // the peak starts anew
  const double before = memory("VmRSS");
  const WeightReport report = load_weights(model, path);
  const double rise = memory("VmHWM") - before, size = static_cast<double>(std::filesystem::file_size(path));
  MESSAGE("loading ", size / 1e6, " MB took ", rise / 1e6, " MB");
  CHECK(rise < 0.3 * size);
  CHECK(report.matched_by == "torchvision's names");
  CHECK(report.matched.size() == 32);
  CHECK(report.reshaped().size() == 16);
  check_layers(model, "vgg16_224.npz", 4);
}

TEST_CASE("VGG16's convolutions at 48 px, from the file with the dense layers") {
  Model<float> model(vgg16({.include_top = false, .input_shape = {48, 48, 3}}));
  model.set_preprocessing({});
  const std::string path = torchvision_file("vgg16.pth");
  CHECK_THROWS_WITH_AS(load_weights(model, path), doctest::Contains("unknown to the model  classifier.0.weight"),
                       FileError);
  const WeightReport report = load_weights(model, path, {.strict = false});
  CHECK(report.missing.empty());
  CHECK(report.extra.size() == 6);
  check_layers(model, "vgg16_48.npz", 13);
}

TEST_CASE("VGG16's convolutions from each of Keras's layouts, written by h5py") {
  if (!has_keras_files()) return;
  for (const char* name : {"vgg16_keras_1.h5", "vgg16_keras_2.h5", "vgg16_whole.h5", "vgg16.weights.h5"}) {
    INFO(name);
    Model<float> model(vgg16({.include_top = false, .input_shape = {48, 48, 3}}));
    model.set_preprocessing({});
    CHECK(load_weights(model, torchvision_file(name)).matched.size() == 26);
    check_layers(model, "vgg16_48.npz", 13);
  }
}

TEST_CASE("ResNet50 v1 from Keras's newer layout and from the older one, with its names and its epsilon") {
  if (!has_keras_files()) return;
  Model<float> newer(resnet50({.input_shape = {64, 64, 3}}));
  newer.set_preprocessing({});
  CHECK(load_weights(newer, torchvision_file("resnet50_keras_2.h5")).matched_by == "name");
  check_layers(newer, "resnet50_v1.npz", 107);
  Model<float> older(resnet50({.input_shape = {64, 64, 3}, .epsilon = 1e-3}));
  older.set_preprocessing({});
  const WeightReport report = load_weights(older, torchvision_file("resnet50_keras_1.h5"), {.strict = false});
  CHECK(report.matched_by == "keras.applications' older names");
  CHECK(report.missing.size() == 2);  // of the classifier, which the file has not
  CHECK(report.extra.empty());
  check_layers(older, "resnet50_old.npz", 106);
}

TEST_CASE("ResNet50 v1.5, from both formats of PyTorch and from safetensors") {
  Model<float> model(resnet50({.input_shape = {64, 64, 3}, .stride_in_3x3 = true, .epsilon = 1e-5}));
  model.set_preprocessing({});
  const WeightReport report = load_weights(model, torchvision_file("resnet50.pth"));
  CHECK(report.matched_by == "torchvision's names");
  CHECK(report.notes.empty());
  CHECK(report.matched.size() == model.parameters().size());
  check_layers(model, "resnet50_v15.npz", 107);
  const Model<float> first = model;
  const auto expected = first.values().values().span();
  for (const char* name : {"resnet50_legacy.pth", "resnet50.safetensors"}) {
    INFO(name);
    std::fill(model.values().values().begin(), model.values().values().end(), 0.0F);
    load_weights(model, torchvision_file(name));
    const auto got = model.values().values().span();
    CHECK(std::equal(got.begin(), got.end(), expected.begin()));
  }
}

TEST_CASE("ResNet50 v1: torchvision's weights are refused, Keras's load") {
  Model<float> model(resnet50({.input_shape = {64, 64, 3}}));
  model.set_preprocessing({});
  CHECK_THROWS_WITH_AS(load_weights(model, torchvision_file("resnet50.pth")),
                       doctest::Contains("resnet50({.stride_in_3x3 = true, .epsilon = 1e-5})"), FileError);
  const WeightReport report = load_weights(model, torchvision_file("resnet50_v1.safetensors"));
  CHECK(report.matched_by == "name");
  check_layers(model, "resnet50_v1.npz", 107);
}
