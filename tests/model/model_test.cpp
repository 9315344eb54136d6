#include <doctest/doctest.h>

#include <algorithm>
#include <cstring>
#include <utility>
#include <vector>

#include "networks.hpp"

using namespace mien;
using namespace networks;

namespace {

template <class T>
Model<T> compiled(const Sequential& layers, ModelOptions options = {}) {
  Model<T> model(layers, options);
  model.compile({.optimizer = Adam{}, .loss = CategoricalCrossentropy{}, .metrics = {Accuracy{}}});
  return model;
}

bool same_bits(const Model<float>& a, const Model<float>& b) {
  const auto x = a.values().values().span(), y = b.values().values().span();
  return std::memcmp(x.data(), y.data(), x.size_bytes()) == 0;
}

}  // namespace

TEST_CASE("the whole model's gradients are those of central differences") {
  const Node x = Input({8, 8, 2});
  Node y = Conv2D{.filters = 3, .kernel_size = 3, .kernel_regularizer = l2(0.01)}(x);
  const Node skip = y;
  y = Activation{.activation = mien::tanh}(BatchNormalization{}(y));
  y = Add{}({skip, Scale{.start = 1.5}(Dropout{.rate = 0.3}(y)), y});
  y = Concatenate{}({AveragePooling2D{.pool_size = 2}(y), AveragePooling2D{.pool_size = 2}(Scale{}(y))});
  y = Dense{.units = 3, .activation = softmax}(Flatten{}(y));
  Model<double> model(x, y, {.seed = 5, .threads = 2});
  model.compile({.optimizer = SGD{}, .loss = CategoricalCrossentropy{.label_smoothing = 0.1}});
  Samples<double> samples(4, {8, 8, 2}, 3);
  const Model<double> untouched = model;
  const Gradients<double> gradients = model.gradients(samples.x, samples.y);
  CHECK(std::equal(untouched.values().values().begin(), untouched.values().values().end(),
                   model.values().values().begin()));

  const auto loss = [&] { return model.gradients(samples.x, samples.y).loss; };
  const auto numeric = [&](double& value) {
    const double h = 1e-5, before = value;
    value = before + h;
    const double up = loss();
    value = before - h;
    const double down = loss();
    value = before;
    return (up - down) / (2 * h);
  };
  for (std::size_t i = 0; i < model.parameters().size(); ++i) {
    if (model.parameters()[i].statistic) continue;
    const TensorView<double> values = model.parameter(model.parameters()[i].name);
    for (std::int64_t k = 0; k < values.size(); k += std::max<std::int64_t>(1, values.size() / 7))
      CHECK(gradients.parameters[i][k] == doctest::Approx(numeric(values[k])).epsilon(1e-6).scale(1));
  }
  for (std::int64_t k = 0; k < samples.x.size(); k += 37)
    CHECK(gradients.input[k] == doctest::Approx(numeric(samples.x[k])).epsilon(1e-6).scale(1));
}

TEST_CASE("training ends with the same bits for any number of threads") {
  const auto train = [](Model<float> model, const Shape& shape) {
    Samples<float> samples(9, shape, 3, 255);
    for (int i = 0; i < 20; ++i) (void)model.train_on_batch(samples.x, samples.y);
    return model;
  };
  const Model<float> one = train(every_layer(1), {12, 12, 3});
  for (const int threads : {2, 3, 7}) CHECK(same_bits(one, train(every_layer(threads), {12, 12, 3})));

  const auto cnn = [&](int threads) {
    return train(compiled<float>(small_emotion_cnn(), {.seed = 1, .threads = threads}), {36, 36, 3});
  };
  const Model<float> single = cnn(1);
  for (const int threads : {2, 3, 7}) CHECK(same_bits(single, cnn(threads)));
}

