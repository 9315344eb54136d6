#include <doctest/doctest.h>
#include <fcntl.h>
#include <malloc.h>
#include <unistd.h>

#include <cmath>
#include <cstring>
#include <functional>

#include <mien/model/callbacks/csv_logger.hpp>

#include "formats/temporary_folder.hpp"
#include "model/networks.hpp"

using namespace mien;

namespace {

/// Ten points in three classes.
Dataset points(std::int64_t n = 10, int classes = 3) {
  Tensor<float> x({n, 2});
  std::vector<int> labels;
  Random random({.seed = 4});
  for (std::int64_t i = 0; i < n; ++i) {
    labels.push_back(static_cast<int>(i % classes));
    x(i, 0) = static_cast<float>(random.uniform(-1, 1)) + static_cast<float>(labels.back());
    x(i, 1) = static_cast<float>(random.uniform(-1, 1));
  }
  return Dataset::from_tensors(std::move(x), labels, classes);
}

/// Two numbers to three probabilities. At learning rate 0 the weights stay as they are.
Model<float> classifier(double learning_rate = 0.1, Loss loss = CategoricalCrossentropy{}, std::uint64_t seed = 1) {
  Model<float> model(Sequential{Input({2}), Dense{.units = 3, .activation = softmax}}, {.seed = seed, .threads = 1});
  model.compile({.optimizer = SGD{.learning_rate = learning_rate}, .loss = std::move(loss), .metrics = {Accuracy{}}});
  return model;
}

FitOptions quiet(std::int64_t batch_size = 4, int epochs = 1) {
  return {.batch_size = batch_size, .epochs = epochs, .verbose = Verbose::silent};
}

std::vector<float> weights_of(const Model<float>& model) {
  const auto values = model.values().values().span();
  return {values.begin(), values.end()};
}

/// -log of the probability that the model gives to the sample's class.
double loss_of(Model<float>& model, const Dataset& data, std::int64_t i) {
  Tensor<float> x({1, 2});
  data.read(i, x.data());
  return -std::log(static_cast<double>(model.predict(x)[data.label(i)]));
}

/// What the body writes to the standard output.
std::string printed(const std::function<void()>& body) {
  const TemporaryFolder folder;
  const auto path = folder / "out";
  std::fflush(stdout);
  const int out = ::dup(STDOUT_FILENO), file = ::open(path.c_str(), O_CREAT | O_WRONLY, 0600);
  ::dup2(file, STDOUT_FILENO);
  body();
  std::fflush(stdout);
  ::dup2(out, STDOUT_FILENO);
  ::close(file);
  ::close(out);
  return content(path);
}

}  // namespace

TEST_CASE("history has a row per epoch and its columns in order") {
  FitOptions options = quiet(4, 3);
  options.validation_data = points(6);
  const History history = classifier().fit(points(), options);
  CHECK(history.names() ==
        std::vector<std::string>{"loss", "accuracy", "val_loss", "val_accuracy", "learning_rate", "seconds"});
  CHECK(history.epoch == std::vector<int>{0, 1, 2});
  CHECK(history["learning_rate"] == std::vector<double>{0.1, 0.1, 0.1});
  CHECK(history["loss"][2] < history["loss"][0]);
}

TEST_CASE("each batch counts by its samples, the partial last one too") {
  Model<float> model = classifier(0);
  const Dataset data = points();
  double sum = 0;
  for (std::int64_t i = 0; i < data.size(); ++i) sum += loss_of(model, data, i);
  const Logs evaluated = model.evaluate(data, {.batch_size = 10});
  for (const std::int64_t batch_size : {1, 3, 4, 10, 64}) {
    const History history = model.fit(data, quiet(batch_size));
    CHECK(history["loss"][0] == doctest::Approx(sum / 10).epsilon(1e-6));
    CHECK(history["accuracy"][0] == doctest::Approx(*evaluated.get("accuracy")).epsilon(1e-12));
    CHECK(*model.evaluate(data, {.batch_size = batch_size}).get("loss") == doctest::Approx(sum / 10).epsilon(1e-6));
  }
}

