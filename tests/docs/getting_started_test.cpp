// The code of docs/getting-started.md, run. The last test holds the page to this file: every block of C++ on the page
// stands here line by line, up to indentation.

#include <doctest/doctest.h>

#include <cmath>
#include <fstream>
#include <iostream>
#include <sstream>
#include <thread>

#include <mien/io.hpp>
#include <mien/mien.hpp>
#include <mien/testing/check_layer.hpp>

#include "../formats/temporary_folder.hpp"

using namespace mien;

/// y = gain x, with one learned gain for each channel.
struct Scale {
  double start = 1;
  std::string name{};

  static constexpr const char* type = "Scale";
  [[nodiscard]] Shape output_shape(std::span<const Shape> inputs) const { return inputs[0]; }
  template <class T>
  [[nodiscard]] std::unique_ptr<Layer<T>> make(std::span<const Shape> inputs) const;
  void visit_options(OptionVisitor& visit) { visit("start", start); }
  [[nodiscard]] Node operator()(const Node& x) const { return apply(*this, {x}); }
};

template <class T>
class ScaleLayer final : public Layer<T> {
 public:
  ScaleLayer(std::int64_t channels, double start) : channels_(channels), start_(start) {}

  [[nodiscard]] std::vector<ParameterSpec> parameters() const override {
    return {{.name = "gain", .shape = Shape{channels_}, .initializer = constant(start_)}};
  }
  void forward(const ForwardPass<T>& pass) const override {
    const TensorView<T> gain = pass.parameters[0];
    for (std::int64_t i = 0; i < pass.output.size(); ++i) pass.output[i] = gain[i % channels_] * pass.inputs[0][i];
  }
  void backward(const BackwardPass<T>& pass) const override {
    const TensorView<T> gain = pass.parameters[0], d_gain = pass.d_parameters[0], d_input = pass.d_inputs[0];
    if (d_input)  // without data where nobody wants it
      for (std::int64_t i = 0; i < d_input.size(); ++i) d_input[i] = gain[i % channels_] * pass.d_output[i];
    if (!d_gain) return;  // the layer is frozen
    std::fill(d_gain.begin(), d_gain.end(), T(0));
    for (std::int64_t i = 0; i < pass.d_output.size(); ++i)
      d_gain[i % channels_] += pass.inputs[0][i] * pass.d_output[i];
  }

 private:
  std::int64_t channels_;
  double start_;
};

template <class T>
std::unique_ptr<Layer<T>> Scale::make(std::span<const Shape> inputs) const {
  return std::make_unique<ScaleLayer<T>>(inputs[0][-1], start);
}

Model<float> small_network() {
  const Node x = Input({24, 24, 3});  // height, width, channels
  Node y = Conv2D{.filters = 8, .kernel_size = 3, .name = "conv_1"}(x);
  y = BatchNormalization{}(y);
  y = Activation{.activation = relu}(y);
  y = MaxPooling2D{.pool_size = 2}(y);
  y = Conv2D{.filters = 16, .kernel_size = 3, .activation = relu, .name = "conv_2"}(y);
  y = GlobalAveragePooling2D{}(y);
  y = Dense{.units = 3, .activation = softmax, .name = "emotion"}(y);
  Model<float> model(x, y, {.seed = 7, .preprocessing = {.scale = 1.0 / 255}});
  model.compile({.optimizer = Adam{.learning_rate = 1e-3}, .loss = CategoricalCrossentropy{}, .metrics = {Accuracy{}}});
  return model;
}

TEST_CASE("build, train, evaluate, save") {
  const TemporaryFolder run;

  const Dataset faces = synthetic_faces(120, 1, {.image_size = 24});
  const auto [train, validation] = faces.split(0.25, 1);

  Model<float> model = small_network();
  std::cout << model.summary();
  const History history = model.fit(train, {.batch_size = 32, .epochs = 3, .validation_data = validation});
  std::cout << history["val_accuracy"].back() << "\n";
  save(model, run / "model.safetensors");

  auto same = load_model<float>(run / "model.safetensors");
  same.compile({.optimizer = SGD{}, .loss = CategoricalCrossentropy{}, .metrics = {Accuracy{}}});
  const Logs logs = same.evaluate(validation);
  std::cout << *logs.get("loss") << " " << *logs.get("accuracy") << "\n";

  CHECK(*logs.get("loss") == doctest::Approx(history["val_loss"].back()).epsilon(1e-12));
}

TEST_CASE("a loop of one's own") {
  const Dataset train = synthetic_faces(32, 1, {.image_size = 24});
  Model<float> model = small_network();

  Tensor<float> x(train.sample_shape().with_batch(32)), y(train.target_shape().with_batch(32));
  for (std::int64_t i = 0; i < 32; ++i) {
    train.read(i, x.data() + i * train.sample_shape().size());
    train.read_target(i, y.data() + i * train.target_shape().size());
  }

  const double first = model.gradients(x, y).loss;

  for (int step = 0; step < 5; ++step) {
    const BatchResult result = model.train_on_batch(x, y);
    std::cout << result.loss << " " << result.metrics[0] << "\n";
    model.trainer().learning_rate *= 0.99;
  }

  CHECK(model.test_on_batch(x, y).loss > 0);
  CHECK(model.trainer().iterations == 5);

  const Gradients<float> gradients = model.gradients(x, y);
  for (std::size_t i = 0; i < model.parameters().size(); ++i) {
    const Parameter& parameter = model.parameters()[i];
    if (parameter.statistic || !model.is_trainable(parameter.node)) continue;
    const TensorView<float> w = model.parameter(parameter.name);
    for (std::int64_t k = 0; k < w.size(); ++k) w[k] -= 0.01F * gradients.parameters[i][k];
  }

  CHECK(model.gradients(x, y).loss < gradients.loss);
  CHECK(gradients.loss < first);
}

