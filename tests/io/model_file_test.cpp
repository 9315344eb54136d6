#include <doctest/doctest.h>

#include <cstring>
#include <functional>
#include <limits>

#include <mien/io.hpp>
#include <mien/io/architecture.hpp>

#include "formats/temporary_folder.hpp"
#include "model/networks.hpp"
#include "stored_files.hpp"

using namespace mien;
using networks::Samples;
using networks::Scale;

namespace {

const LoadModelOptions with_scale{.custom_objects = CustomObjects{}.add<Scale>()};

template <class T>
bool same_bits(const Tensor<T>& a, const Tensor<T>& b) {
  return a.shape() == b.shape() && std::memcmp(a.data(), b.data(), a.span().size_bytes()) == 0;
}

/// Every layer, trained a little so that no parameter is as it was made, two layers frozen.
Model<float> trained() {
  Model<float> model = networks::every_layer(2);
  Samples<float> samples(4, {12, 12, 3}, 3, 255);
  for (int i = 0; i < 3; ++i) (void)model.train_on_batch(samples.x, samples.y);
  model.set_preprocessing({.classes = {"angry", "happy", "sad"},
                           .color_mode = "bgr",
                           .scale = 0.1,
                           .mean = {1, 2, 3},
                           .deviation = {4, 5, 6}});
  model.freeze(named("conv2d"));
  model.freeze(prefixed("batch_normalization_1"));
  return model;
}

/// A small model's file.
void save_small(const std::filesystem::path& path) {
  const Model<float> model(Sequential{Input({6, 6, 1}), Conv2D{.filters = 2, .kernel_size = 3, .name = "conv"},
                                      BatchNormalization{}, Flatten{}, Dense{.units = 2, .activation = softmax}},
                           {.seed = 3});
  save(model, path);
}

/// The file's architecture, changed.
void change_architecture(const std::filesystem::path& from, const std::filesystem::path& to,
                         const std::function<void(io::Json&)>& edit) {
  stored_files::change(from, to, [&](stored_files::Content& content) {
    io::Json json = io::Json::parse(content.metadata.at("model"));
    edit(json);
    content.metadata["model"] = json.dump();
  });
}

}  // namespace

TEST_CASE("a model comes back from its file with the same table, bits, frozen layers and preprocessing") {
  const TemporaryFolder folder;
  Model<float> model = trained();
  save(model, folder / "m.safetensors");
  Model<float> same = load_model<float>(folder / "m.safetensors", with_scale);
  CHECK(same.summary() == model.summary());
  CHECK(same.name() == model.name());
  CHECK(same.preprocessing() == model.preprocessing());
  CHECK(same_bits(same.values().values(), model.values().values()));
  for (int node = 0; node < model.network().size(); ++node) CHECK(same.is_trainable(node) == model.is_trainable(node));
  CHECK_FALSE(same.is_compiled());
  Samples<float> samples(5, {12, 12, 3}, 3, 255);
  CHECK(same_bits(same.predict(samples.x), model.predict(samples.x)));
  for (const Parameter& parameter : model.parameters())
    CHECK(same.parameter(parameter.name).shape() == parameter.shape);

  save(same, folder / "again.safetensors");
  CHECK(content(folder / "again.safetensors") == content(folder / "m.safetensors"));
  CHECK(folder.files() == 2);
}

TEST_CASE("a file of floats loads into double, and one of doubles into float") {
  const TemporaryFolder folder;
  const Model<float> model = trained();
  save(model, folder / "float");
  const auto wide = load_model<double>(folder / "float", with_scale);
  for (std::size_t i = 0; i < model.parameters().size(); ++i)
    for (std::int64_t k = 0; k < model.values()[i].size(); ++k)
      CHECK(wide.values()[i][k] == static_cast<double>(model.values()[i][k]));
  save(wide, folder / "double");
  CHECK(same_bits(load_model<float>(folder / "double", with_scale).values().values(), model.values().values()));
}