TEST_CASE("batch normalisation takes its statistics while its input is written, and they are the same bits") {
  // Apart, a padding by nothing stands between all normalisations but the last and what they could read.
  const Node x = Input({21, 20, 8});
  const auto output = [&x](bool apart) {
    const auto normalised = [&](const Node& y) {
      return BatchNormalization{}(apart ? ZeroPadding2D{.padding = 0}(y) : y);
    };
    Node y = Conv2D{.filters = 24, .kernel_size = 3, .padding = Padding::same}(x);
    const Node a = normalised(y), b = normalised(Conv2D{.filters = 24, .kernel_size = 1, .activation = relu}(x));
    y = Add{}({Activation{.activation = relu}(a), b, y});
    y = normalised(SeparableConv2D{.filters = 6, .kernel_size = 3}(y));
    y = Dense{.units = 5}(Flatten{}(MaxPooling2D{.pool_size = 2}(y)));
    return Dense{.units = 3, .activation = softmax}(BatchNormalization{}(y));
  };
  const auto compiled_model = [&](bool apart) {
    Model<float> model(x, output(apart), {.seed = 3, .threads = 2});
    model.compile({.optimizer = Adam{}, .loss = CategoricalCrossentropy{}});
    return model;
  };
  Model<float> together = compiled_model(false), apart = compiled_model(true);
  // In the order of layers the two differ.
  for (const Parameter& p : together.parameters())
    std::copy_n(together.parameter(p.name).data(), p.shape.size(), apart.parameter(p.name).data());
  Samples<float> samples(9, {21, 20, 8}, 3);
  for (const std::int64_t batch : {9, 9, 4})
    for (Model<float>* model : {&together, &apart})
      (void)model->train_on_batch(TensorView<const float>(samples.x.data(), Shape{batch, 21, 20, 8}),
                                  TensorView<const float>(samples.y.data(), Shape{batch, 3}));
  for (const Parameter& p : together.parameters()) {
    CAPTURE(p.name);
    const auto size = static_cast<std::size_t>(p.shape.size()) * sizeof(float);
    CHECK(std::memcmp(together.parameter(p.name).data(), apart.parameter(p.name).data(), size) == 0);
  }

  const auto reading = [&](bool apart_too, std::vector<bool> trainable) {
    const Network<float> network(x, output(apart_too));
    const Plan<float> plan(network, {.max_batch = 9, .training = true, .trainable = std::move(trainable)});
    const auto& steps = plan.steps();
    return std::count_if(steps.begin(), steps.end(), [](const PlanStep& step) { return step.read_by >= 0; });
  };
  CHECK(reading(false, {}) == 4);
  CHECK(reading(true, {}) == 1);
  CHECK(reading(false, std::vector<bool>(30, false)) == 0);
}

TEST_CASE("training learns, and a copy goes its own way") {
  Model<float> model = compiled<float>(small_emotion_cnn(36, 0), {.seed = 2, .threads = 2});
  Samples<float> samples(12, {36, 36, 3}, 3);
  const double before = model.train_on_batch(samples.x, samples.y).loss;
  const Model<float> copy = model;
  for (int i = 0; i < 60; ++i) (void)model.train_on_batch(samples.x, samples.y);
  const BatchResult after = model.train_on_batch(samples.x, samples.y);
  CHECK(after.loss < before / 2);
  CHECK(after.metrics[0] > 0.8);
  CHECK_FALSE(same_bits(model, copy));
  Model<float> again = copy;
  for (int i = 0; i < 61; ++i) (void)again.train_on_batch(samples.x, samples.y);
  CHECK(same_bits(model, again));
}

TEST_CASE("a partial batch fits into the plan of a larger one") {
  Model<float> large = compiled<float>(small_emotion_cnn(), {.threads = 1}), small = large;
  Samples<float> ten(10, {36, 36, 3}, 3);
  const auto first = [&](const Tensor<float>& t, std::int64_t n) {
    return TensorView<const float>(t.data(), t.shape().without_batch().with_batch(n));
  };
  (void)large.test_on_batch(ten.x, ten.y);
  (void)large.forward(ten.x);
  const double loss = large.train_on_batch(first(ten.x, 3), first(ten.y, 3)).loss;
  CHECK(loss == small.train_on_batch(first(ten.x, 3), first(ten.y, 3)).loss);
  CHECK(same_bits(large, small));
}

TEST_CASE("frozen layers keep their parameters, and layers below the last frozen one get no gradient") {
  Model<float> model = compiled<float>(small_emotion_cnn(), {.seed = 2, .threads = 2});
  CHECK(model.freeze(prefixed("conv_layer_1")) == 2);
  CHECK(model.freeze(named("batch_normalization")) == 1);
  CHECK_THROWS_WITH_AS(model.freeze(named("conv_layer_9")), doctest::Contains("conv_layer_1a"), OptionError);
  const Model<float> before = model;
  Samples<float> samples(4, {36, 36, 3}, 3);
  (void)model.train_on_batch(samples.x, samples.y);
  for (std::size_t i = 0; i < model.parameters().size(); ++i) {
    const Parameter& parameter = model.parameters()[i];
    const auto a = std::as_const(model).parameter(parameter.name), b = before.parameter(parameter.name);
    const bool frozen =
        parameter.name.starts_with("conv_layer_1") || parameter.name.starts_with("batch_normalization/");
    CHECK_MESSAGE(std::equal(a.begin(), a.end(), b.begin()) == frozen, parameter.name);
  }
  CHECK(model.unfreeze(all_layers()) > 10);
  (void)model.train_on_batch(samples.x, samples.y);
  CHECK(model.parameter("conv_layer_1a/kernel")[0] != before.parameter("conv_layer_1a/kernel")[0]);
}

