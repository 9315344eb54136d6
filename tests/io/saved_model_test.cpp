// What a file says of the model whose weights it holds, held against the model that takes them.
#include <doctest/doctest.h>

#include <algorithm>
#include <string>
#include <vector>

#include <mien/applications/preprocessing.hpp>
#include <mien/applications/resnet50.hpp>
#include <mien/io.hpp>
#include <mien/io/formats/safetensors.hpp>
#include <mien/mien.hpp>

#include "formats/temporary_folder.hpp"
#include "load_complaint.hpp"

using namespace mien;

TEST_CASE("torchvision's ResNet50 into the graph with the stride in the 1x1 is refused with the right call") {
  const TemporaryFolder folder;
  const std::vector<float> zeros(64 * 3 * 7 * 7);
  Model<float> v1(resnet50({.include_top = false, .input_shape = {32, 32, 3}}));
  for (const std::string prefix : {"", "module.", "module.backbone."}) {
    const std::vector<NamedTensor> tensors{
        {prefix + "conv1.weight", DType::f32, {64, 3, 7, 7}, std::as_bytes(std::span(zeros))},
        {prefix + "layer2.0.conv1.weight", DType::f32, {2, 3}, std::as_bytes(std::span(zeros)).first(24)}};
    write_safetensors(folder / "r", tensors);
    CHECK_THROWS_WITH_AS(load_weights(v1, folder / "r"),
                         doctest::Contains("resnet50({.stride_in_3x3 = true, .epsilon = 1e-5})"), FileError);
    CHECK_THROWS_WITH_AS(load_weights(v1, folder / "r", {.strict = false}), doctest::Contains(".stride_in_3x3"),
                         FileError);
  }
}

TEST_CASE(
    "keras.applications' ResNet50 into the graph with the stride in the 3x3 is noted, and refused where it is said") {
  const TemporaryFolder folder;
  const auto network = [](bool stride_in_3x3) {
    return Model<float>(resnet50(
        {.include_top = false, .input_shape = {32, 32, 3}, .stride_in_3x3 = stride_in_3x3, .epsilon = 1.001e-5}));
  };
  Model<float> v1 = network(false), v15 = network(true);
  const std::vector<float> zeros(64 * 3 * 7 * 7);
  const std::vector<NamedTensor> old_names{
      {"conv1/kernel", DType::f32, {7, 7, 3, 64}, std::as_bytes(std::span(zeros))},
      {"res3a_branch2a/kernel", DType::f32, {2, 3}, std::as_bytes(std::span(zeros)).first(24)}};
  write_safetensors(folder / "old", old_names);
  const auto notes_on_stride = [&](Model<float>& model, const char* file, bool strict) {
    const LoadWeightsOptions options{.strict = strict, .print_to = nullptr};
    const std::vector<std::string> notes = load_weights(model, folder / file, options).notes;
    return std::count_if(notes.begin(), notes.end(), [](const std::string& note) {
      return note.find("keras.applications' ResNet50 has the stride") == 0;
    });
  };
  CHECK(notes_on_stride(v15, "old", false) == 1);
  CHECK(notes_on_stride(v1, "old", false) == 0);

  // Weights alone say no strides, a whole model does.
  save_keras_weights(v1, folder / "weights.h5");
  CHECK(notes_on_stride(v15, "weights.h5", true) == 1);
  CHECK(notes_on_stride(v1, "weights.h5", true) == 0);
  save_keras_model(v1, folder / "v1.h5");
  CHECK(load_complaint(v15, folder / "v1.h5").find("has strides [2,2], this network's has [1,1]") != std::string::npos);
  CHECK(load_weights(v1, folder / "v1.h5").notes.empty());
  save_keras_model(v15, folder / "v15.h5");
  CHECK(load_weights(v15, folder / "v15.h5").notes.empty());

  // Other networks have layers of these names, DenseNet for one, and no stride in either.
  const Node x = Input({8, 8, 3});
  const auto block = [&](std::int64_t first) {
    const Node y = Conv2D{.filters = 2, .kernel_size = 1, .strides = first, .name = "conv3_block1_1_conv"}(x);
    return Model<float>(x, Conv2D{.filters = 2, .kernel_size = 1, .name = "conv3_block1_2_conv"}(y));
  };
  Model<float> still = block(1);
  save_keras_weights(still, folder / "still.h5");
  CHECK(load_weights(still, folder / "still.h5").notes.empty());
  save_keras_model(block(2), folder / "moving.h5");
  CHECK(load_weights(still, folder / "moving.h5").notes.size() == 1);
}