TEST_CASE("a Sequential stays one, and options of every type come back") {
  const TemporaryFolder folder;
  Model<double> model(
      Sequential{Input({9, 8, 2}), Rescaling{.scale = 0.5, .offset = {1, 2}}, ZeroPadding2D{.padding = {1, 2, 3, 4}},
                 RandomFlip{.mode = "vertical"},
                 Conv2D{.filters = 4,
                        .kernel_size = {3, 2},
                        .padding = Padding::same,
                        .groups = 2,
                        .activation = leaky_relu(0.3),
                        .use_bias = false,
                        .kernel_initializer = random_normal(0.5, 0.25),
                        .kernel_regularizer = {.l1 = 0.1, .l2 = std::numeric_limits<double>::denorm_min()},
                        .arithmetic = Arithmetic::strict},
                 MaxPooling2D{.pool_size = {2, 3}, .strides = Size2D{1, 2}}, AveragePooling2D{},
                 networks::Scale{.start = -std::numeric_limits<double>::infinity()}},
      {.name = "options"});
  save(model, folder / "m");
  const auto same = load_model<double>(folder / "m", with_scale);
  CHECK(same.is_sequential());
  CHECK(same.summary() == model.summary());
  const io::Json layers = io::architecture_of(same).at("layers");
  CHECK(io::architecture_of(same) == io::architecture_of(model));
  CHECK(layers[1]["options"]["offset"] == io::Json{1.0, 2.0});
  CHECK(layers[2]["options"]["padding"] == io::Json{1, 2, 3, 4});
  CHECK(layers[3]["options"]["mode"] == "vertical");
  const io::Json& conv = layers[4]["options"];
  CHECK(conv["kernel_size"] == io::Json{3, 2});
  CHECK(conv["padding"] == "same");
  CHECK(conv["arithmetic"] == "strict");
  CHECK(conv["groups"] == 2);
  CHECK(conv["use_bias"] == false);
  CHECK(conv["activation"]["alpha"] == 0.3);
  CHECK(conv["kernel_initializer"]["b"] == 0.25);
  CHECK(conv["kernel_regularizer"]["l2"] == std::numeric_limits<double>::denorm_min());
  CHECK(layers[5]["options"]["strides"] == io::Json{1, 2});
  CHECK(layers[6]["options"]["strides"].is_null());
  CHECK(layers[7]["options"]["start"] == "-inf");
}

TEST_CASE("a file that does not fit is refused with a table, and the model keeps its weights") {
  const TemporaryFolder folder;
  save(trained(), folder / "m");
  Model<float> other(Sequential{Input({12, 12, 3}), Conv2D{.filters = 8, .kernel_size = 3, .name = "conv2d"},
                                Conv2D{.filters = 7, .kernel_size = 3, .name = "conv2d_1"},
                                Dense{.units = 2, .name = "head"}});
  const Model<float> before = other;
  const auto refused = [&](const char* message) {
    CHECK_THROWS_WITH_AS(load_weights(other, folder / "m"), doctest::Contains(message), FileError);
    CHECK(same_bits(other.values().values(), before.values().values()));
  };
  refused("whose weights were not changed");
  refused("other shape           conv2d_1/kernel (3, 3, 8, 7), in the file (3, 3, 3, 8)");
  refused("missing in the file   head/kernel (7, 2)");
  refused("unknown to the model  scale/gain (8,)");
  save(before, folder / "fits");
  load_weights(other, folder / "fits");
  stored_files::change(folder / "fits", folder / "m",
                       [](auto& content) { content.tensors.at("head/bias").dtype = DType::i32; });
  refused("no floating point     head/bias, in the file I32");
}

TEST_CASE("what cannot be saved is refused, and the file that was there stays") {
  const TemporaryFolder folder;
  save_small(folder / "m");
  const std::string before = content(folder / "m");
  auto model = load_model<float>(folder / "m");
  model.set_preprocessing({.classes = {"caf\xe9"}});
  CHECK_THROWS_AS(save(model, folder / "m"), OptionError);
  CHECK_THROWS_AS(save(model, folder / "no/folder"), Error);
  CHECK(content(folder / "m") == before);
  CHECK(folder.files() == 1);
}

