// summary() prints what tf.keras prints. With MIEN_GOLDEN_DIR naming a folder of tf.keras 2.6's own tables, the large
// networks are compared byte for byte.

#include <doctest/doctest.h>

#include <cstdlib>
#include <fstream>
#include <iterator>

#include <mien/mien.hpp>

using namespace mien;

namespace {

Model<float> small_cnn() {
  return Model<float>(Sequential{Input({48, 48, 3}), Conv2D{.filters = 32, .kernel_size = 3, .activation = relu},
                                 MaxPooling2D{}, BatchNormalization{}, Dropout{.rate = 0.25}, GlobalAveragePooling2D{},
                                 Dense{.units = 7, .activation = softmax}});
}

Model<float> vgg16() {
  constexpr std::int64_t filters[] = {64, 128, 256, 512, 512}, convolutions[] = {2, 2, 3, 3, 3};
  const Node x = Input({48, 48, 3});
  Node y = x;
  for (std::size_t block = 0; block < 5; ++block) {
    for (std::int64_t i = 1; i <= convolutions[block]; ++i)
      y = Conv2D{.filters = filters[block],
                 .kernel_size = 3,
                 .padding = Padding::same,
                 .activation = relu,
                 .name = text("block", block + 1, "_conv", i)}(y);
    y = MaxPooling2D{.pool_size = 2, .strides = 2, .name = text("block", block + 1, "_pool")}(y);
  }
  return Model<float>(x, GlobalAveragePooling2D{}(y), {.name = "vgg16"});
}

Node normalized(const Node& y, const std::string& stem) {
  return BatchNormalization{.epsilon = 1.001e-5, .name = stem + "_bn"}(y);
}

/// ResNet's bottleneck; the first of a stage has a convolution on its shortcut.
Node bottleneck(const Node& x, std::int64_t filters, std::int64_t stride, bool first, const std::string& name) {
  const auto conv = [&](const Node& from, std::int64_t count, std::int64_t size, std::int64_t step, const char* part) {
    const Conv2D options{.filters = count,
                         .kernel_size = size,
                         .strides = step,
                         .padding = size > 1 ? Padding::same : Padding::valid,
                         .name = text(name, part, "_conv")};
    return normalized(options(from), name + part);
  };
  const Node shortcut = first ? conv(x, 4 * filters, 1, stride, "_0") : x;
  Node y = Activation{.activation = relu, .name = name + "_1_relu"}(conv(x, filters, 1, stride, "_1"));
  y = Activation{.activation = relu, .name = name + "_2_relu"}(conv(y, filters, 3, 1, "_2"));
  y = Add{.name = name + "_add"}({shortcut, conv(y, 4 * filters, 1, 1, "_3")});
  return Activation{.activation = relu, .name = name + "_out"}(y);
}

Model<float> resnet50(bool pooled) {
  constexpr std::int64_t blocks[] = {3, 4, 6, 3};
  const Node x = Input({48, 48, 3});
  Node y = ZeroPadding2D{.padding = 3, .name = "conv1_pad"}(x);
  y = Conv2D{.filters = 64, .kernel_size = 7, .strides = 2, .name = "conv1_conv"}(y);
  y = Activation{.activation = relu, .name = "conv1_relu"}(normalized(y, "conv1"));
  y = ZeroPadding2D{.padding = 1, .name = "pool1_pad"}(y);
  y = MaxPooling2D{.pool_size = 3, .strides = 2, .name = "pool1_pool"}(y);
  for (std::int64_t stage = 0; stage < 4; ++stage)
    for (std::int64_t block = 1; block <= blocks[stage]; ++block)
      y = bottleneck(y, std::int64_t{64} << stage, block == 1 && stage > 0 ? 2 : 1, block == 1,
                     text("conv", stage + 2, "_block", block));
  if (pooled) y = GlobalAveragePooling2D{.name = "avg_pool"}(y);
  return Model<float>(x, y, {.name = "resnet50"});
}

const char* golden_folder() { return std::getenv("MIEN_GOLDEN_DIR"); }

std::string golden(const std::string& network) {
  const std::string path = text(golden_folder(), "/summary-", network, "-A-2.6.0.txt");
  std::ifstream file(path, std::ios::binary);
  REQUIRE_MESSAGE(file, path, " cannot be read");
  return {std::istreambuf_iterator<char>(file), {}};
}

/// One line of a table.
struct Row {
  std::string name;
  Shape shape;
  std::int64_t parameters;
  friend bool operator==(const Row&, const Row&) = default;
};

/// The table of a Sequential as data: without the input.
std::vector<Row> table(const Model<float>& model) {
  std::vector<Row> rows;
  for (int node = 1; node < model.network().size(); ++node)
    rows.push_back({model.network().graph.names[static_cast<std::size_t>(node)], model.network().shape(node), 0});
  for (const Parameter& parameter : model.parameters())
    rows[static_cast<std::size_t>(parameter.node) - 1].parameters += parameter.shape.size();
  return rows;
}

void check_table(const char* network, const std::vector<Row>& expected, const std::string& totals) {
  const Model<float> model(emotion_cnn(emotion_cnn_options(network)));
  const std::vector<Row> rows = table(model);
  REQUIRE(rows.size() == expected.size());
  for (std::size_t i = 0; i < rows.size(); ++i)
    CHECK_MESSAGE(rows[i] == expected[i], network, ": expected ", expected[i].name, " ", expected[i].shape.to_string(),
                  " ", expected[i].parameters, ", got ", rows[i].name, " ", rows[i].shape.to_string(), " ",
                  rows[i].parameters);
  CHECK(model.summary().find(totals) != std::string::npos);
}

}  // namespace