TEST_CASE("without shuffle the order is that of the data, with it a function of the seed") {
  const Model<float> first = classifier();
  const auto trained = [&](bool shuffle, std::uint64_t seed) {
    Model<float> model = classifier(0.1, CategoricalCrossentropy{}, seed);
    std::copy(first.values().values().begin(), first.values().values().end(), model.values().values().begin());
    FitOptions options = quiet(4, 2);
    options.shuffle = shuffle;
    (void)model.fit(points(), options);
    return weights_of(model);
  };
  CHECK(trained(false, 1) == trained(false, 2));
  CHECK(trained(true, 1) == trained(true, 1));
  CHECK(trained(true, 1) != trained(true, 2));
  CHECK(trained(true, 1) != trained(false, 1));

  Model<float> by_hand = first;
  const Dataset data = points();
  for (int epoch = 0; epoch < 2; ++epoch)
    for (const std::int64_t begin : {0, 4, 8}) {
      const std::int64_t n = std::min<std::int64_t>(4, 10 - begin);
      Tensor<float> x({n, 2}), y({n, 3});
      for (std::int64_t i = 0; i < n; ++i) {
        data.read(begin + i, x.data() + 2 * i);
        data.read_target(begin + i, y.data() + 3 * i);
      }
      (void)by_hand.train_on_batch(x, y);
    }
  CHECK(weights_of(by_hand) == trained(false, 1));
}

TEST_CASE("validation_split takes the last part, and validation_data come first") {
  FitOptions split = quiet(), given = quiet(), both = quiet();
  split.validation_split = 0.3;
  given.validation_data = points().subset({7, 8, 9});
  both.validation_split = 0.3;
  both.validation_data = points().subset({0, 1});
  Model<float> a = classifier(), b = classifier(), c = classifier();
  const History of_a = a.fit(points(), split), of_b = b.fit(points().take(7), given);
  CHECK(weights_of(a) == weights_of(b));
  CHECK(of_a["val_loss"] == of_b["val_loss"]);
  CHECK(of_a["loss"] == of_b["loss"]);

  const History of_c = c.fit(points(), both);
  CHECK(of_c["val_loss"][0] == *c.evaluate(points().subset({0, 1}), {.batch_size = 4}).get("loss"));
  CHECK(c.trainer().iterations == 3);  // of all ten samples
}

TEST_CASE("class_weight changes the training loss alone") {
  Model<float> model = classifier(0);
  const Dataset data = points();
  FitOptions options = quiet(4);
  options.class_weight = {2, 0.5, 0};
  options.validation_data = data;
  double weighted = 0, plain = 0;
  for (std::int64_t i = 0; i < data.size(); ++i) {
    weighted += options.class_weight[static_cast<std::size_t>(data.label(i))] * loss_of(model, data, i);
    plain += loss_of(model, data, i);
  }
  const History history = model.fit(data, options);
  CHECK(history["loss"][0] == doctest::Approx(weighted / 10).epsilon(1e-6));
  CHECK(history["val_loss"][0] == doctest::Approx(plain / 10).epsilon(1e-6));
  CHECK(history["accuracy"] == history["val_accuracy"]);
}

TEST_CASE("EarlyStopping restores the best weights, also after the last epoch") {
  for (const int patience : {2, 100}) {
    std::vector<std::vector<float>> after;
    Model<float> model = classifier();
    const auto stop =
        std::make_shared<EarlyStopping>(EarlyStopping{.patience = patience, .restore_best_weights = true});
    FitOptions options = quiet(5, 6);
    options.validation_data = points();
    options.callbacks = {stop, LambdaCallback{.on_epoch_end = [&](int epoch, const Logs&, TrainingControl& control) {
                           after.push_back(weights_of(model));
                           if (epoch == 2) control.set_learning_rate(-0.5);  // uphill from here
                         }}};
    const History history = model.fit(points(), options);
    CHECK(history.epoch.size() == (patience == 2 ? 5 : 6));
    CHECK(stop->stopped_epoch == (patience == 2 ? 4 : -1));
    CHECK(stop->best_epoch == 2);
    CHECK(weights_of(model) == after[2]);
    CHECK(after.back() != after[2]);
    CHECK(*model.evaluate(points(), {.batch_size = 5}).get("loss") == history["val_loss"][2]);
  }
}

TEST_CASE("ReduceLROnPlateau moves the rate of the epochs that follow") {
  Model<float> model = classifier();
  FitOptions options = quiet(4, 4);
  options.callbacks = {ReduceLROnPlateau{.monitor = "loss", .factor = 0.5, .patience = 1, .min_delta = 100}};
  const History history = model.fit(points(), options);
  CHECK(history["learning_rate"] == std::vector<double>{0.1, 0.1, 0.05, 0.025});
  CHECK(model.trainer().learning_rate == 0.0125);
}