TEST_CASE("named outputs are those of the layers, fused or not") {
  Model<float> model = compiled<float>(small_emotion_cnn(), {.threads = 2});
  Samples<float> samples(2, {36, 36, 3}, 3);
  const Tensor<float> normalized = model.output_of("batch_normalization", samples.x);
  const Tensor<float> activated = model.output_of("activation", samples.x);
  REQUIRE(normalized.shape() == Shape{2, 32, 32, 4});
  bool negative = false;
  for (std::int64_t i = 0; i < normalized.size(); ++i) {
    negative = negative || normalized[i] < 0;
    CHECK(activated[i] == std::max(normalized[i], 0.0F));
  }
  CHECK(negative);
  CHECK(model.output_of("input_1", samples.x)[5] == samples.x[5]);
  CHECK_THROWS_WITH_AS((void)model.output_of("nobody", samples.x), doctest::Contains("pool_layer_3"), OptionError);
}

TEST_CASE("what does not fit is refused with both shapes, and nothing changes") {
  Model<float> model(small_emotion_cnn());
  Samples<float> samples(2, {36, 36, 3}, 3), wrong(2, {36, 35, 3}, 4);
  CHECK_THROWS_WITH_AS(model.train_on_batch(samples.x, samples.y), doctest::Contains("not compiled"), OptionError);
  model.compile({.optimizer = Adam{}, .loss = CategoricalCrossentropy{}});
  CHECK_THROWS_WITH_AS(model.train_on_batch(wrong.x, samples.y),
                       doctest::Contains("(N, 36, 36, 3), got (2, 36, 35, 3)"), ShapeError);
  CHECK_THROWS_WITH_AS(model.train_on_batch(samples.x, wrong.y), doctest::Contains("(2, 3) for this loss, got (2, 4)"),
                       ShapeError);
  CHECK_THROWS_AS(model.compile({.optimizer = Adam{}}), OptionError);
  CHECK_THROWS_AS(model.set_threads(-1), OptionError);
  CHECK_THROWS_WITH_AS((void)model.parameter("conv_layer_1a/weights"), doctest::Contains("conv_layer_1a/kernel"),
                       OptionError);
  CHECK_THROWS_AS((void)model.memory(0), OptionError);
}

TEST_CASE("preprocessing is applied to whatever enters the model") {
  Sequential layers{Input({2, 2, 3}), Flatten{}};
  Model<float> model(layers,
                     {.preprocessing = {.color_mode = "bgr", .scale = 0.5, .mean = {1, 2, 3}, .deviation = {1, 2, 4}}});
  Tensor<float> x({1, 2, 2, 3});
  for (std::int64_t i = 0; i < x.size(); ++i) x[i] = static_cast<float>(10 * i);
  const Tensor<float> y = model.forward(x), p = model.predict(x);
  CHECK(y[0] == (20.0F - 1) / 2);  // blue comes first
  CHECK(y[1] == (10.0F - 2) / 4);
  CHECK(y[2] == (0.0F - 3) / 8);
  CHECK(y[9] == (110.0F - 1) / 2);
  for (std::int64_t i = 0; i < y.size(); ++i) CHECK(y[i] == p[i]);
  CHECK_THROWS_AS(model.set_preprocessing({.mean = {1, 2}}), OptionError);
}

TEST_CASE("strict arithmetic forbids Winograd's algorithm, with the same parameters and nearly the same results") {
  const Node x = Input({24, 24, 32});
  const Node y = Conv2D{.filters = 32, .kernel_size = 3, .padding = Padding::same}(x);
  Model<float> fast(x, y, {.seed = 3, .threads = 2}), strict(x, y, {.threads = 1, .arithmetic = Arithmetic::strict});
  strict.values() = fast.copy_values();
  const auto choice = [](const Model<float>& model) {
    return kernels::explain_choice(model.network().layers[1]->convolutions(8).front(), kernels::ConvPass::forward);
  };
  CHECK(choice(fast).find("forward: winograd") != std::string::npos);
  CHECK(choice(strict).find("forward: implicit_gemm") != std::string::npos);
  CHECK(choice(strict).find("strict") != std::string::npos);
  const Model<float> copy = strict;
  CHECK(copy.arithmetic() == Arithmetic::strict);
  const Samples<float> samples(8, {24, 24, 32}, 1);
  const Tensor<float> a = fast.predict(samples.x), b = strict.predict(samples.x);
  bool equal = true;
  for (std::int64_t i = 0; i < a.size(); ++i) {
    CHECK(a[i] == doctest::Approx(b[i]).epsilon(1e-4).scale(1));
    equal = equal && a[i] == b[i];
  }
  CHECK_FALSE(equal);
}
