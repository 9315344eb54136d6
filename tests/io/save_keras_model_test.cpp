// What load_keras_model reads, written. What h5py makes of it: tests/keras_files.

#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>
#include <limits>
#include <string>

#include <mien/io.hpp>
#include <mien/io/formats/json.hpp>
#include <mien/io/formats/keras_hdf5.hpp>
#include <mien/io/layer_factory.hpp>
#include <mien/mien.hpp>

#include <formats/temporary_folder.hpp>
#include <model/networks.hpp>

using namespace mien;

namespace save_keras {

/// Every weight as after some training.
template <class T>
void stir(Model<T>& model) {
  Random random({.seed = 23});
  for (T& value : model.values().values()) value = static_cast<T>(random.uniform(0.25, 1));
}

/// Written and read: the same graph, weights, options, and predictions to the bit.
template <class T>
Model<T> check_round_trip(Model<T>& model, const Preprocessing& preprocessing = {}) {
  const TemporaryFolder folder;
  save_keras_model(model, folder / "m.h5");
  auto again = load_keras_model<T>(folder / "m.h5", {.preprocessing = preprocessing});
  CHECK(again.summary() == model.summary());
  Tensor<T> x(model.input_shape().with_batch(3));
  Random random({.seed = 5});
  for (T& value : x) value = static_cast<T>(random.uniform(0, 255));
  const Tensor<T> expected = model.predict(x), got = again.predict(x);
  CHECK(std::equal(expected.begin(), expected.end(), got.begin(), got.end()));
  // Options that no prediction shows: as JSON, layer for layer.
  CHECK(io::architecture_of(again).at("layers") == io::architecture_of(model).at("layers"));
  return again;
}

io::Json config_of(const std::filesystem::path& file) {
  return parse_json(KerasHdf5File(file).model_config().value(), "the config");
}

}  // namespace save_keras

using namespace save_keras;

TEST_CASE("save_keras_model and load_keras_model: every layer that is read is written, with all of its options") {
  const Node x = Input({9, 8, 3}, "image");
  const Node y = networks::every_keras_layer(x);
  Model<float> model(x, y, {.seed = 3, .name = "zoo"});
  stir(model);
  model.freeze(named("batch_normalization"));
  model.freeze(named("dense"));
  for (const auto& entry : io::known_layers().makers()) {
    const std::string& type = entry.first;
    const auto& nodes = model.network().graph.nodes;
    CAPTURE(type);
    CHECK(std::any_of(nodes.begin(), nodes.end(), [&](const Node& node) { return node.layer().type() == type; }));
  }
  CHECK(check_round_trip(model).name() == "zoo");
  Model<double> exact(x, y, {.seed = 3});
  stir(exact);
  check_round_trip(exact);
}

TEST_CASE("save_keras_model: the networks of the deck come back, Sequential or functional, to the bit") {
  EmotionCnnOptions options = emotion_cnn_options("custom2");
  Model<float> custom2(emotion_cnn(options), {.seed = 1, .preprocessing = unit_preprocessing()});
  CHECK(custom2.is_sequential());
  CHECK(check_round_trip(custom2, unit_preprocessing()).is_sequential());
  Model<float> residual(resnet50({.include_top = false, .input_shape = {32, 32, 3}, .pooling = "avg"}), {.seed = 2});
  residual.freeze(prefixed("conv2_"));
  CHECK_FALSE(check_round_trip(residual, residual.preprocessing()).is_sequential());
  const Node x = Input({4});
  Model<float> chain(x, Dense{.units = 2}(x));
  CHECK_FALSE(check_round_trip(chain).is_sequential());  // a chain, but made as a functional model
}

TEST_CASE("save_keras_model: what was read from Keras is written again, models inside it as their layers") {
  auto model = load_keras_model<float>(text(MIEN_TEST_REFERENCES, "/keras_models/nested_2.h5"));
  REQUIRE(model.is_sequential());
  const TemporaryFolder folder;
  save_keras_model(model, folder / "m.h5");
  CHECK(config_of(folder / "m.h5").at("class_name") == "Functional");  // its base has branches
  auto again = load_keras_model<float>(folder / "m.h5");
  Tensor<float> x(model.input_shape().with_batch(2));
  for (std::int64_t i = 0; i < x.size(); ++i) x[i] = static_cast<float>(i % 7);
  const Tensor<float> a = model.predict(x), b = again.predict(x);
  CHECK(std::equal(a.begin(), a.end(), b.begin(), b.end()));
  CHECK(again.network().graph.names == model.network().graph.names);
}

TEST_CASE("save_keras_model: what Keras has not is refused by name before the file is touched") {
  const TemporaryFolder folder;
  const auto path = folder / "m.h5";
  set_content(path, "before");
  const auto refused = [&](const Node& x, const Node& y, const std::string& expected) {
    CHECK_THROWS_WITH_AS(save_keras_model(Model<float>(x, y), path), expected.c_str(), OptionError);
    CHECK(content(path) == "before");
    CHECK(folder.files() == 1);
  };
  const Node x = Input({6, 6, 2});
  refused(x, networks::Scale{.name = "gain"}(x),
          "layer 'gain' (Scale) cannot be saved for Keras, which has no layer like it; save() writes it");
  Initializer own = ones;
  own.name = "mine";
  refused(x, Conv2D{.filters = 2, .kernel_size = 1, .kernel_initializer = own, .name = "c"}(x),
          "layer 'c' (Conv2D) cannot be saved for Keras: option 'kernel_initializer': Keras has no initializer 'mine'");
  const double infinity = std::numeric_limits<double>::infinity();
  refused(x, RandomRotation{.factor = 0.1, .fill_value = infinity, .name = "turn"}(x),
          "layer 'turn' (RandomRotation) cannot be saved for Keras: option 'fill_value': is inf, which Keras's files "
          "cannot hold");
  refused(
      x, Flatten{.name = "\xff"}(x),
      "model 'model' cannot be saved for Keras: [json.exception.type_error.316] invalid UTF-8 byte at index 0: 0xFF");
}
