// ResNet50 has the layers, shapes, parameters and connections of keras.applications.

#include <doctest/doctest.h>

#include "applications/table.hpp"

using namespace mien;

namespace {

std::vector<tables::Row> small_resnet50(const ResNet50Options& options = {}) {
  ResNet50Options small = options;
  small.include_top = false;
  small.input_shape = {48, 48, 3};
  small.pooling = "avg";
  const Application network = resnet50(small);
  return tables::table(network.input, network.output);
}

/// The parameters of the layers whose names begin so.
std::int64_t total_of(const std::vector<tables::Row>& rows, std::string_view prefix) {
  std::int64_t sum = 0;
  for (const tables::Row& row : rows)
    if (row.name.starts_with(prefix)) sum += row.parameters;
  return sum;
}

const tables::Row& row_named(const std::vector<tables::Row>& rows, std::string_view name) {
  for (const tables::Row& row : rows)
    if (row.name == name) return row;
  throw OptionError(text("no row ", name));
}

}  // namespace

TEST_CASE("ResNet50 at 48 x 48 begins with the layers of its table") {
  tables::check_rows(small_resnet50(), 0,
                     {{"input_1", "InputLayer", {48, 48, 3}, 0, {}},
                      {"conv1_pad", "ZeroPadding2D", {54, 54, 3}, 0, {"input_1"}},
                      {"conv1_conv", "Conv2D", {24, 24, 64}, 9472, {"conv1_pad"}},
                      {"conv1_bn", "BatchNormalization", {24, 24, 64}, 256, {"conv1_conv"}},
                      {"conv1_relu", "Activation", {24, 24, 64}, 0, {"conv1_bn"}},
                      {"pool1_pad", "ZeroPadding2D", {26, 26, 64}, 0, {"conv1_relu"}},
                      {"pool1_pool", "MaxPooling2D", {12, 12, 64}, 0, {"pool1_pad"}},
                      {"conv2_block1_1_conv", "Conv2D", {12, 12, 64}, 4160, {"pool1_pool"}},
                      {"conv2_block1_1_bn", "BatchNormalization", {12, 12, 64}, 256, {"conv2_block1_1_conv"}},
                      {"conv2_block1_1_relu", "Activation", {12, 12, 64}, 0, {"conv2_block1_1_bn"}},
                      {"conv2_block1_2_conv", "Conv2D", {12, 12, 64}, 36928, {"conv2_block1_1_relu"}},
                      {"conv2_block1_2_bn", "BatchNormalization", {12, 12, 64}, 256, {"conv2_block1_2_conv"}},
                      {"conv2_block1_2_relu", "Activation", {12, 12, 64}, 0, {"conv2_block1_2_bn"}},
                      {"conv2_block1_0_conv", "Conv2D", {12, 12, 256}, 16640, {"pool1_pool"}},
                      {"conv2_block1_3_conv", "Conv2D", {12, 12, 256}, 16640, {"conv2_block1_2_relu"}},
                      {"conv2_block1_0_bn", "BatchNormalization", {12, 12, 256}, 1024, {"conv2_block1_0_conv"}},
                      {"conv2_block1_3_bn", "BatchNormalization", {12, 12, 256}, 1024, {"conv2_block1_3_conv"}},
                      {"conv2_block1_add", "Add", {12, 12, 256}, 0, {"conv2_block1_0_bn", "conv2_block1_3_bn"}},
                      {"conv2_block1_out", "Activation", {12, 12, 256}, 0, {"conv2_block1_add"}}});
}

TEST_CASE("ResNet50 at 48 x 48 ends with the layers of its table") {
  const auto rows = small_resnet50();
  REQUIRE(rows.size() == 176);
  tables::check_rows(rows, 155,
                     {{"conv5_block2_1_conv", "Conv2D", {2, 2, 512}, 1049088, {"conv5_block1_out"}},
                      {"conv5_block2_1_bn", "BatchNormalization", {2, 2, 512}, 2048, {"conv5_block2_1_conv"}},
                      {"conv5_block2_1_relu", "Activation", {2, 2, 512}, 0, {"conv5_block2_1_bn"}},
                      {"conv5_block2_2_conv", "Conv2D", {2, 2, 512}, 2359808, {"conv5_block2_1_relu"}},
                      {"conv5_block2_2_bn", "BatchNormalization", {2, 2, 512}, 2048, {"conv5_block2_2_conv"}},
                      {"conv5_block2_2_relu", "Activation", {2, 2, 512}, 0, {"conv5_block2_2_bn"}},
                      {"conv5_block2_3_conv", "Conv2D", {2, 2, 2048}, 1050624, {"conv5_block2_2_relu"}},
                      {"conv5_block2_3_bn", "BatchNormalization", {2, 2, 2048}, 8192, {"conv5_block2_3_conv"}},
                      {"conv5_block2_add", "Add", {2, 2, 2048}, 0, {"conv5_block1_out", "conv5_block2_3_bn"}},
                      {"conv5_block2_out", "Activation", {2, 2, 2048}, 0, {"conv5_block2_add"}},
                      {"conv5_block3_1_conv", "Conv2D", {2, 2, 512}, 1049088, {"conv5_block2_out"}},
                      {"conv5_block3_1_bn", "BatchNormalization", {2, 2, 512}, 2048, {"conv5_block3_1_conv"}},
                      {"conv5_block3_1_relu", "Activation", {2, 2, 512}, 0, {"conv5_block3_1_bn"}},
                      {"conv5_block3_2_conv", "Conv2D", {2, 2, 512}, 2359808, {"conv5_block3_1_relu"}},
                      {"conv5_block3_2_bn", "BatchNormalization", {2, 2, 512}, 2048, {"conv5_block3_2_conv"}},
                      {"conv5_block3_2_relu", "Activation", {2, 2, 512}, 0, {"conv5_block3_2_bn"}},
                      {"conv5_block3_3_conv", "Conv2D", {2, 2, 2048}, 1050624, {"conv5_block3_2_relu"}},
                      {"conv5_block3_3_bn", "BatchNormalization", {2, 2, 2048}, 8192, {"conv5_block3_3_conv"}},
                      {"conv5_block3_add", "Add", {2, 2, 2048}, 0, {"conv5_block2_out", "conv5_block3_3_bn"}},
                      {"conv5_block3_out", "Activation", {2, 2, 2048}, 0, {"conv5_block3_add"}},
                      {"avg_pool", "GlobalAveragePooling2D", {2048}, 0, {"conv5_block3_out"}}});
}

