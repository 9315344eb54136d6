// VGG16 and VGGFace have the layers, shapes and parameters of keras.applications and keras-vggface.

#include <doctest/doctest.h>

#include "applications/table.hpp"

using namespace mien;

TEST_CASE("VGG16 at 48 x 48 has the layers of its table") {
  const Application network = vgg16({.include_top = false, .input_shape = {48, 48, 3}, .pooling = "avg"});
  const auto rows = tables::table(network.input, network.output);
  CHECK(rows.size() == 20);
  tables::check_rows(rows, 0, {{"input_1", "InputLayer", {48, 48, 3}, 0},
                               {"block1_conv1", "Conv2D", {48, 48, 64}, 1792},
                               {"block1_conv2", "Conv2D", {48, 48, 64}, 36928},
                               {"block1_pool", "MaxPooling2D", {24, 24, 64}, 0},
                               {"block2_conv1", "Conv2D", {24, 24, 128}, 73856},
                               {"block2_conv2", "Conv2D", {24, 24, 128}, 147584},
                               {"block2_pool", "MaxPooling2D", {12, 12, 128}, 0},
                               {"block3_conv1", "Conv2D", {12, 12, 256}, 295168},
                               {"block3_conv2", "Conv2D", {12, 12, 256}, 590080},
                               {"block3_conv3", "Conv2D", {12, 12, 256}, 590080},
                               {"block3_pool", "MaxPooling2D", {6, 6, 256}, 0},
                               {"block4_conv1", "Conv2D", {6, 6, 512}, 1180160},
                               {"block4_conv2", "Conv2D", {6, 6, 512}, 2359808},
                               {"block4_conv3", "Conv2D", {6, 6, 512}, 2359808},
                               {"block4_pool", "MaxPooling2D", {3, 3, 512}, 0},
                               {"block5_conv1", "Conv2D", {3, 3, 512}, 2359808},
                               {"block5_conv2", "Conv2D", {3, 3, 512}, 2359808},
                               {"block5_conv3", "Conv2D", {3, 3, 512}, 2359808},
                               {"block5_pool", "MaxPooling2D", {1, 1, 512}, 0},
                               {"global_average_pooling2d", "GlobalAveragePooling2D", {512}, 0}});
  CHECK(tables::total(rows) == 14'714'688);
  Model<float> model(network);
  CHECK(model.name() == "vgg16");
  CHECK(tables::has_totals(model, "14,714,688", "14,714,688", "0"));
  model.freeze(all_layers());
  CHECK(tables::has_totals(model, "14,714,688", "0", "14,714,688"));
}

TEST_CASE("VGGFace at 224 x 224 has the layers of its table") {
  const Application network = vggface({.include_top = false, .pooling = "avg"});
  const auto rows = tables::table(network.input, network.output);
  CHECK(rows.size() == 20);
  tables::check_rows(rows, 0, {{"input_1", "InputLayer", {224, 224, 3}, 0},
                               {"conv1_1", "Conv2D", {224, 224, 64}, 1792},
                               {"conv1_2", "Conv2D", {224, 224, 64}, 36928},
                               {"pool1", "MaxPooling2D", {112, 112, 64}, 0},
                               {"conv2_1", "Conv2D", {112, 112, 128}, 73856},
                               {"conv2_2", "Conv2D", {112, 112, 128}, 147584},
                               {"pool2", "MaxPooling2D", {56, 56, 128}, 0},
                               {"conv3_1", "Conv2D", {56, 56, 256}, 295168},
                               {"conv3_2", "Conv2D", {56, 56, 256}, 590080},
                               {"conv3_3", "Conv2D", {56, 56, 256}, 590080},
                               {"pool3", "MaxPooling2D", {28, 28, 256}, 0},
                               {"conv4_1", "Conv2D", {28, 28, 512}, 1180160},
                               {"conv4_2", "Conv2D", {28, 28, 512}, 2359808},
                               {"conv4_3", "Conv2D", {28, 28, 512}, 2359808},
                               {"pool4", "MaxPooling2D", {14, 14, 512}, 0},
                               {"conv5_1", "Conv2D", {14, 14, 512}, 2359808},
                               {"conv5_2", "Conv2D", {14, 14, 512}, 2359808},
                               {"conv5_3", "Conv2D", {14, 14, 512}, 2359808},
                               {"pool5", "MaxPooling2D", {7, 7, 512}, 0},
                               {"global_average_pooling2d", "GlobalAveragePooling2D", {512}, 0}});
  CHECK(tables::total(rows) == 14'714'688);
}

TEST_CASE("the tops have their dense layers, and VGGFace's activations are layers") {
  const Application network = vgg16(), faces = vggface();
  const auto rows = tables::table(network.input, network.output), others = tables::table(faces.input, faces.output);
  tables::check_rows(rows, 19,
                     {{"flatten", "Flatten", {25088}, 0},
                      {"fc1", "Dense", {4096}, 102764544},
                      {"fc2", "Dense", {4096}, 16781312},
                      {"predictions", "Dense", {1000}, 4097000}});
  CHECK(rows.size() == 23);
  CHECK(tables::total(rows) == 138'357'544);
  tables::check_rows(others, 19,
                     {{"flatten", "Flatten", {25088}, 0},
                      {"fc6", "Dense", {4096}, 102764544},
                      {"fc6/relu", "Activation", {4096}, 0},
                      {"fc7", "Dense", {4096}, 16781312},
                      {"fc7/relu", "Activation", {4096}, 0},
                      {"fc8", "Dense", {2622}, 10742334},
                      {"fc8/softmax", "Activation", {2622}, 0}});
  CHECK(tables::total(others) == 145'002'878);
}

TEST_CASE("a head stands on a base: its layers are named like Keras's, the base keeps its own names") {
  const Application base = vgg16({.include_top = false, .input_shape = {32, 32, 3}, .pooling = "avg"});
  const Node y = Dense{.units = 3, .activation = softmax}(base.output);
  Model<float> model(base.input, y, {.preprocessing = base.preprocessing});
  model.freeze([](std::string_view layer) { return layer != "dense"; });
  CHECK(tables::has_totals(model, "14,716,227", "1,539", "14,714,688"));
}

TEST_CASE("training VGGFace on 8 pictures of 224 x 224 asks for less than 1 GB") {
  Model<float> model(vggface({.include_top = false, .pooling = "avg"}));
  model.compile({.optimizer = Adam{}, .loss = MeanSquaredError{}});
  CHECK(model.memory(8).total() < std::size_t{1'000'000'000});
}

TEST_CASE("what the VGG networks cannot be is refused") {
  const auto make = [](const Vgg16Options& options) { static_cast<void>(vgg16(options)); };
  CHECK_THROWS_WITH_AS(make({.input_shape = {31, 48, 3}}), doctest::Contains("at least 32 x 32, got (31, 48, 3)"),
                       OptionError);
  CHECK_THROWS_WITH_AS(make({.input_shape = {48, 48}}), doctest::Contains("(height, width, channels)"), OptionError);
  CHECK_THROWS_WITH_AS(make({.include_top = false, .pooling = "sum"}), doctest::Contains("got \"sum\""), OptionError);
  CHECK_THROWS_WITH_AS(static_cast<void>(vggface({.input_shape = {40, 40, 3}})), doctest::Contains("at least 48 x 48"),
                       OptionError);
}