TEST_CASE("the table of a chain has three columns, and long names are cut") {
  CHECK(small_cnn().summary() ==
        "Model: \"sequential\"\n"
        "_________________________________________________________________\n"
        "Layer (type)                 Output Shape              Param #   \n"
        "=================================================================\n"
        "conv2d (Conv2D)              (None, 46, 46, 32)        896       \n"
        "_________________________________________________________________\n"
        "max_pooling2d (MaxPooling2D) (None, 23, 23, 32)        0         \n"
        "_________________________________________________________________\n"
        "batch_normalization (BatchNo (None, 23, 23, 32)        128       \n"
        "_________________________________________________________________\n"
        "dropout (Dropout)            (None, 23, 23, 32)        0         \n"
        "_________________________________________________________________\n"
        "global_average_pooling2d (Gl (None, 32)                0         \n"
        "_________________________________________________________________\n"
        "dense (Dense)                (None, 7)                 231       \n"
        "=================================================================\n"
        "Total params: 1,255\n"
        "Trainable params: 1,191\n"
        "Non-trainable params: 64\n"
        "_________________________________________________________________\n");
}

TEST_CASE("the table of a graph with branches has a fourth column, with a line for each connection") {
  const std::string summary = resnet50(true).summary();
  for (const char* part :
       {"Layer (type)                    Output Shape         Param #     Connected to                     \n",
        "input_1 (InputLayer)            [(None, 48, 48, 3)]  0                                            \n",
        "conv2_block1_add (Add)          (None, 12, 12, 256)  0           conv2_block1_0_bn[0][0]          \n"
        "                                                                 conv2_block1_3_bn[0][0]          \n",
        "Total params: 23,587,712\nTrainable params: 23,534,592\nNon-trainable params: 53,120\n"})
    CHECK_MESSAGE(summary.find(part) != std::string::npos, part);
}

TEST_CASE("frozen parameters move to the non-trainable ones") {
  Model<float> model = small_cnn();
  model.freeze(all_layers());
  CHECK(model.summary().find("Total params: 1,255\nTrainable params: 0\nNon-trainable params: 1,255\n") !=
        std::string::npos);
}

TEST_CASE("tables are those of tf.keras, byte for byte" * doctest::skip(golden_folder() == nullptr)) {
  CHECK(small_cnn().summary() == golden("cnn-seq"));
  CHECK(vgg16().summary() == golden("vgg16-48"));
  CHECK(resnet50(false).summary() == golden("resnet50-48"));
  CHECK(resnet50(true).summary() == golden("resnet50-48-avg"));
}

