// Somebody's program, on mien::compiled and on the headers alone: trains a little, stores the model, takes it up again.
#include <iostream>

#include <mien/images.hpp>
#include <mien/io.hpp>
#include <mien/mien.hpp>
using namespace mien;

int main(int argc, char** argv) try {
  if (argc != 2) throw OptionError("usage: consumer_compiled FILE");
  const Node x = Input({8, 8, 3});
  Node y = Conv2D{.filters = 4, .kernel_size = 3, .activation = relu}(x);
  y = Dense{.units = 2, .activation = softmax}(GlobalAveragePooling2D{}(y));
  Model<float> model(x, y, {.seed = 1});
  model.compile({.optimizer = Adam{}, .loss = CategoricalCrossentropy{}});
  Tensor<float> samples({4, 8, 8, 3}), targets({4, 2});
  for (std::int64_t i = 0; i < 4; ++i) targets(i, i % 2) = 1;
  static_cast<void>(model.train_on_batch(samples, targets));
  save(model, argv[1]);
  const bool same = load_model<float>(argv[1]).predict(samples)[0] == model.predict(samples)[0];
  std::cout << "stored and loaded: " << (same ? "the same" : "another") << " prediction\n";
  return same ? 0 : 1;
} catch (const Error& error) {
  std::cerr << error.what() << "\n";
  return 2;
}