TEST_CASE("a hostile architecture is a clear error") {
  const TemporaryFolder folder;
  save_small(folder / "good");
  const auto refused = [&](const char* message, const std::function<void(io::Json&)>& edit) {
    change_architecture(folder / "good", folder / "bad", edit);
    CHECK_THROWS_WITH_AS((void)load_model<float>(folder / "bad"), doctest::Contains(message), Error);
  };
  const auto option = [](int layer, const char* name, const io::Json& value) {
    return [=](io::Json& json) { json["layers"][static_cast<std::size_t>(layer)]["options"][name] = value; };
  };
  const auto member = [](int layer, const char* name, const io::Json& value) {
    return [=](io::Json& json) { json["layers"][static_cast<std::size_t>(layer)][name] = value; };
  };
  refused("unknown layer type 'Scale'", member(2, "type", "Scale"));
  refused("custom_objects", member(2, "type", ""));
  refused("do not fit its architecture", option(4, "units", std::int64_t{1} << 40));
  refused("63 bits", option(4, "units", std::numeric_limits<std::int64_t>::max()));
  refused("'units': expected a whole number, got 18446744073709551615",
          option(4, "units", std::numeric_limits<std::uint64_t>::max()));
  refused("units of 1 or more, got -2", option(4, "units", -2));
  refused("'filters': expected a whole number, got 1.5", option(1, "filters", 1.5));
  refused("'filters': expected a whole number, got true", option(1, "filters", true));
  refused("'kernel_size': expected a list of 2, got [3,3,3]", option(1, "kernel_size", {3, 3, 3}));
  refused("layer 'conv' (Conv2D)", option(1, "kernel_size", {3, -3}));
  refused("layer 'conv' (Conv2D)", option(1, "strides", {0, 1}));
  refused("layer 'conv' (Conv2D)", option(1, "dilation_rate", {std::numeric_limits<std::int64_t>::max(), 1}));
  refused("layer 'conv' (Conv2D) expected no number beyond", option(1, "kernel_size", {1, std::int64_t{1} << 62}));
  refused("layer 'conv' (Conv2D)", option(1, "groups", 0));
  refused("'padding' is 'same' or 'valid', got 'full'", option(1, "padding", "full"));
  refused("'arithmetic' is 'strict' or 'fast', got 'exact'", option(1, "arithmetic", "exact"));
  refused("'padding': expected a text, got 3", option(1, "padding", 3));
  refused("'use_bias': expected true or false, got 1", option(1, "use_bias", 1));
  refused("'activation' is no JSON object", option(1, "activation", "relu"));
  refused("swoosh", option(1, "activation", {{"name", "swoosh"}}));
  refused("'activation': expected a number, got [1]", option(1, "activation", {{"name", "relu"}, {"alpha", {1}}}));
  refused("unknown option 'colour'", option(1, "colour", 3));
  refused("options are no JSON object", member(1, "options", {1, 2}));
  refused("it reads 'dense', which is not before it", member(1, "inputs", {"dense"}));
  refused("it reads 'conv', which is not before it", member(1, "inputs", {"conv"}));
  refused("it reads nothing", member(1, "inputs", io::Json::array()));
  refused("takes one input, got 2", member(2, "inputs", {"conv", "conv"}));
  refused("damaged", member(1, "inputs", {3}));
  refused("two layers are named 'conv'", member(2, "name", "conv"));
  refused("damaged", member(2, "trainable", 1));
  refused("no negative extents", member(0, "shape", {6, -6, 1}));
  refused("63 bits", member(0, "shape", {std::int64_t{1} << 40, std::int64_t{1} << 40, 1}));
  refused("expected a whole number, got 6.5", member(0, "shape", {6.5, 6, 1}));
  refused("layer 'input_1' (Flatten): it reads nothing", member(0, "type", "Flatten"));
  refused("not the model's", [](io::Json& json) {
    json["layers"].insert(json["layers"].begin() + 1, io::Json{{"type", "InputLayer"},
                                                               {"name", "second"},
                                                               {"trainable", true},
                                                               {"inputs", io::Json::array()},
                                                               {"shape", {6, 6, 1}}});
    json["layers"][2]["inputs"] = {"second"};
  });
  refused("the first layer is no input", [](io::Json& json) { json["layers"] = io::Json::array(); });
  refused("damaged", [](io::Json& json) { json["layers"] = 3; });
  refused("damaged", [](io::Json& json) { json = io::Json::array(); });
  refused("written in version 2", [](io::Json& json) { json["version"] = 2; });
  refused("got 1e+300", [](io::Json& json) { json["version"] = 1e300; });
  refused("color_mode", [](io::Json& json) { json["preprocessing"]["color_mode"] = "infrared"; });
  refused("one number per channel (1), got 2", [](io::Json& json) { json["preprocessing"]["mean"] = {1, 2}; });
  refused("5000 layers", [](io::Json& json) {
    const io::Json flatten = json["layers"][3];
    for (int i = 0; i < 4995; ++i) json["layers"].push_back(flatten);
  });
  // A picture of a petabyte is only a shape, and no layer asks for memory by it.
  change_architecture(folder / "good", folder / "bad", [](io::Json& json) {
    const io::Json rescaling{{"type", "Rescaling"},
                             {"name", "r"},
                             {"trainable", true},
                             {"inputs", {"input_1"}},
                             {"options", io::Json::object()}};
    json["layers"][0]["shape"] = {1, 1, std::int64_t{1} << 50};
    json["layers"].erase(json["layers"].begin() + 1, json["layers"].end());
    json["layers"].push_back(rescaling);
  });
  CHECK_THROWS_WITH_AS((void)load_model<float>(folder / "bad"), doctest::Contains("unknown to the model"), FileError);
  CHECK_NOTHROW((void)load_model<float>(folder / "good"));
}

