// Ten steps of training against PyTorch's derivatives and optimizers written out by hand, in double precision. The
// references are made by tests/references/ten_steps.py, which says how to run it.

#include <doctest/doctest.h>

#include <cmath>

#include <mien/mien.hpp>

#include "../references/emotion_cnn.inc"
#include "../references/residual.inc"

using namespace mien;

namespace {

/// What a reference file holds, without the run of one optimizer.
struct Reference {
  std::span<const char* const> names;
  std::string_view pixels;
  std::span<const double> targets, initial;
};

/// The two libraries sum in different orders: after ten steps they differ by 5e-13 at most.
constexpr double tolerance = 1e-9;

Tensor<double> pictures(const Reference& reference, const Shape& sample) {
  Tensor<double> x(sample.with_batch(static_cast<std::int64_t>(reference.pixels.size()) / sample.size()));
  for (std::int64_t i = 0; i < x.size(); ++i) x[i] = (reference.pixels[static_cast<std::size_t>(i)] - '0') / 8.0;
  return x;
}

/// Calls f(name, values of the model, values of the reference) for every parameter and statistic.
template <class F>
void for_each_parameter(Model<double>& model, const Reference& reference, std::span<const double> values, const F& f) {
  for (const char* name : reference.names) {
    const TensorView<double> of_model = model.parameter(name);
    const auto size = static_cast<std::size_t>(of_model.size());
    REQUIRE(values.size() >= size);
    f(name, of_model, values.first(size));
    values = values.subspan(size);
  }
  CHECK(values.empty());
}

void check_ten_steps(Model<double> model, const Reference& reference, const Optimizer& optimizer,
                     std::span<const double> losses, std::span<const double> final_values) {
  REQUIRE(reference.names.size() == model.parameters().size());
  for_each_parameter(model, reference, reference.initial, [](const char*, TensorView<double> to, auto from) {
    std::copy(from.begin(), from.end(), to.begin());
  });
  const Tensor<double> x = pictures(reference, model.input_shape());
  const Tensor<double> y(Shape{x.shape()[0], model.output_shape()[0]}, reference.targets);
  model.compile({.optimizer = optimizer, .loss = CategoricalCrossentropy{}});
  for (const double loss : losses)
    CHECK(std::abs(model.train_on_batch(x, y).loss - loss) <= tolerance * std::max(1.0, std::abs(loss)));
  for_each_parameter(model, reference, final_values, [](const char* name, TensorView<double> mine, auto theirs) {
    double error = 0;
    for (std::size_t i = 0; i < theirs.size(); ++i)
      error = std::max(error,
                       std::abs(mine[static_cast<std::int64_t>(i)] - theirs[i]) / std::max(1.0, std::abs(theirs[i])));
    CHECK_MESSAGE(error <= tolerance, name, " is off by ", error);
  });
}

/// A bottleneck as ResNet50 has it, behind a strided convolution.
Model<double> residual_network() {
  const auto norm = [](const Node& y, const char* name) {
    return BatchNormalization{.epsilon = 1.001e-5, .name = name}(y);
  };
  const auto relu_of = [](const Node& y) { return Activation{.activation = relu}(y); };
  const Node x = Input({12, 12, 3});
  Node y = Conv2D{.filters = 6, .kernel_size = 3, .strides = 2, .padding = Padding::same, .name = "stem"}(x);
  const Node stem = relu_of(norm(y, "stem_bn"));
  y = relu_of(norm(Conv2D{.filters = 4, .kernel_size = 1, .name = "conv_1"}(stem), "bn_1"));
  y = Conv2D{.filters = 4, .kernel_size = 3, .padding = Padding::same, .name = "conv_2"}(y);
  y = Conv2D{.filters = 8, .kernel_size = 1, .name = "conv_3"}(relu_of(norm(y, "bn_2")));
  const Node shortcut = norm(Conv2D{.filters = 8, .kernel_size = 1, .name = "conv_0"}(stem), "bn_0");
  y = GlobalAveragePooling2D{}(relu_of(add({shortcut, norm(y, "bn_3")})));
  y = Dense{.units = 3, .activation = softmax, .kernel_regularizer = l2(0.01), .name = "probs"}(y);
  return Model<double>(x, y, {.threads = 2});
}

Model<double> emotion_network() {
  return Model<double>(
      emotion_cnn({.input_shape = {44, 44, 3}, .filters = {4, 6, 8}, .units = {8, 6}, .dropout = {0, 0}}),
      {.threads = 2});
}

}  // namespace

TEST_CASE("custom model 2, smaller, trains as PyTorch does") {
  namespace expected = references::emotion_cnn;
  const Reference reference{expected::names, expected::pixels, expected::targets, expected::initial};
  check_ten_steps(emotion_network(), reference, Adam{}, expected::adam_losses, expected::adam_final);
  check_ten_steps(emotion_network(), reference, SGD{.momentum = 0.9, .nesterov = true}, expected::nesterov_losses,
                  expected::nesterov_final);
}

TEST_CASE("a residual branch with an l2 penalty trains as PyTorch does") {
  namespace expected = references::residual;
  const Reference reference{expected::names, expected::pixels, expected::targets, expected::initial};
  check_ten_steps(residual_network(), reference, Adam{}, expected::adam_losses, expected::adam_final);
  check_ten_steps(residual_network(), reference, SGD{.momentum = 0.9, .nesterov = true}, expected::nesterov_losses,
                  expected::nesterov_final);
}
