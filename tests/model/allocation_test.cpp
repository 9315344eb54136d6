// Counts what is asked of operator new: nothing in a training step or a prediction after the first, and what memory()
// promised.

#include <doctest/doctest.h>

#include <atomic>

#include "networks.hpp"

extern std::atomic<std::size_t> allocations, aligned_bytes;  // counting_new.cpp

using namespace mien;
using namespace networks;

TEST_CASE("after the first, a training step and a prediction allocate nothing") {
  Model<float> model = every_layer(2);
  Samples<float> samples(4, {12, 12, 3}, 3, 255);
  for (int i = 0; i < 2; ++i) (void)model.train_on_batch(samples.x, samples.y);
  std::size_t before = allocations;
  for (int i = 0; i < 5; ++i) (void)model.train_on_batch(samples.x, samples.y);
  CHECK(allocations == before);

  const Predictor<float> predict = model.predictor({.max_batch = 4});
  std::vector<float> result(12);
  predict.predict_into(samples.x, result);
  before = allocations;
  for (int i = 0; i < 5; ++i) predict.predict_into(samples.x, result);
  CHECK(allocations == before);
}

TEST_CASE("memory() is what training asks for") {
  for (const std::int64_t batch : {1, 8, 32}) {
    const std::size_t before = aligned_bytes;
    Model<float> model(emotion_cnn(), {.threads = 2});
    model.compile({.optimizer = Adam{}, .loss = CategoricalCrossentropy{}, .metrics = {Accuracy{}}});
    const std::size_t promised = model.memory(batch).total();
    Tensor<float> x({batch, 48, 48, 3}), y({batch, 3});  // stand for one of the loader's two batches
    (void)model.train_on_batch(x, y);
    const auto asked = static_cast<double>(aligned_bytes - before + x.span().size_bytes());
    CHECK(asked == doctest::Approx(static_cast<double>(promised)).epsilon(0.05));
  }
}
