// A base and a head: what fine-tuning is made of.

#include <doctest/doctest.h>

#include <cstring>

#include <mien/mien.hpp>

using namespace mien;

namespace {

/// Two small blocks with batch normalisation, like a base of keras.applications.
Node small_base(const Node& x) {
  Node y = x;
  for (const char* block : {"block1", "block2"}) {
    y = Conv2D{.filters = 6, .kernel_size = 3, .name = text(block, "_conv")}(y);
    y = BatchNormalization{.name = text(block, "_bn")}(y);
    y = Activation{.activation = relu, .name = text(block, "_relu")}(y);
  }
  return GlobalAveragePooling2D{}(y);
}

Node head(const Node& features) { return Dense{.units = 3, .activation = softmax, .name = "emotion"}(features); }

constexpr double scale = 1.0 / 64;  // brings pixels to where gradients are of one size

Model<float> base_alone() {
  const Node x = Input({16, 16, 3});
  return Model<float>(x, small_base(x), {.seed = 5, .preprocessing = {.scale = scale}});
}

/// The base under a head, with the values of `base`.
Model<float> on(const Model<float>& base) {
  const Node x = Input({16, 16, 3});
  Model<float> model(x, head(small_base(x)), {.seed = 5, .preprocessing = {.scale = scale}});
  CHECK(copy_weights(base, model) == 12);
  model.freeze([](std::string_view layer) { return layer != "emotion"; });
  return model;
}

void compile(Model<float>& model) {
  model.compile({.optimizer = Adam{.learning_rate = 0.01}, .loss = CategoricalCrossentropy{}, .metrics = {Accuracy{}}});
}

/// A base whose normalisations have seen something.
Model<float> used_base(const Dataset& faces) {
  const Node x = Input({16, 16, 3});
  Model<float> model(x, head(small_base(x)), {.seed = 8, .preprocessing = {.scale = scale}});
  compile(model);
  (void)model.fit(faces, {.epochs = 2, .verbose = Verbose::silent});
  Model<float> base = base_alone();
  copy_weights(model, base);
  return base;
}

bool same_bits(TensorView<const float> a, TensorView<const float> b) {
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.span().size_bytes()) == 0;
}

}  // namespace

TEST_CASE("a head trained on the features of a frozen base is the head trained on the base") {
  const Dataset faces = synthetic_faces(96, 2, {.image_size = 16});
  Model<float> base = used_base(faces);
  std::vector<int> labels;
  for (std::int64_t i = 0; i < faces.size(); ++i) labels.push_back(faces.label(i));
  const Dataset features = Dataset::from_tensors(base.predict(faces), labels, 3);
  const Node x = Input({6});
  Model<float> alone(x, head(x), {.seed = 5});
  Model<float> whole = on(base);
  CHECK(copy_weights(alone, whole) == 2);  // the same start
  compile(alone);
  compile(whole);
  const FitOptions options{.epochs = 4, .verbose = Verbose::silent};
  const History first = alone.fit(features, options), second = whole.fit(faces, options);
  for (std::size_t epoch = 0; epoch < 4; ++epoch)
    CHECK(first["loss"][epoch] == doctest::Approx(second["loss"][epoch]).epsilon(1e-4));
  CHECK(first["loss"].back() < first["loss"].front());
  for (std::int64_t i = 0; i < 18; ++i)
    CHECK(alone.parameter("emotion/kernel")[i] == doctest::Approx(whole.parameter("emotion/kernel")[i]).epsilon(1e-3));
}

TEST_CASE("what is frozen keeps its bits, moving statistics included; what is unfrozen learns") {
  const Dataset faces = synthetic_faces(64, 2, {.image_size = 16});
  const Model<float> base = used_base(faces);
  Model<float> whole = on(base);
  CHECK(whole.unfreeze(prefixed("block2_")) == 3);
  compile(whole);
  (void)whole.fit(faces, {.epochs = 2, .verbose = Verbose::silent});
  for (const Parameter& parameter : base.parameters()) {
    CAPTURE(parameter.name);
    const bool kept = same_bits(base.parameter(parameter.name), std::as_const(whole).parameter(parameter.name));
    CHECK(kept == parameter.name.starts_with("block1_"));
  }
}

TEST_CASE("weights are copied by name, and wholly or not at all") {
  const Node x = Input({4});
  const Model<float> from(x, Dense{.units = 2, .name = "b"}(Dense{.units = 3, .name = "a"}(x)), {.seed = 1});
  Model<float> to(x, Dense{.units = 5, .name = "b"}(Dense{.units = 3, .name = "a"}(x)), {.seed = 2});
  const ParameterBlock<float> before = to.copy_values();
  CHECK_THROWS_WITH_AS(copy_weights(from, to), doctest::Contains("'b/kernel' is (3, 2)"), ShapeError);
  CHECK(same_bits(before.values(), std::as_const(to).values().values()));
  Model<float> other(x, Dense{.units = 3, .name = "c"}(x));
  CHECK_THROWS_WITH_AS(copy_weights(from, other), doctest::Contains("no parameter of the same name"), OptionError);
  Model<float> part(x, Dense{.units = 9, .name = "c"}(Dense{.units = 3, .name = "a"}(x)), {.seed = 2});
  CHECK(copy_weights(from, part) == 2);
  CHECK(same_bits(from.parameter("a/kernel"), std::as_const(part).parameter("a/kernel")));
}

TEST_CASE("a base can stand on a node of the caller's graph") {
  const Node pictures = Input({32, 32, 3});
  const Application base = vgg16({.include_top = false, .input_tensor = face_augmentation(pictures), .pooling = "avg"});
  CHECK(base.input.id() == pictures.id());
  const Network<float> network(base.input, base.output);
  CHECK(network.graph.names[3] == "random_rotation");
  CHECK(network.graph.names[4] == "block1_conv1");
  const Node small = Input({16, 16, 3});
  CHECK_THROWS_WITH_AS(static_cast<void>(vgg16({.input_tensor = small})), doctest::Contains("got (16, 16, 3)"),
                       OptionError);
}
