// summary() prints what tf.keras prints. The tables of whole networks are in tests/applications.

#include <doctest/doctest.h>

#include <mien/mien.hpp>

using namespace mien;

namespace {

Model<float> small_cnn() {
  return Model<float>(Sequential{Input({48, 48, 3}), Conv2D{.filters = 32, .kernel_size = 3, .activation = relu},
                                 MaxPooling2D{}, BatchNormalization{}, Dropout{.rate = 0.25}, GlobalAveragePooling2D{},
                                 Dense{.units = 7, .activation = softmax}});
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
  const std::string summary =
      Model<float>(resnet50({.include_top = false, .input_shape = {48, 48, 3}, .pooling = "avg"})).summary();
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
