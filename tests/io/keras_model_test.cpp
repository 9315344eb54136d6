// Whole models of Keras. Expected predictions: tests/references/keras_models.py. With MIEN_KERAS_MODELS naming a folder
// with fer2013_mini_XCEPTION.107-0.66.hdf5 and fashion.keras, or these in shared/models beside the checkout, they are
// loaded too.

#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include <mien/io.hpp>
#include <mien/io/formats/json.hpp>
#include <mien/io/keras/graph.hpp>
#include <mien/mien.hpp>

#include <folder_beside.hpp>
#include <formats/temporary_folder.hpp>

using namespace mien;

namespace keras_models {

#include "../references/keras_models/predictions.inc"

std::string stored(const char* name) { return text(MIEN_TEST_REFERENCES, "/keras_models/", name); }

/// The input of keras_models.py, times `scale`.
template <class T>
Tensor<T> pixels(const Shape& shape, double scale = 1) {
  Tensor<T> x(shape);
  for (std::int64_t i = 0; i < x.size(); ++i)
    x[i] = static_cast<T>(scale * (static_cast<double>(i * 7919 % 257) / 128 - 1));
  return x;
}

/// Every probability, the small ones too, to a part `tolerance` of itself.
template <class T, std::size_t n>
void check_predictions(Model<T>& model, const double (&expected)[n], double tolerance, double scale = 1) {
  const Tensor<T> y = model.predict(pixels<T>(model.input_shape().with_batch(2), scale));
  REQUIRE(y.size() == static_cast<std::int64_t>(n));
  for (std::size_t i = 0; i < n; ++i) {
    CAPTURE(i);
    CHECK(std::abs(static_cast<double>(y[static_cast<std::int64_t>(i)]) / expected[i] - 1) < tolerance);
  }
}

io::KerasArchitecture read(const std::string& json, const LoadKerasOptions& options = {}) {
  return io::keras_architecture_from(parse_json(json, "test"), options, "'m.h5'");
}
std::string refusal(const std::string& json, const LoadKerasOptions& options = {}) {
  try {
    static_cast<void>(read(json, options));
  } catch (const FileError& error) {
    return error.what();
  }
  return "nothing was refused";
}

/// Sequential with an input of 6 x 6 x 2 and these layers, as Keras 2.0 wrote it: a list.
std::string sequential(const std::string& layers) {
  return R"({"class_name": "Sequential", "config": [{"class_name": "InputLayer",
            "config": {"name": "in", "batch_input_shape": [null, 6, 6, 2]}}, )" +
         layers + "]}";
}
std::string dense(const std::string& name, const std::string& more = "") {
  return R"({"class_name": "Dense", "config": {"name": ")" + name + R"(", "units": 3)" + more + "}}";
}
/// A layer of a functional model of Keras 2, with its calls as a list.
std::string called(const std::string& type, const std::string& name, const std::string& calls,
                   const std::string& more = "") {
  return R"({"class_name": ")" + type + R"(", "name": ")" + name + R"(", "config": {"name": ")" + name + "\"" + more +
         R"(}, "inbound_nodes": [)" + calls + "]}";
}
std::string functional(const std::string& layers, const std::string& outputs,
                       const std::string& inputs = R"(["in", 0, 0])") {
  return R"({"class_name": "Model", "config": {"name": "m", "layers": [)" +
         called("InputLayer", "in", "", R"(, "batch_input_shape": [null, 6, 6, 2])") + ", " + layers +
         R"(], "input_layers": [)" + inputs + R"(], "output_layers": [)" + outputs + "]}}";
}
std::string call(const std::string& from, const std::string& arguments = "{}") {
  return "[[\"" + from + "\", 0, 0, " + arguments + "]]";
}

}  // namespace keras_models

using namespace keras_models;