TEST_CASE("a whole model of Keras says what its layers were, and that is held against the one that takes its weights") {
  const TemporaryFolder folder;
  const auto small = [](Size2D strides, double epsilon) {
    const Node x = Input({8, 8, 3});
    const Node y = Conv2D{.filters = 2, .kernel_size = 1, .strides = strides, .name = "conv"}(x);
    return Model<float>(x, BatchNormalization{.epsilon = epsilon, .name = "norm"}(y));
  };
  save_keras_model(small(1, 1e-3), folder / "small.h5");
  Model<float> same = small(1, 1e-3), other = small(2, 1e-5);
  CHECK(load_weights(same, folder / "small.h5").notes.empty());
  const std::vector<std::string> notes = load_weights(other, folder / "small.h5").notes;
  REQUIRE(notes.size() == 1);
  CHECK(notes[0] ==
        "2 options of layers are not as in the model that was saved, the first: 'conv' has strides [2,2], and had "
        "[1,1]");
}

TEST_CASE("a name that several layers of a model of Keras have says nothing of their options") {
  for (const char* file : {"/keras_models/nested_2.h5", "/keras_models/nested_3.keras"}) {
    auto model = load_keras_model<float>(std::string(MIEN_TEST_REFERENCES) + file);
    const WeightReport report = load_weights(model, std::string(MIEN_TEST_REFERENCES) + file, {.strict = false});
    CHECK(!report.matched.empty());
    for (const std::string& note : report.notes) CHECK(note.find("option") == std::string::npos);
  }
}

TEST_CASE("weights of Keras whose architecture cannot be read are loaded all the same, and a note says so") {
  const TemporaryFolder folder;
  const Node x = Input({3});
  Model<float> model(x, Dense{.units = 2, .name = "dense"}(x));
  save_keras_model(model, folder / "model.h5");
  std::string bytes = content(folder / "model.h5");
  const std::size_t at = bytes.find("\"class_name\"");
  REQUIRE(at != std::string::npos);
  bytes[at] = '?';
  set_content(folder / "model.h5", bytes);
  const std::vector<std::string> notes = load_weights(model, folder / "model.h5").notes;
  REQUIRE(notes.size() == 1);
  CHECK(notes[0].find("the file's architecture could not be read") == 0);
}

TEST_CASE("a file of the library's own says what its model was, and that is held against the one that takes it") {
  const TemporaryFolder folder;
  const auto small = [](Size2D strides, const Preprocessing& preprocessing) {
    const Node x = Input({8, 8, 3});
    return Model<float>(x, Conv2D{.filters = 2, .kernel_size = 1, .strides = strides, .name = "conv"}(x),
                        {.preprocessing = preprocessing});
  };
  Preprocessing with_classes = caffe_preprocessing();
  with_classes.classes = {"a", "b"};
  save(small(1, with_classes), folder / "small");
  Model<float> same = small(1, caffe_preprocessing()), other = small(2, unit_preprocessing());
  WeightReport report = load_weights(same, folder / "small");
  CHECK(report.notes.empty());
  CHECK(report.preprocessing == caffe_preprocessing());
  report = load_weights(other, folder / "small");
  REQUIRE(report.notes.size() == 2);
  CHECK(report.notes[0] ==
        "1 option of a layer is not as in the model that was saved, the first: "
        "'conv' has strides [2,2], and had [1,1]");
  CHECK(report.notes[1] == "the model that was saved prepared its pixels in another way than this one does");

  const Shape shape{32, 32, 3};
  Model<float> v1(resnet50({.include_top = false, .input_shape = shape})),
      v15(resnet50({.include_top = false, .input_shape = shape, .stride_in_3x3 = true, .epsilon = 1e-5}));
  save(v15, folder / "v15");
  save(v1, folder / "v1");
  CHECK(load_complaint(v1, folder / "v15").find("'conv3_block1_1_conv' has strides [1,1]") != std::string::npos);
  CHECK(load_complaint(v15, folder / "v1").find("resnet50() Keras's") != std::string::npos);
}