TEST_CASE("a layer of one's own") {
  const TemporaryFolder run;

  mien::testing::check_layer(Scale{.start = 0.5}, {{4, 5, 3}});

  const Node x = Input({8, 8, 3});
  const Node y = Activation{.activation = mien::tanh}(Scale{.start = 0.5}(x));
  save(Model<float>(x, y), run / "scaled.safetensors");
  auto model = load_model<float>(run / "scaled.safetensors", {.custom_objects = CustomObjects{}.add<Scale>()});

  CHECK(model.parameter("scale/gain")[2] == 0.5F);
}

TEST_CASE("frozen layers") {
  Model<float> model = small_network();

  model.freeze(prefixed("conv_"));
  model.freeze([](std::string_view layer) { return layer != "emotion"; });  // all but the last
  model.unfreeze(all_layers());

  const auto trainable = [&] { return model.summary().find("Non-trainable params: 16\n") != std::string::npos; };
  CHECK(trainable());
  model.freeze(named("conv_2"));
  CHECK_FALSE(trainable());
}

TEST_CASE("fine-tuning") {
  const TemporaryFolder run;
  const Dataset train = synthetic_faces(12, 1, {.image_size = 32});
  {
    const Model<float> drawn(vgg16({.include_top = false, .input_shape = {32, 32, 3}}), {.seed = 9});
    save(drawn, run / "vgg16.safetensors");
  }
  const FitOptions options{.epochs = 1, .verbose = Verbose::silent};

  const Application network = vgg16({.include_top = false, .input_shape = {32, 32, 3}, .pooling = "avg"});
  Model<float> base(network);
  load_weights(base, run / "vgg16.safetensors");

  const Node y = Dense{.units = 3, .activation = softmax, .name = "emotion"}(network.output);
  Model<float> model(network.input, y, {.preprocessing = network.preprocessing});
  copy_weights(base, model);
  model.freeze([](std::string_view layer) { return layer != "emotion"; });

  model.compile({.optimizer = Adam{.learning_rate = 1e-3}, .loss = CategoricalCrossentropy{}, .metrics = {Accuracy{}}});
  model.fit(train, options);
  model.unfreeze(prefixed("block5_"));
  model.compile({.optimizer = Adam{.learning_rate = 1e-5}, .loss = CategoricalCrossentropy{}, .metrics = {Accuracy{}}});
  model.fit(train, options);

  const auto same = [&](const char* name) {
    const TensorView<const float> a = std::as_const(base).parameter(name), b = std::as_const(model).parameter(name);
    return std::equal(a.begin(), a.end(), b.begin());
  };
  CHECK(same("block4_conv3/kernel"));
  CHECK_FALSE(same("block5_conv1/kernel"));
}

TEST_CASE("a run that is taken up again") {
  const TemporaryFolder run;
  const Dataset train = synthetic_faces(40, 1, {.image_size = 24});
  const auto trained = [&](int epochs, const char* file) {
    Model<float> model = small_network();

    model.fit(train, {.epochs = epochs,
                      .verbose = Verbose::silent,
                      .callbacks = {EarlyStopping{.monitor = "loss", .patience = 5}},
                      .checkpoint = checkpoint({.path = run / file})});

    return model;
  };
  const Model<float> whole = trained(3, "a.safetensors");
  (void)trained(1, "b.safetensors");
  const Model<float> resumed = trained(3, "b.safetensors");
  const auto a = whole.values().values().span(), b = resumed.values().values().span();
  CHECK(std::equal(a.begin(), a.end(), b.begin(), b.end()));
}

TEST_CASE("a predictor for many threads") {
  const Model<float> model = small_network();
  Tensor<float> pictures({8, 24, 24, 3}), results({8, 3});
  for (std::int64_t i = 0; i < pictures.size(); ++i) pictures[i] = static_cast<float>(i * 37 % 256);

  const Predictor<float> predict = model.predictor({.max_batch = 1, .threads = 1});
  std::vector<std::thread> callers;
  for (std::int64_t i = 0; i < 8; ++i)
    callers.emplace_back([&, i] {
      const TensorView<const float> picture(pictures.data() + i * 24 * 24 * 3, {24, 24, 3});
      predict.predict_into(picture, results.span().subspan(static_cast<std::size_t>(3 * i), 3));
    });
  for (std::thread& caller : callers) caller.join();

  const Tensor<float> together = predict(pictures);
  CHECK(std::equal(results.begin(), results.end(), together.begin()));
}

namespace {

/// A file's lines without what is around them, each ended by a newline.
std::string trimmed_lines(std::istream& in) {
  std::string lines;
  for (std::string line; std::getline(in, line);) {
    const std::size_t first = line.find_first_not_of(' ');
    if (first != std::string::npos) lines += line.substr(first) + "\n";
  }
  return lines;
}

}  // namespace

TEST_CASE("every block of C++ on the page stands in this file") {
  const std::filesystem::path here(__FILE__);
  std::ifstream source(here), page(here.parent_path() / "../../docs/getting-started.md");
  REQUIRE(source);
  REQUIRE(page);
  const std::string code = trimmed_lines(source), text_of_page = trimmed_lines(page);
  int blocks = 0;
  for (std::size_t at = 0; (at = text_of_page.find("```cpp\n", at)) != std::string::npos; ++blocks) {
    at += 7;
    const std::string block = text_of_page.substr(at, text_of_page.find("```", at) - at);
    CHECK_MESSAGE(code.find(block) != std::string::npos, block);
  }
  CHECK(blocks >= 7);
}