TEST_CASE("a Keras model inside a Sequential, from Keras 2's .h5 and Keras 3's .keras") {
  for (const char* name : {"nested_2.h5", "nested_3.keras"}) {
    CAPTURE(std::string(name));
    auto exact = load_keras_model<double>(stored(name));
    check_predictions(exact, nested_predictions, 1e-8);
    auto model = load_keras_model<float>(stored(name));
    check_predictions(model, nested_predictions, 1e-4);
    CHECK(model.name() == "outer");
    CHECK(model.is_sequential());
    CHECK(join(model.network().graph.names) ==
          "base_input, base/conv, bn, leaky, dw, sep, add, up, conv, max, shape, flatten, drop, dense");
    CHECK(!model.is_trainable(model.network().find("base/conv")));
    CHECK(model.is_trainable(model.network().find("bn")));
    for (const char* row :
         {"dw (DepthwiseConv2D)            (None, 5, 4, 6)      60          leaky[0][0]                      \n",
          "sep (SeparableConv2D)           (None, 5, 4, 6)      36          leaky[0][0]                      \n",
          "leaky (LeakyReLU)               (None, 5, 4, 3)      0           bn[0][0]                         \n",
          "up (UpSampling2D)               (None, 10, 8, 6)     0           add[0][0]                        \n",
          "max (GlobalMaxPooling2D)        (None, 4)            0           conv[0][0]                       \n",
          "shape (Reshape)                 (None, 2, 2)         0           max[0][0]                        \n"}) {
      CAPTURE(std::string(row));
      CHECK(model.summary().find(row) != std::string::npos);
    }
    for (const Parameter& parameter : model.parameters())
      CHECK(parameter.regularizer == (parameter.name == "base/conv/kernel" ? l2(0.25) : Regularizer{}));
  }
}

TEST_CASE("a model of Keras can be trained further and saved") {
  auto model = load_keras_model<float>(stored("nested_2.h5"), {.seed = 5});
  const auto values = [&](const char* name) {
    const auto view = model.parameter(name);
    return std::vector<float>(view.begin(), view.end());
  };
  const std::vector<float> frozen = values("base/conv/kernel"), trained = values("conv/kernel");
  model.compile({.optimizer = Adam{.learning_rate = 0.01}, .loss = CategoricalCrossentropy{}});
  const Tensor<float> x = pixels<float>({2, 9, 8, 2}), y({2, 3}, {1, 0, 0, 0, 0, 1});
  const double before = model.test_on_batch(x, y).loss;
  for (int step = 0; step < 200; ++step) model.train_on_batch(x, y);
  CHECK(model.test_on_batch(x, y).loss < before / 2);
  CHECK(values("base/conv/kernel") == frozen);
  CHECK(values("conv/kernel") != trained);
  const TemporaryFolder folder;
  save(model, folder / "m.safetensors");
  auto again = load_model<float>(folder / "m.safetensors");
  const Tensor<float> a = model.predict(x), b = again.predict(x);
  CHECK(std::equal(a.begin(), a.end(), b.begin()));
  CHECK(again.summary() == model.summary());
}

TEST_CASE("the real mini_XCEPTION and a real .keras predict as in Keras" * doctest::skip(!keras_models_folder())) {
  const std::filesystem::path models = *keras_models_folder();
  auto face = load_keras_model<float>(models / "fer2013_mini_XCEPTION.107-0.66.hdf5");
  CHECK(face.count_parameters() == 58423);
  check_predictions(face, mini_xception_predictions, 1e-4);
  auto fashion = load_keras_model<float>(models / "fashion.keras");
  check_predictions(fashion, fashion_predictions, 1e-4, 0.25);
}

TEST_CASE("weights that do not fit the architecture are refused with a table") {
  std::ifstream in(stored("nested_2.h5"), std::ios::binary);
  std::string bytes{std::istreambuf_iterator<char>(in), {}};
  const std::size_t at = bytes.find("\"units\": 3");
  REQUIRE(at != std::string::npos);
  bytes[at + 9] = '4';
  const TemporaryFolder folder;
  const auto path = folder / "units.h5";
  std::ofstream(path, std::ios::binary) << bytes;
  CHECK_THROWS_WITH_AS(
      static_cast<void>(load_keras_model<float>(path)),
      text("'", path.string(),
           "': its weights do not fit its architecture:\n  other shape           dense/kernel (4, 4), ",
           "in the file dense/kernel:0 (4, 3)\n  other shape           dense/bias (4,), in the file dense/bias:0 (3,)")
          .c_str(),
      FileError);
  CHECK_THROWS_WITH_AS(static_cast<void>(load_keras_model<float>(text(MIEN_TEST_REFERENCES, "/keras_hdf5/keras_2.h5"))),
                       doctest::Contains("holds weights, but no architecture"), FileError);
}

