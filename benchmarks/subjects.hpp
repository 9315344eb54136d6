#pragma once
// The networks that are timed, compiled for training.

#include <cstdint>
#include <string>
#include <vector>

#include <mien/mien.hpp>

namespace mien_benchmark {

using namespace mien;

/// A network of that name, and the batches that it is timed with. The batches of the large one are those that people
/// with a CPU can wait for.
struct Subject {
  std::string name;
  std::int64_t size = 48, train_batch = 32;
  std::vector<std::int64_t> predict_batches{1, 32};
};

inline const std::vector<Subject>& subjects() {
  static const std::vector<Subject> list{{"custom1"}, {"custom2"},  {"custom3"},
                                         {"vgg16"},   {"resnet50"}, {"vggface", 224, 8, {1, 8}}};
  return list;
}

inline Application base_named(const Subject& subject) {
  const Shape shape{subject.size, subject.size, 3};
  if (subject.name == "vgg16") return vgg16({.include_top = false, .input_shape = shape, .pooling = "avg"});
  if (subject.name == "vggface") return vggface({.include_top = false, .input_shape = shape, .pooling = "avg"});
  return resnet50({.include_top = false, .input_shape = shape, .pooling = "avg"});
}

inline Model<float> build(const Subject& subject) {
  const auto model = [&] {
    if (subject.name.starts_with("custom")) return Model<float>(emotion_cnn(emotion_cnn_options(subject.name)));
    const Application base = base_named(subject);
    return Model<float>(base.input, Dense{.units = 3, .activation = softmax}(base.output));
  };
  Model<float> built = model();
  built.compile({.optimizer = Adam{}, .loss = CategoricalCrossentropy{}, .metrics = {Accuracy{}}});
  return built;
}

inline Tensor<float> pictures(const Subject& subject, std::int64_t batch) {
  Tensor<float> x({batch, subject.size, subject.size, 3});
  Random random({.seed = 2});
  for (float& value : x) value = static_cast<float>(random.uniform());
  return x;
}

/// Classes for that many pictures, as one-hot vectors.
inline Tensor<float> classes(std::int64_t batch) {
  Tensor<float> y({batch, 3});
  for (std::int64_t i = 0; i < batch; ++i) y(i, i % 3) = 1;
  return y;
}

}  // namespace mien_benchmark
