// Builds a small network, trains it on folders of faces and predicts one picture:
//
//     quickstart FACES/train FACES/validation PHOTO.jpg
//
// The folders have a sub-folder of pictures for each of angry, happy and sad.

#include <cstring>
#include <exception>
#include <iostream>

#include <mien/images.hpp>
#include <mien/io.hpp>
#include <mien/mien.hpp>

using namespace mien;

int main(int argc, char** argv) try {
  constexpr const char* usage = "usage: quickstart TRAIN_FOLDER VALIDATION_FOLDER PICTURE";
  if (argc == 2 && (std::strcmp(argv[1], "--help") == 0 || std::strcmp(argv[1], "-h") == 0)) {
    std::cout << usage << "\n";
    return 0;
  }
  if (argc != 4) throw OptionError(usage);

  Node x = Input({48, 48, 3});  // height, width, channels
  Node y = Rescaling{.scale = 1.0 / 255}(x);
  y = Conv2D{.filters = 64, .kernel_size = 3, .activation = relu, .name = "conv_layer_1a"}(y);
  y = BatchNormalization{}(y);
  y = MaxPooling2D{.pool_size = 2}(y);
  y = GlobalAveragePooling2D{}(y);
  y = Dropout{.rate = 0.25}(y);
  y = Dense{.units = 3, .activation = softmax}(y);

  Model<float> model(x, y, {.seed = 7});
  std::cout << model.summary();

  Dataset train = image_folder(argv[1], {.image_size = {48, 48}, .classes = {"angry", "happy", "sad"}});
  Dataset validation = image_folder(argv[2], {.image_size = {48, 48}, .classes = {"angry", "happy", "sad"}});

  model.compile({.optimizer = Adam{.learning_rate = 1e-3}, .loss = CategoricalCrossentropy{}, .metrics = {Accuracy{}}});
  History history = model.fit(train, {.batch_size = 32,
                                      .epochs = 3,
                                      .callbacks = {EarlyStopping{.patience = 10, .restore_best_weights = true},
                                                    ReduceLROnPlateau{.patience = 4}},
                                      .validation_data = validation});
  std::cout << history.to_csv();

  save(model, "emotions.safetensors");  // weights, architecture, classes, preprocessing
  auto same = load_model<float>("emotions.safetensors");
  Predictor<float> predict = same.predictor({.max_batch = 32});  // const, lock-free, for many threads
  Tensor<float> p = predict(load_image(argv[3], {.size = {48, 48}}));
  for (int k = 0; k < 3; ++k) std::cout << train.class_names()[static_cast<std::size_t>(k)] << " " << p[k] << "\n";
} catch (const std::exception& error) {
  std::cerr << error.what() << "\n";
  return 2;
}