TEST_CASE("a callback stops training with the running batch, or before the first") {
  Model<float> model = classifier();
  FitOptions options = quiet(2, 5);
  const auto stop = [](std::int64_t batch, const Logs&, TrainingControl& control) {
    if (batch == 1) control.stop_training();
  };
  options.callbacks = {LambdaCallback{.on_batch_end = stop}};
  const History history = model.fit(points(), options);
  CHECK(model.trainer().iterations == 2);
  CHECK(history.epoch.size() == 1);

  options.callbacks = {LambdaCallback{.on_epoch_begin = [](int, TrainingControl& c) { c.stop_training(); }},
                       EarlyStopping{.monitor = "loss"}};
  CHECK(model.fit(points(), options).epoch.empty());
  CHECK(model.trainer().iterations == 2);
}

TEST_CASE("the loss of class numbers equals that of one-hot targets") {
  Model<float> categorical = classifier(), sparse = classifier(0.1, SparseCategoricalCrossentropy{});
  FitOptions options = quiet(4, 3);
  options.validation_split = 0.2;
  options.class_weight = {1, 2, 3};
  const History a = categorical.fit(points(), options), b = sparse.fit(points(), options);
  CHECK(weights_of(categorical) == weights_of(sparse));
  for (const char* column : {"loss", "accuracy", "val_loss", "val_accuracy"}) CHECK(a[column] == b[column]);
}

TEST_CASE("what does not fit is refused, and nothing has changed") {
  for (const Loss& loss : {Loss(CategoricalCrossentropy{}), Loss(SparseCategoricalCrossentropy{})}) {
    Model<float> model = classifier(0.1, loss);
    const std::vector<float> before = weights_of(model);
    const auto refused = [&](const Dataset& data, const FitOptions& options, const char* message) {
      CHECK_THROWS_WITH_AS((void)model.fit(data, options), doctest::Contains(message), Error);
      CHECK(weights_of(model) == before);
      CHECK(model.trainer().iterations == 0);
      CHECK(model.preprocessing() == Preprocessing{});
    };
    const Dataset wide = Dataset::from_tensors(Tensor<float>({2, 3}), std::vector<int>{0, 1}, 3);
    refused(Dataset(), quiet(), "fit: the dataset is empty");
    refused(wide, quiet(), "takes samples (2,), the dataset has (3,)");
    refused(points(10, 2), quiet(), "targets of 3 numbers, the dataset has (2,) (classes: 0, 1)");
    refused(points(10, 5), quiet(), "targets of 3 numbers, the dataset has (5,)");
    refused(points(), quiet(0), "batch_size is at least 1, got 0");
    refused(points(), quiet(4, -1), "epochs is at least 0, got -1");

    FitOptions options = quiet();
    options.validation_data = points(10, 4);
    refused(points(), options, "fit, validation_data: ");
    options = quiet();
    options.class_weight = {1, 2};
    refused(points(), options, "class_weight has 2 numbers for 3 classes");
    options = quiet();
    options.validation_split = 1;
    refused(points(), options, "validation_split is in [0, 1), got 1");
    options.validation_split = 0.999;
    refused(points(), options, "fit: the dataset is empty");
    options = quiet();
    options.callbacks = {CSVLogger{}};
    refused(points(), options, "CSVLogger");
    CHECK_THROWS_WITH_AS((void)model.evaluate(wide), doctest::Contains("evaluate: "), ShapeError);
    CHECK_THROWS_WITH_AS((void)model.predict(wide), doctest::Contains("predict: "), ShapeError);
  }
  Model<float> plain(Sequential{Input({2}), Dense{.units = 3}});
  CHECK_THROWS_WITH_AS((void)plain.fit(points()), doctest::Contains("not compiled"), OptionError);
}

TEST_CASE("silent prints nothing, lines print a line per epoch") {
  FitOptions options = quiet(4, 2);
  options.callbacks = {ReduceLROnPlateau{.monitor = "loss", .patience = 0, .verbose = true, .min_delta = 100}};
  CHECK(printed([&] { (void)classifier().fit(points(), options); }) == "");
  options.verbose = Verbose::lines;
  const std::string lines = printed([&] { (void)classifier().fit(points(), options); });
  CHECK(lines.find("accuracy") != std::string::npos);
  CHECK(lines.find("ReduceLROnPlateau") != std::string::npos);
}

