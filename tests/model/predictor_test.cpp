#include <doctest/doctest.h>

#include <atomic>
#include <thread>

#include "networks.hpp"

using namespace mien;
using namespace networks;

TEST_CASE("a predictor folds and fuses, and predicts what the model computes") {
  Model<float> model = every_layer(2);
  Samples<float> samples(5, {12, 12, 3}, 3, 255);
  for (int i = 0; i < 3; ++i) (void)model.train_on_batch(samples.x, samples.y);  // statistics that are not 0 and 1
  const Tensor<float> expected = model.forward(samples.x);
  const Predictor<float> predict = model.predictor({.max_batch = 2});
  const Tensor<float> p = predict(samples.x);
  REQUIRE(p.shape() == Shape{5, 3});
  for (std::int64_t i = 0; i < p.size(); ++i) CHECK(p[i] == doctest::Approx(expected[i]).epsilon(1e-5));

  const Tensor<float> one = predict(TensorView<const float>(samples.x.data(), Shape{12, 12, 3}));
  REQUIRE(one.shape() == Shape{3});
  for (std::int64_t i = 0; i < 3; ++i) CHECK(one[i] == p[i]);
  CHECK_THROWS_WITH_AS((void)predict(Tensor<float>(Shape{12, 12, 1})), doctest::Contains("(12, 12, 3)"), ShapeError);
  CHECK_THROWS_AS((void)model.predictor({.max_batch = 0}), OptionError);
}

TEST_CASE("batch normalisation folds into a layer without a bias") {
  const Node x = Input({5, 5, 2});
  const Node y = Activation{.activation = relu}(
      BatchNormalization{}(Conv2D{.filters = 4, .kernel_size = 3, .use_bias = false}(x)));
  Model<double> model(x, y, {.threads = 1});
  Random random({.seed = 1});
  for (const char* name : {"gamma", "beta", "moving_mean", "moving_variance"})
    for (double& value : model.parameter(text("batch_normalization/", name))) value = random.uniform(0.5, 2);
  Samples<double> samples(3, {5, 5, 2}, 2);
  const Tensor<double> expected = model.forward(samples.x), p = model.predict(samples.x);
  for (std::int64_t i = 0; i < p.size(); ++i) CHECK(p[i] == doctest::Approx(expected[i]).epsilon(1e-12));
}

TEST_CASE("nothing is fused over a view that makes other channels") {
  const auto check = [](const Node& x, const Node& y) {
    Model<double> model(x, y, {.threads = 2});
    Random random({.seed = 2});
    for (const Parameter& parameter : model.parameters())
      if (!parameter.name.starts_with("conv"))
        for (double& value : model.parameter(parameter.name)) value = random.uniform(0.5, 2);
    Samples<double> samples(3, x.shape(), y.shape().size());
    const Tensor<double> forward = model.forward(samples.x), p = model.predict(samples.x);
    for (std::int64_t i = 0; i < p.size(); ++i) CHECK(p[i] == doctest::Approx(forward[i]).epsilon(1e-12));
  };
  const Node x = Input({4, 4, 2});
  check(x, BatchNormalization{}(Flatten{}(Conv2D{.filters = 8, .kernel_size = 1}(x))));
  check(x, BatchNormalization{}(Reshape{.target_shape = {8, 8}}(Dense{.units = 64}(Flatten{}(x)))));

  // The same numbers pooled as 16 channels, with the normalisation of 4: by hand from the layer before.
  const Node z = Input({8, 8, 4});
  const Node wide = Reshape{.target_shape = {4, 4, 16}}(BatchNormalization{.name = "norm"}(z));
  Model<double> model(z, MaxPooling2D{.pool_size = 2}(wide), {.threads = 1});
  Random random({.seed = 3});
  for (const char* name : {"norm/gamma", "norm/beta", "norm/moving_mean", "norm/moving_variance"})
    for (double& value : model.parameter(name)) value = random.uniform(0.5, 2);
  Samples<double> samples(2, {8, 8, 4}, 1);
  const Tensor<double> n = model.output_of("norm", samples.x), p = model.forward(samples.x);
  for (std::int64_t i = 0; i < p.size(); ++i) {
    const std::int64_t c = i % 16, column = i / 16 % 2, row = i / 32 % 2, sample = i / 64;
    double most = -1e300;
    for (std::int64_t r = 0; r < 2; ++r)
      for (std::int64_t s = 0; s < 2; ++s)
        most = std::max(most, n[((sample * 4 + 2 * row + r) * 4 + 2 * column + s) * 16 + c]);
    CHECK(p[i] == most);
  }
}

TEST_CASE("a predictor's prepared kernels predict what the model computes, for any batch and any number of threads") {
  const Node x = Input({14, 14, 16});
  Node y = Conv2D{.filters = 64, .kernel_size = 3, .padding = Padding::same, .activation = relu}(x);
  y = BatchNormalization{}(Conv2D{.filters = 72, .kernel_size = 3, .use_bias = false}(y));
  y = Conv2D{.filters = 40, .kernel_size = 3, .strides = 2, .groups = 2, .activation = silu}(y);
  y = Conv2D{.filters = 33, .kernel_size = 1}(y);
  Model<float> model(x, GlobalAveragePooling2D{}(y), {.seed = 5, .threads = 2});
  Samples<float> samples(7, {14, 14, 16}, 33);
  const Tensor<float> expected = model.forward(samples.x);
  for (const std::int64_t max_batch : {1, 3, 7}) {
    const Tensor<float> p = model.predictor({.max_batch = max_batch, .threads = 1})(samples.x);
    const Tensor<float> q = model.predictor({.max_batch = max_batch, .threads = 3})(samples.x);
    for (std::int64_t i = 0; i < p.size(); ++i) {
      CHECK(p[i] == doctest::Approx(expected[i]).epsilon(1e-4).scale(0.1));
      CHECK(p[i] == q[i]);
    }
  }
}

TEST_CASE("a predictor is a snapshot") {
  Model<float> model = every_layer(1);
  Samples<float> samples(2, {12, 12, 3}, 3, 255);
  const Predictor<float> predict = model.predictor();
  const Tensor<float> before = predict(samples.x), kept = model.predict(samples.x);
  for (int i = 0; i < 3; ++i) (void)model.train_on_batch(samples.x, samples.y);
  const Tensor<float> after = predict(samples.x), fresh = model.predict(samples.x);
  for (std::int64_t i = 0; i < before.size(); ++i) {
    CHECK(before[i] == after[i]);
    CHECK(before[i] == kept[i]);
  }
  CHECK(fresh[0] != before[0]);
}

TEST_CASE("one predictor, eight threads, a thousand predictions each") {
  Model<float> model(small_emotion_cnn(36, 0.1), {.threads = 1});
  Samples<float> samples(8, {36, 36, 3}, 3);
  const Predictor<float> predict = model.predictor({.max_batch = 4, .threads = 1});
  const Tensor<float> expected = predict(samples.x);
  std::atomic<int> wrong = 0;
  std::vector<std::thread> threads;
  for (int t = 0; t < 8; ++t)
    threads.emplace_back([&, t] {
      std::vector<float> result(3);
      for (int i = 0; i < 1000; ++i) {
        const std::int64_t n = (t + i) % 8;
        predict.predict_into(TensorView<const float>(samples.x.data() + n * 36 * 36 * 3, Shape{36, 36, 3}), result);
        if (!std::equal(result.begin(), result.end(), expected.data() + 3 * n)) ++wrong;
      }
    });
  for (std::thread& thread : threads) thread.join();
  CHECK(wrong == 0);
}
