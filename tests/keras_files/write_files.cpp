// Writes models in Keras's formats, for check.py: write_files FOLDER. With MIEN_KERAS_MODELS naming a folder with
// fer2013_mini_XCEPTION.107-0.66.hdf5, that model too.
#include <cstdlib>
#include <filesystem>
#include <string>

#include <mien/io.hpp>
#include <mien/mien.hpp>

#include "../model/networks.hpp"

using namespace mien;

namespace {

/// Layers with every kind of weight, trained for a step so that no statistic is as it was made.
template <class T>
Model<T> some_model() {
  const Node x = Input({9, 8, 3}, "image");
  Node y = Rescaling{.scale = 1.0 / 255, .name = "scale"}(x);
  y = Conv2D{.filters = 4, .kernel_size = 3, .padding = Padding::same, .activation = relu, .name = "block/conv"}(y);
  y = BatchNormalization{.name = "block/norm"}(y);
  const Node a = SeparableConv2D{.filters = 5, .kernel_size = 3, .name = "separable"}(y);
  const Node b = DepthwiseConv2D{.kernel_size = 3, .depth_multiplier = 2, .use_bias = false, .name = "depthwise"}(y);
  y = Concatenate{.name = "both"}({a, b});
  y = GlobalAveragePooling2D{.name = "pool"}(y);
  y = Dense{.units = 3, .activation = softmax, .name = "top"}(y);
  Model<T> model(x, y, {.seed = 11, .name = "some_model"});
  model.compile({.optimizer = SGD{.learning_rate = 0.1}, .loss = CategoricalCrossentropy{}});
  Tensor<T> pictures({2, 9, 8, 3}), targets({2, 3});
  for (std::int64_t i = 0; i < pictures.size(); ++i) pictures[i] = static_cast<T>(i * 37 % 256);
  targets(0, 1) = targets(1, 2) = 1;
  static_cast<void>(model.train_on_batch(pictures, targets));
  return model;
}

/// A whole model, and what check.py compares it with.
template <class T>
void save_both(const Model<T>& model, const std::filesystem::path& folder, const std::string& name) {
  save(model, folder / (name + ".safetensors"));
  save_keras_model(model, folder / (name + ".h5"));
}

}  // namespace

int main(int count, char** arguments) {
  if (count != 2) return 2;
  const std::filesystem::path folder = arguments[1];
  const auto single = some_model<float>();
  save(single, folder / "single.safetensors");
  save_keras_weights(single, folder / "single.h5");
  const auto twice = some_model<double>();
  save(twice, folder / "double.safetensors");
  save_keras_weights(twice, folder / "double.h5");

  // So many layers that Keras splits their list of names, and an architecture beyond 64 kB.
  Sequential chain{Input({2})};
  for (int i = 0; i < 700; ++i)
    chain.add(Activation{.activation = relu, .name = "a" + std::to_string(i) + std::string(96, 'x')});
  const Model<float> many(chain, {.name = "many"});
  save_keras_weights(many, folder / "many.h5");
  save_both(many, folder, "whole_many");

  save_both(Model<float>(networks::small_emotion_cnn()), folder, "whole_sequential");
  const Node x = Input({9, 8, 3}, "image");
  Model<float> every(x, networks::every_keras_layer(x), {.seed = 4, .name = "zoo"});
  every.freeze(named("separable_conv2d"));
  save_both(every, folder, "whole_functional");
  save_both(Model<double>(x, networks::every_keras_layer(x)), folder, "whole_double");
  if (const char* models = std::getenv("MIEN_KERAS_MODELS"))
    save_both(load_keras_model<float>(std::filesystem::path(models) / "fer2013_mini_XCEPTION.107-0.66.hdf5"), folder,
              "whole_xception");
  return 0;
}