TEST_CASE("Keras's options: what they are called, how they are written") {
  const auto model = read(sequential(
      R"({"class_name": "ZeroPadding2D", "config": {"name": "pad", "padding": [[1, 0], [2, 0]]}},
         {"class_name": "Conv2D", "config": {"name": "c", "filters": 4, "kernel_size": 3, "strides": [2, 2], "padding": "same",
          "activation": {"class_name": "LeakyReLU", "config": {"negative_slope": 0.5}}, "kernel_initializer":
          {"class_name": "VarianceScaling", "config": {"scale": 2.0, "mode": "fan_in", "distribution": "truncated_normal"}},
          "kernel_regularizer": {"class_name": "L1L2", "config": {"l1": 0.25, "l2": 0.5}}, "dtype": {"class_name": "DTypePolicy"}}},
         {"class_name": "Conv2DTranspose", "config": {"name": "t", "filters": 3, "kernel_size": [4, 4], "strides": [2, 2],
          "padding": "same", "output_padding": null, "dilation_rate": [1, 1], "activation": "relu", "use_bias": true}},
         {"class_name": "ReLU", "config": {"name": "r", "max_value": null, "negative_slope": 0.0, "threshold": 0.0}},
         {"class_name": "AveragePooling2D", "config": {"name": "p", "pool_size": [2, 2], "strides": null}},
         {"class_name": "BatchNormalization", "config": {"name": "b", "axis": [3], "epsilon": 0.5, "momentum": 0.25, "trainable": false}},
         {"class_name": "Flatten", "config": {"name": "f", "data_format": "channels_last"}}, )" +
      dense("d", R"(, "activation": "swish", "use_bias": false, "bias_constraint": null)")));
  const Network<double> network(model.graph.input, model.graph.output);
  CHECK(join(network.graph.names) == "in, pad, c, t, r, p, b, f, d");
  CHECK(network.shape(network.find("pad")) == Shape{7, 8, 2});
  CHECK(network.shape(network.find("t")) == Shape{8, 8, 3});
  CHECK(network.parameter_specs[static_cast<std::size_t>(network.find("t"))][0].shape == Shape{4, 4, 3, 4});
  CHECK(network.shape(network.find("p")) == Shape{4, 4, 3});
  const auto c = static_cast<std::size_t>(network.find("c"));
  CHECK(network.layers[c]->activation() == leaky_relu(0.5));
  CHECK(network.parameter_specs[c][0].initializer == he_normal);
  CHECK(network.parameter_specs[c][0].regularizer == Regularizer{.l1 = 0.25, .l2 = 0.5});
  CHECK(network.layers[static_cast<std::size_t>(network.find("r"))]->activation() == relu);
  CHECK(network.layers[static_cast<std::size_t>(network.find("d"))]->activation() == silu);
  CHECK(network.parameter_specs[static_cast<std::size_t>(network.find("d"))].size() == 1);
  CHECK(model.graph.frozen == std::vector<std::string>{"b"});
}

TEST_CASE("the shape of a model's input, wherever Keras says it") {
  const std::string first =
      R"({"class_name": "Dense", "config": {"name": "d", "units": 3, "batch_input_shape": [null, 5]}})";
  CHECK(read(R"({"class_name": "Sequential", "config": [)" + first + "]}").graph.input.shape() == Shape{5});
  CHECK(read(R"({"class_name": "Sequential", "config": {"name": "s", "layers": [)" + dense("d") +
             R"(]}, "build_config": {"input_shape": [null, 7]}})")
            .graph.input.shape() == Shape{7});
  const std::string open =
      R"({"class_name": "Sequential", "config": {"name": "s", "layers": [{"class_name": "InputLayer",
      "config": {"name": "in", "batch_shape": [null, null, null, 3]}}, )" +
      dense("d") + "]}}";
  CHECK(refusal(open) == "'m.h5': input 'in' leaves extents open, [null,null,null,3]; say which with .input_shape");
  CHECK(read(open, {.input_shape = {4, 4, 3}}).graph.output.shape() == Shape{4, 4, 3});
  CHECK(refusal(R"({"class_name": "Sequential", "config": {"name": "s", "layers": [)" + dense("d") + "]}}") ==
        "'m.h5': the model says nothing of its input's shape; say it with .input_shape");
}

