#include <doctest/doctest.h>

#include <mien/layers/conv2d.hpp>
#include <mien/layers/input.hpp>
#include <mien/testing/check_layer.hpp>

using namespace mien;
using mien::testing::check_layer;

TEST_CASE("Conv2D keeps what a layer promises") {
  check_layer(Conv2D{.filters = 3, .kernel_size = 3}, {{5, 4, 2}});
  check_layer(Conv2D{.filters = 2, .kernel_size = {1, 3}, .padding = Padding::same, .activation = relu}, {{4, 5, 3}});
  check_layer(Conv2D{.filters = 4, .kernel_size = 1, .activation = mien::tanh, .use_bias = false}, {{3, 3, 5}});
  check_layer(Conv2D{.filters = 2, .kernel_size = 2, .activation = softmax}, {{3, 3, 2}});
  check_layer(Conv2D{.filters = 2, .kernel_size = 3, .padding = Padding::same, .activation = silu}, {{3, 4, 2}});
}

TEST_CASE("Conv2D with strides, dilation and groups") {
  check_layer(Conv2D{.filters = 3, .kernel_size = 3, .strides = 2, .padding = Padding::same}, {{6, 5, 2}});
  check_layer(Conv2D{.filters = 3, .kernel_size = 2, .strides = {2, 3}, .activation = sigmoid}, {{5, 7, 2}});
  check_layer(Conv2D{.filters = 2, .kernel_size = 3, .padding = Padding::same, .dilation_rate = 2}, {{5, 6, 2}});
  check_layer(Conv2D{.filters = 4, .kernel_size = 3, .padding = Padding::same, .groups = 2}, {{4, 4, 6}});
}

TEST_CASE("Conv2D by hand: a cross-correlation, its border zeros, 'same' padding below and right") {
  const Shape input{2, 3, 1};
  const Conv2D options{.filters = 1, .kernel_size = 2, .padding = Padding::same};
  const auto layer = options.make<float>({&input, 1});
  Tensor<float> x({1, 2, 3, 1}, {1, 2, 3, 4, 5, 6}), kernel({2, 2, 1, 1}, {1, 10, 100, 1000}), bias({1}, {0.5F}),
      y({1, 2, 3, 1});
  Buffer workspace(layer->forward_workspace(1, 1));
  const TensorView<const float> inputs[] = {x};
  const TensorView<float> parameters[] = {kernel, bias};
  layer->forward({{.batch = 1}, inputs, y, parameters, nullptr, workspace.data()});
  const float expected[] = {5421.5F, 6532.5F, 603.5F, 54.5F, 65.5F, 6.5F};
  for (int i = 0; i < 6; ++i) CHECK(y[i] == expected[i]);
}

TEST_CASE("Conv2D is strict if it or its model says so") {
  const Shape input{24, 24, 32};
  const auto forward = [&](Arithmetic layer_says, Arithmetic model_says) {
    const Conv2D options{.filters = 32, .kernel_size = 3, .arithmetic = layer_says};
    const auto layer = options.make<float>({&input, 1});
    layer->use(model_says, nullptr);
    return std::string(kernels::select_conv<float>(layer->convolutions(8).front(), kernels::ConvPass::forward).name);
  };
  CHECK(forward(Arithmetic::fast, Arithmetic::fast) == "winograd_6x6");
  CHECK(forward(Arithmetic::strict, Arithmetic::fast) == "implicit_gemm");
  CHECK(forward(Arithmetic::fast, Arithmetic::strict) == "implicit_gemm");
  CHECK(forward(Arithmetic::strict, Arithmetic::strict) == "implicit_gemm");
  check_layer(Conv2D{.filters = 2, .kernel_size = 3, .arithmetic = Arithmetic::strict}, {{5, 4, 2}});
}

TEST_CASE("Conv2D's shapes and parameters are Keras's") {
  const Node x = Input({48, 47, 6});
  CHECK(Conv2D{.filters = 8, .kernel_size = 3}(x).shape() == Shape{46, 45, 8});
  CHECK(Conv2D{.filters = 8, .kernel_size = 3, .strides = 2}(x).shape() == Shape{23, 23, 8});
  CHECK(Conv2D{.filters = 8, .kernel_size = 3, .strides = 2, .padding = Padding::same}(x).shape() == Shape{24, 24, 8});
  CHECK(Conv2D{.filters = 8, .kernel_size = {3, 1}, .dilation_rate = {4, 1}}(x).shape() == Shape{40, 47, 8});
  const Shape input = x.shape();
  const auto specs = Conv2D{.filters = 4, .kernel_size = {3, 5}, .groups = 2}.make<float>({&input, 1})->parameters();
  REQUIRE(specs.size() == 2);
  CHECK(specs[0].shape == Shape{3, 5, 3, 4});
  CHECK(specs[0].initializer == glorot_uniform);
  CHECK(specs[1].shape == Shape{4});
  CHECK(specs[1].initializer == zeros);
}

TEST_CASE("Conv2D says what is wrong") {
  const Node x = Input({5, 5, 3});
  const auto error = [&](const Conv2D& options) {
    try {
      static_cast<void>(options(x));
    } catch (const Error& e) {
      return std::string(e.what());
    }
    return std::string("no error");
  };
  CHECK(error({.kernel_size = 3, .name = "a"}) == "layer 'a' (Conv2D) expected filters of 1 or more, got 0");
  CHECK(error({.filters = 2}) == "layer Conv2D expected a positive kernel_size, got (0, 0)");
  CHECK(error({.filters = 2, .kernel_size = 1, .strides = {1, 0}}) ==
        "layer Conv2D expected positive strides, got (1, 0)");
  CHECK(error({.filters = 2, .kernel_size = 1, .dilation_rate = -1}) ==
        "layer Conv2D expected a positive dilation_rate, got (-1, -1)");
  CHECK(error({.filters = 2, .kernel_size = 2, .strides = 2, .dilation_rate = 2}) ==
        "layer Conv2D expected strides or a dilation_rate above 1, not both, got (2, 2) and (2, 2)");
  CHECK(error({.filters = 2, .kernel_size = 1, .groups = 2}) ==
        "layer Conv2D expected groups that divide the 3 channels of its input of shape (5, 5, 3) and the 2 filters, "
        "got 2");
  CHECK(error({.filters = 2, .kernel_size = {6, 1}}) ==
        "layer Conv2D has a kernel of (6, 1) with dilation (1, 1) that does not fit its input of shape (5, 5, 3); "
        "choose a smaller "
        "kernel_size, or Padding::same");
  CHECK_THROWS_WITH_AS(static_cast<void>(Conv2D{.filters = 2, .kernel_size = 1}(Input({5}))),
                       "layer Conv2D expected an input of shape (height, width, channels) without the batch, got (5,)",
                       ShapeError);
}
