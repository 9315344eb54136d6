// The custom models have the layers, shapes and parameters of their published tables. Layers without a name of their
// own are counted from the first, as in a fresh session of Keras.

#include <doctest/doctest.h>

#include "applications/table.hpp"

using namespace mien;

namespace {

void check_custom(const char* name, const std::vector<tables::Row>& expected) {
  const Sequential layers = emotion_cnn(emotion_cnn_options(name));
  const std::vector<tables::Row> rows = tables::table(layers.input(), layers.output());
  CHECK(rows.size() == expected.size() + 1);
  tables::check_rows(rows, 1, expected);
}

Model<float> custom(const char* name) { return Model<float>(emotion_cnn(emotion_cnn_options(name))); }

}  // namespace

TEST_CASE("custom model 1 has the layers and parameters of its table") {
  check_custom("custom1", {{"conv_layer_1a", "Conv2D", {46, 46, 64}, 1792},
                           {"conv_layer_1b", "Conv2D", {44, 44, 64}, 36928},
                           {"activation", "Activation", {44, 44, 64}, 0},
                           {"pool_layer_1", "MaxPooling2D", {22, 22, 64}, 0},
                           {"conv_layer_2a", "Conv2D", {20, 20, 128}, 73856},
                           {"conv_layer_2b", "Conv2D", {18, 18, 128}, 147584},
                           {"activation_1", "Activation", {18, 18, 128}, 0},
                           {"pool_layer_2", "MaxPooling2D", {9, 9, 128}, 0},
                           {"conv_layer_3a", "Conv2D", {7, 7, 256}, 295168},
                           {"conv_layer_3b", "Conv2D", {5, 5, 256}, 590080},
                           {"activation_2", "Activation", {5, 5, 256}, 0},
                           {"pool_layer_3", "MaxPooling2D", {2, 2, 256}, 0},
                           {"global_average_pooling2d", "GlobalAveragePooling2D", {256}, 0},
                           {"dense", "Dense", {128}, 32896},
                           {"dropout", "Dropout", {128}, 0},
                           {"dense_1", "Dense", {32}, 4128},
                           {"dropout_1", "Dropout", {32}, 0},
                           {"dense_2", "Dense", {3}, 99}});
  CHECK(tables::has_totals(custom("custom1"), "1,182,531", "1,182,531", "0"));
}

TEST_CASE("custom model 2 has the layers and parameters of its table") {
  check_custom("custom2", {{"conv_layer_1a", "Conv2D", {46, 46, 64}, 1792},
                           {"conv_layer_1b", "Conv2D", {44, 44, 64}, 36928},
                           {"batch_normalization", "BatchNormalization", {44, 44, 64}, 256},
                           {"activation", "Activation", {44, 44, 64}, 0},
                           {"pool_layer_1", "MaxPooling2D", {22, 22, 64}, 0},
                           {"conv_layer_2a", "Conv2D", {20, 20, 128}, 73856},
                           {"conv_layer_2b", "Conv2D", {18, 18, 128}, 147584},
                           {"batch_normalization_1", "BatchNormalization", {18, 18, 128}, 512},
                           {"activation_1", "Activation", {18, 18, 128}, 0},
                           {"pool_layer_2", "MaxPooling2D", {9, 9, 128}, 0},
                           {"conv_layer_3a", "Conv2D", {7, 7, 256}, 295168},
                           {"conv_layer_3b", "Conv2D", {5, 5, 256}, 590080},
                           {"batch_normalization_2", "BatchNormalization", {5, 5, 256}, 1024},
                           {"activation_2", "Activation", {5, 5, 256}, 0},
                           {"pool_layer_3", "MaxPooling2D", {2, 2, 256}, 0},
                           {"global_average_pooling2d", "GlobalAveragePooling2D", {256}, 0},
                           {"dense", "Dense", {128}, 32896},
                           {"dropout", "Dropout", {128}, 0},
                           {"dense_1", "Dense", {32}, 4128},
                           {"dropout_1", "Dropout", {32}, 0},
                           {"dense_2", "Dense", {3}, 99}});
  CHECK(tables::has_totals(custom("custom2"), "1,184,323", "1,183,427", "896"));
}

TEST_CASE("custom model 3 has the layers and parameters of its table") {
  check_custom("custom3", {{"conv_layer_1a", "Conv2D", {46, 46, 32}, 896},
                           {"conv_layer_1b", "Conv2D", {44, 44, 32}, 9248},
                           {"batch_normalization", "BatchNormalization", {44, 44, 32}, 128},
                           {"activation", "Activation", {44, 44, 32}, 0},
                           {"pool_layer_1", "MaxPooling2D", {22, 22, 32}, 0},
                           {"conv_layer_2a", "Conv2D", {20, 20, 256}, 73984},
                           {"conv_layer_2b", "Conv2D", {18, 18, 256}, 590080},
                           {"batch_normalization_1", "BatchNormalization", {18, 18, 256}, 1024},
                           {"activation_1", "Activation", {18, 18, 256}, 0},
                           {"pool_layer_2", "MaxPooling2D", {9, 9, 256}, 0},
                           {"conv_layer_3a", "Conv2D", {7, 7, 256}, 590080},
                           {"conv_layer_3b", "Conv2D", {5, 5, 256}, 590080},
                           {"batch_normalization_2", "BatchNormalization", {5, 5, 256}, 1024},
                           {"activation_2", "Activation", {5, 5, 256}, 0},
                           {"pool_layer_3", "MaxPooling2D", {2, 2, 256}, 0},
                           {"global_average_pooling2d", "GlobalAveragePooling2D", {256}, 0},
                           {"dense", "Dense", {256}, 65792},
                           {"dropout", "Dropout", {256}, 0},
                           {"dense_1", "Dense", {64}, 16448},
                           {"dropout_1", "Dropout", {64}, 0},
                           {"dense_2", "Dense", {3}, 195}});
  CHECK(tables::has_totals(custom("custom3"), "1,938,979", "1,937,891", "1,088"));
}

TEST_CASE("the custom model 2 that is explained has a dropout behind its pooling") {
  const Sequential plain = emotion_cnn(emotion_cnn_options("custom2")),
                   layers = emotion_cnn(emotion_cnn_options("custom2_dropout"));
  const auto rows = tables::table(layers.input(), layers.output()),
             others = tables::table(plain.input(), plain.output());
  CHECK(rows.size() == others.size() + 1);
  tables::check_rows(rows, 15,
                     {{"pool_layer_3", "MaxPooling2D", {2, 2, 256}, 0},
                      {"global_average_pooling2d", "GlobalAveragePooling2D", {256}, 0},
                      {"dropout", "Dropout", {256}, 0},
                      {"dense", "Dense", {128}, 32896},
                      {"dropout_1", "Dropout", {128}, 0},
                      {"dense_1", "Dense", {32}, 4128},
                      {"dropout_2", "Dropout", {32}, 0},
                      {"dense_2", "Dense", {3}, 99}});
  CHECK(tables::has_totals(custom("custom2_dropout"), "1,184,323", "1,183,427", "896"));
}

TEST_CASE("an unknown custom model is refused with the names there are") {
  CHECK_THROWS_WITH_AS(static_cast<void>(emotion_cnn_options("custom9")), doctest::Contains("custom2_dropout"),
                       OptionError);
}