TEST_CASE("a chain of as many layers as are read comes and goes") {
  const TemporaryFolder folder;
  save_small(folder / "good");
  change_architecture(folder / "good", folder / "long", [](io::Json& json) {
    io::Json flatten = json["layers"][3];
    for (int i = 0; json["layers"].size() < io::max_layers; ++i) {
      flatten["inputs"] = {json["layers"].back()["name"]};
      flatten["name"] = text("flatten_", i);
      json["layers"].push_back(flatten);
    }
  });
  CHECK(load_model<float>(folder / "long").network().size() == static_cast<int>(io::max_layers));
}

TEST_CASE("a truncated file is refused at every length") {
  const TemporaryFolder folder;
  save_small(folder / "good");
  const std::string whole = content(folder / "good");
  Model<float> model = load_model<float>(folder / "good");
  const Model<float> before = model;
  for (std::size_t length = 0; length < whole.size(); length += length < 64 || length + 64 > whole.size() ? 1 : 41) {
    set_content(folder / "bad", whole.substr(0, length));
    CHECK_THROWS_AS((void)load_model<float>(folder / "bad"), FileError);
    CHECK_THROWS_AS(load_weights(model, folder / "bad"), FileError);
  }
  CHECK(same_bits(model.values().values(), before.values().values()));
  set_content(folder / "bad", whole + "x");
  CHECK_THROWS_AS((void)load_model<float>(folder / "bad"), FileError);
  CHECK_THROWS_AS((void)load_model<float>(folder / "none"), FileError);
  CHECK_THROWS_AS((void)load_model<float>(folder / "."), FileError);
}

TEST_CASE("mutated bytes give an error or a model, nothing else") {
  const TemporaryFolder folder;
  save_small(folder / "good");
  const std::string whole = content(folder / "good");
  const auto header = static_cast<std::uint32_t>(whole.find("\"data_offsets\""));
  REQUIRE(header < whole.size());
  Random random({.seed = 21});
  int refused = 0, loaded = 0;
  const std::string_view likely = "0123456789-.,:{}[]\"\\ enul\xff";
  for (int round = 0; round < 600; ++round) {
    std::string bytes = whole;
    const std::uint32_t count = 1 + random.below(3);
    for (std::uint32_t i = 0; i < count; ++i) {
      // Most of the file is the header, and there the damage is done.
      char& c = bytes[random.below(static_cast<std::uint32_t>(bytes.size()))];
      c = round % 2 == 0 ? static_cast<char>(random.below(256))
                         : likely[random.below(static_cast<std::uint32_t>(likely.size()))];
    }
    set_content(folder / "bad", bytes);
    try {
      Model<float> model = load_model<float>(folder / "bad");
      ++loaded;
      if (model.input_shape().size() < 10000) (void)model.predict(Tensor<float>(model.input_shape()));
    } catch (const Error&) {
      ++refused;
    }
  }
  CHECK(refused > 100);
  CHECK(loaded > 10);
}

TEST_CASE("ModelCheckpoint saves every epoch, or only the best") {
  const TemporaryFolder folder;
  Samples<float> samples(8, {12, 12, 3}, 3, 255);
  const Dataset data = Dataset::from_tensors(samples.x, std::vector<int>{0, 1, 2, 0, 1, 2, 0, 1}, 3);
  const auto best = std::make_shared<ModelCheckpoint>(
      ModelCheckpoint{.filepath = (folder / "best").string(), .monitor = "loss", .save_best_only = true});
  std::vector<std::string> after;
  Model<float> model = networks::every_layer(2);
  const auto at_end = [&](int epoch, const Logs&, TrainingControl& control) {
    save(model, folder / "now");
    after.push_back(content(folder / "now"));
    if (epoch == 1) control.set_learning_rate(10);  // nothing gets better from here
  };
  const History history =
      model.fit(data, {.batch_size = 8,
                       .epochs = 4,
                       .verbose = Verbose::silent,
                       .callbacks = {ModelCheckpoint{.filepath = (folder / "m.{epoch:02d}-{loss:.2f}").string()}, best,
                                     LambdaCallback{.on_epoch_end = at_end}}});
  CHECK(folder.files() == 4 + 2);
  for (std::size_t i = 0; i < 4; ++i) {
    char name[64];
    std::snprintf(name, sizeof name, "m.%02d-%.2f", static_cast<int>(i) + 1, history["loss"][i]);
    CHECK(content(folder / name) == after[i]);
  }
  const auto best_epoch = static_cast<std::size_t>(history.best_epoch("loss"));
  REQUIRE(best_epoch < 3);
  CHECK(best->best == history["loss"][best_epoch]);
  CHECK(content(folder / "best") == after[best_epoch]);
  CHECK_THROWS_AS((void)model.fit(data, {.verbose = Verbose::silent, .callbacks = {ModelCheckpoint{}}}), OptionError);
}