TEST_CASE("each stage of ResNet50 has its blocks and its parameters") {
  const auto rows = small_resnet50();
  CHECK(total_of(rows, "conv1") == 9'472 + 256);
  CHECK(total_of(rows, "conv2") == 220'032);
  CHECK(total_of(rows, "conv3") == 1'230'336);
  CHECK(total_of(rows, "conv4") == 7'129'088);
  CHECK(total_of(rows, "conv5") == 14'998'528);
  CHECK(tables::total(rows) == 23'587'712);
  for (const auto& [last, shape] : {std::pair<const char*, Shape>{"conv2_block3_out", {12, 12, 256}},
                                    {"conv3_block4_out", {6, 6, 512}},
                                    {"conv4_block6_out", {3, 3, 1024}},
                                    {"conv5_block3_out", {2, 2, 2048}}})
    CHECK(row_named(rows, last).shape == shape);
  const Application whole = resnet50();
  CHECK(tables::total(tables::table(whole.input, whole.output)) == 25'636'712);
}

TEST_CASE("ResNet50's statistics are not trainable, and nothing is once it is frozen") {
  Model<float> model(resnet50({.include_top = false, .input_shape = {48, 48, 3}, .pooling = "avg"}));
  CHECK(tables::has_totals(model, "23,587,712", "23,534,592", "53,120"));
  model.freeze(all_layers());
  CHECK(tables::has_totals(model, "23,587,712", "0", "23,587,712"));
}

TEST_CASE("version 1.5 has the stride in the 3x3, padded on all sides, and the same parameters") {
  const auto first = small_resnet50(), other = small_resnet50({.stride_in_3x3 = true, .epsilon = 1e-5});
  CHECK(tables::total(first) == tables::total(other));
  CHECK(other.size() == first.size() + 3);
  for (const char* stage : {"conv3", "conv4", "conv5"}) {
    const auto of = [&](const auto& rows, const char* part) { return row_named(rows, text(stage, "_block1_", part)); };
    CHECK(of(first, "1_conv").shape[0] == of(first, "2_conv").shape[0]);
    CHECK(of(other, "1_conv").shape[0] == (of(other, "2_pad").shape[0] - 2));
    CHECK(of(other, "2_conv").shape == of(first, "2_conv").shape);
    CHECK(of(other, "1_conv").shape[0] > of(other, "2_conv").shape[0]);
  }
}

TEST_CASE("training ResNet50 on 32 pictures of 48 x 48 asks for less than 0.75 GB") {
  Model<float> model(resnet50({.include_top = false, .input_shape = {48, 48, 3}, .pooling = "avg"}));
  model.compile({.optimizer = Adam{}, .loss = MeanSquaredError{}});
  CHECK(model.memory(32).total() < std::size_t{750'000'000});
}

TEST_CASE("maximum pooling has Keras's names: its own in ResNet50, one made from the class in VGG16") {
  const Application network = resnet50({.include_top = false, .input_shape = {48, 48, 3}, .pooling = "max"}),
                    other = vgg16({.include_top = false, .input_shape = {48, 48, 3}, .pooling = "max"});
  tables::check_rows(tables::table(network.input, network.output), 175,
                     {{"max_pool", "GlobalMaxPooling2D", {2048}, 0, {"conv5_block3_out"}}});
  tables::check_rows(tables::table(other.input, other.output), 19,
                     {{"global_max_pooling2d", "GlobalMaxPooling2D", {512}, 0, {"block5_pool"}}});
}

TEST_CASE("what ResNet50 cannot be is refused") {
  CHECK_THROWS_WITH_AS(static_cast<void>(resnet50({.input_shape = {24, 24, 3}})),
                       doctest::Contains("at least 32 x 32, got (24, 24, 3)"), OptionError);
}