TEST_CASE("functional models: shared layers, calls with training=False, layers that nobody reads") {
  const std::string pool = R"(, "pool_size": [2, 2])";
  const auto twice = read(functional(called("Dense", "a", call("in"), R"(, "units": 2)") + ", " +
                                         called("MaxPooling2D", "p", call("in") + ", " + call("a"), pool) + ", " +
                                         called("Dense", "unread", call("a"), R"(, "units": 9)") + ", " +
                                         called("Add", "sum", R"([["p", 0, 0, {}], ["p", 1, 0, {}]])"),
                                     R"(["sum", 0, 0])"));
  CHECK(join(Network<float>(twice.graph.input, twice.graph.output).graph.names) == "in, a, p, p_call2, sum");
  const auto held =
      read(functional(called("BatchNormalization", "b", call("in", R"({"training": false})")), R"(["b", 0, 0])"));
  CHECK(held.graph.frozen == std::vector<std::string>{"b"});
  CHECK(held.root.inner[1].trainable);
  CHECK(refusal(functional(called("Dense", "d", call("in") + ", " + call("d"), R"(, "units": 2)"), R"(["d", 1, 0])")) ==
        "'m.h5': layer 'd' (Dense) is called more than once and shares its weights between the calls, which mien has "
        "not");
}

TEST_CASE("what of Keras is refused, by the names of layer and class") {
  const auto layer = [](const std::string& type, const std::string& more = "") {
    return refusal(sequential(R"({"class_name": ")" + type + R"(", "config": {"name": "x")" + more + "}}"));
  };
  CHECK(layer("LSTM") ==
        "'m.h5': layer 'x' (LSTM): unknown layer type 'LSTM'; a layer of your own is loaded with "
        ".custom_objects = CustomObjects{}.add<YourOptions>()");
  CHECK(layer("Conv2D", R"(, "data_format": "channels_first")")
            .starts_with("'m.h5': layer 'x' (Conv2D): data_format 'channels_first'"));
  CHECK(layer("Dense", R"(, "units": 2, "kernel_constraint": {"class_name": "MaxNorm"})") ==
        "'m.h5': layer 'x' (Dense): mien has no 'kernel_constraint'");
  CHECK(layer("Conv2DTranspose", R"(, "filters": 2, "kernel_size": 3, "output_padding": [1, 1])") ==
        "'m.h5': layer 'x' (Conv2DTranspose): mien has no 'output_padding'");
  CHECK(layer("Dense", R"(, "units": 2, "activation": "relu6")")
            .starts_with("'m.h5': layer 'x' (Dense): option 'activation': unknown activation 'relu6'"));
  CHECK(layer("Dense", R"(, "units": 2.5)") ==
        "'m.h5': layer 'x' (Dense): option 'units': expected a whole number, got 2.5");
  CHECK(layer("ReLU", R"(, "max_value": 6.0)").starts_with("'m.h5': layer 'x' (ReLU): a ReLU with a max_value"));
  CHECK(layer("Dense") == "'m.h5': layer 'x' (Dense) expected units of 1 or more, got 0");
  CHECK(refusal(R"({"class_name": "MyModel", "config": {}})").starts_with("'m.h5': the model is a 'MyModel'"));
  CHECK(refusal(R"({"class_name": "Sequential"})").starts_with("'m.h5': the architecture is damaged"));
  CHECK(refusal(functional(called("Flatten", "f", call("in")), R"(["f", 0, 0], ["in", 0, 0])")) ==
        "'m.h5': model 'm' has 2 outputs, 'f', 'in'; a model of mien has one");
  CHECK(refusal(functional(called("Flatten", "f", call("in")), R"(["f", 0, 0])", R"(["in", 0, 0], ["f", 0, 0])")) ==
        "'m.h5': model 'm' has 2 inputs, 'in', 'f'; a model of mien has one");
  CHECK(refusal(functional(called("Flatten", "f", call("g")) + ", " + called("Flatten", "g", call("f")),
                           R"(["f", 0, 0])")) == "'m.h5': model 'm' runs in a circle through 'f'");
  CHECK(refusal(functional(called("Flatten", "f", call("h")), R"(["f", 0, 0])")) ==
        "'m.h5': model 'm' reads 'h', which it does not have");
  CHECK(refusal(sequential(dense("d") + ", " + dense("e") + ", " + dense("d"))) ==
        "'m.h5': two layers are named 'd'; rename one in Keras");
  CHECK(refusal(sequential(dense("in"))) == "'m.h5': two layers are named 'in'; rename one in Keras");
  CHECK(refusal(functional(called("Flatten", "f", call("in")) + ", " + called("Flatten", "f", call("in")),
                           R"(["f", 0, 0])")) == "'m.h5': model 'm' has two layers named 'f'");
}