TEST_CASE("evaluate and predict on a dataset are the hand's and the predictor's") {
  Model<float> model = classifier();
  const TensorView<float> kernel = model.parameter("dense/kernel"), bias = model.parameter("dense/bias");
  for (std::int64_t i = 0; i < 6; ++i)
    kernel[i] = std::array{1.0F, 0.0F, -1.0F, 0.0F, 2.0F, 0.5F}[static_cast<std::size_t>(i)];
  bias[2] = 0.25F;
  const Dataset data = points();
  double loss = 0, right = 0;
  for (std::int64_t i = 0; i < data.size(); ++i) {
    std::array<double, 2> x{};
    data.read(i, x.data());
    const std::array<double, 3> z{x[0], 2 * x[1], -x[0] + 0.5 * x[1] + 0.25};
    double sum = 0;
    for (const double value : z) sum += std::exp(value);
    loss += std::log(sum) - z[static_cast<std::size_t>(data.label(i))];
    right += std::max_element(z.begin(), z.end()) - z.begin() == data.label(i) ? 1 : 0;
  }
  const Logs logs = model.evaluate(data, {.batch_size = 3});
  CHECK(*logs.get("loss") == doctest::Approx(loss / 10).epsilon(1e-6));
  CHECK(*logs.get("accuracy") == doctest::Approx(right / 10).epsilon(1e-12));
}

TEST_CASE("predict on a dataset gives the predictor's bits, preprocessing included") {
  std::vector<std::uint8_t> pixels(5 * 12 * 12 * 3);
  for (std::size_t i = 0; i < pixels.size(); ++i) pixels[i] = static_cast<std::uint8_t>(i * 7 % 256);
  const Dataset data = Dataset::from_pictures(pixels, {12, 12, 3}, {0, 1, 2, 0, 1}, {"a", "b", "c"});
  Model<float> model = networks::every_layer(2);
  model.set_preprocessing({.scale = 0.5, .mean = {1, 2, 3}});
  Tensor<float> x({5, 12, 12, 3});
  for (std::int64_t i = 0; i < 5; ++i) data.read(i, x.data() + i * 12 * 12 * 3);
  const Tensor<float> all = model.predictor({.max_batch = 3})(x), rows = model.predict(data, {.batch_size = 3});
  REQUIRE(rows.shape() == Shape{5, 3});
  CHECK(std::memcmp(all.data(), rows.data(), all.span().size_bytes()) == 0);
}

TEST_CASE("the first training gives the model the classes' names, a later one leaves them") {
  Model<float> model = classifier();
  (void)model.fit(points(), quiet());
  CHECK(model.preprocessing().classes == std::vector<std::string>{"0", "1", "2"});
  model.set_preprocessing({.classes = {"a", "b", "c"}});
  (void)model.fit(points(), quiet());
  CHECK(model.preprocessing().classes == std::vector<std::string>{"a", "b", "c"});
}

TEST_CASE("the penalty of a regularizer is in the reported losses") {
  Model<float> model(
      Sequential{Input({2}), Dense{.units = 3, .activation = softmax, .kernel_regularizer = {.l1 = 0.5, .l2 = 0.25}}},
      {.seed = 1});
  Model<float> plain = classifier(0);
  std::copy(plain.values().values().begin(), plain.values().values().end(), model.values().values().begin());
  model.compile({.optimizer = SGD{.learning_rate = 0}, .loss = CategoricalCrossentropy{}});
  double penalty = 0;
  for (const float w : plain.parameter("dense/kernel").span())
    penalty += 0.5 * std::abs(static_cast<double>(w)) + 0.25 * static_cast<double>(w) * static_cast<double>(w);
  FitOptions options = quiet();
  options.validation_data = points();
  const History with = model.fit(points(), options), without = plain.fit(points(), options);
  CHECK(with["loss"][0] == doctest::Approx(without["loss"][0] + penalty).epsilon(1e-9));
  CHECK(with["val_loss"][0] == doctest::Approx(without["val_loss"][0] + penalty).epsilon(1e-9));
}

TEST_CASE("memory stays flat over many epochs") {
  const auto held = [] {
    const auto info = ::mallinfo2();
    return static_cast<std::int64_t>(info.uordblks + info.hblkhd);
  };
  Model<float> model = networks::every_layer(2);
  std::vector<std::uint8_t> pixels(6 * 12 * 12 * 3, 100);
  const Dataset data = Dataset::from_pictures(pixels, {12, 12, 3}, {0, 1, 2, 0, 1, 2}, {"a", "b", "c"});
  FitOptions options = quiet(4, 2);
  options.validation_data = data;
  (void)model.fit(data, options);
  const std::int64_t before = held();
  for (int i = 0; i < 10; ++i) (void)model.fit(data, options);
  CHECK(held() - before < 4096);
}