// The published tables of the custom models. Layers without a name of their own are counted from the first, as in a
// fresh session of Keras.

TEST_CASE("custom model 1 has the layers and parameters of its table") {
  check_table("custom1",
              {{"conv_layer_1a", {46, 46, 64}, 1792},
               {"conv_layer_1b", {44, 44, 64}, 36928},
               {"activation", {44, 44, 64}, 0},
               {"pool_layer_1", {22, 22, 64}, 0},
               {"conv_layer_2a", {20, 20, 128}, 73856},
               {"conv_layer_2b", {18, 18, 128}, 147584},
               {"activation_1", {18, 18, 128}, 0},
               {"pool_layer_2", {9, 9, 128}, 0},
               {"conv_layer_3a", {7, 7, 256}, 295168},
               {"conv_layer_3b", {5, 5, 256}, 590080},
               {"activation_2", {5, 5, 256}, 0},
               {"pool_layer_3", {2, 2, 256}, 0},
               {"global_average_pooling2d", {256}, 0},
               {"dense", {128}, 32896},
               {"dropout", {128}, 0},
               {"dense_1", {32}, 4128},
               {"dropout_1", {32}, 0},
               {"dense_2", {3}, 99}},
              "Total params: 1,182,531\nTrainable params: 1,182,531\nNon-trainable params: 0\n");
}

TEST_CASE("custom model 2 has the layers and parameters of its table") {
  check_table("custom2",
              {{"conv_layer_1a", {46, 46, 64}, 1792},
               {"conv_layer_1b", {44, 44, 64}, 36928},
               {"batch_normalization", {44, 44, 64}, 256},
               {"activation", {44, 44, 64}, 0},
               {"pool_layer_1", {22, 22, 64}, 0},
               {"conv_layer_2a", {20, 20, 128}, 73856},
               {"conv_layer_2b", {18, 18, 128}, 147584},
               {"batch_normalization_1", {18, 18, 128}, 512},
               {"activation_1", {18, 18, 128}, 0},
               {"pool_layer_2", {9, 9, 128}, 0},
               {"conv_layer_3a", {7, 7, 256}, 295168},
               {"conv_layer_3b", {5, 5, 256}, 590080},
               {"batch_normalization_2", {5, 5, 256}, 1024},
               {"activation_2", {5, 5, 256}, 0},
               {"pool_layer_3", {2, 2, 256}, 0},
               {"global_average_pooling2d", {256}, 0},
               {"dense", {128}, 32896},
               {"dropout", {128}, 0},
               {"dense_1", {32}, 4128},
               {"dropout_1", {32}, 0},
               {"dense_2", {3}, 99}},
              "Total params: 1,184,323\nTrainable params: 1,183,427\nNon-trainable params: 896\n");
}

TEST_CASE("custom model 3 has the layers and parameters of its table") {
  check_table("custom3",
              {{"conv_layer_1a", {46, 46, 32}, 896},
               {"conv_layer_1b", {44, 44, 32}, 9248},
               {"batch_normalization", {44, 44, 32}, 128},
               {"activation", {44, 44, 32}, 0},
               {"pool_layer_1", {22, 22, 32}, 0},
               {"conv_layer_2a", {20, 20, 256}, 73984},
               {"conv_layer_2b", {18, 18, 256}, 590080},
               {"batch_normalization_1", {18, 18, 256}, 1024},
               {"activation_1", {18, 18, 256}, 0},
               {"pool_layer_2", {9, 9, 256}, 0},
               {"conv_layer_3a", {7, 7, 256}, 590080},
               {"conv_layer_3b", {5, 5, 256}, 590080},
               {"batch_normalization_2", {5, 5, 256}, 1024},
               {"activation_2", {5, 5, 256}, 0},
               {"pool_layer_3", {2, 2, 256}, 0},
               {"global_average_pooling2d", {256}, 0},
               {"dense", {256}, 65792},
               {"dropout", {256}, 0},
               {"dense_1", {64}, 16448},
               {"dropout_1", {64}, 0},
               {"dense_2", {3}, 195}},
              "Total params: 1,938,979\nTrainable params: 1,937,891\nNon-trainable params: 1,088\n");
}
