#include <doctest/doctest.h>

#include <vector>

#include <mien/layers/dense.hpp>
#include <mien/layers/input.hpp>
#include <mien/testing/check_layer.hpp>

using namespace mien;
using mien::testing::check_layer;

TEST_CASE("Dense keeps what a layer promises") {
  check_layer(Dense{.units = 3}, {{4}});
  check_layer(Dense{.units = 5, .activation = relu}, {{7}});
  check_layer(Dense{.units = 2, .activation = softmax}, {{3}});
  check_layer(Dense{.units = 3, .activation = mien::tanh, .use_bias = false}, {{4}});
  check_layer(Dense{.units = 3, .activation = gelu}, {{4}}, {.batches = {1, 5}});
  check_layer(Dense{.units = 3, .activation = silu, .use_bias = false}, {{4}});
  check_layer(Dense{.units = 3, .activation = leaky_relu(-0.5)}, {{4}});
}

TEST_CASE("Dense works on the last axis of any rank") {
  check_layer(Dense{.units = 3, .activation = elu(0.7)}, {{2, 4}});
  check_layer(Dense{.units = 2, .activation = softmax}, {{2, 3, 4}});
  CHECK(Dense{.units = 3}(Input({5, 6, 7})).shape() == Shape{5, 6, 3});
}

TEST_CASE("Dense by hand: x kernel + bias, then relu") {
  const Shape input{2};
  const auto layer = Dense{.units = 3, .activation = relu}.make<float>({&input, 1});
  Tensor<float> x({1, 2}, {1, 2}), kernel({2, 3}, {1, -1, 0, 2, 1, -3}), bias({3}, {0.5F, 0, 1}), y({1, 3});
  Buffer workspace(layer->forward_workspace(1, 1));
  const TensorView<const float> inputs[] = {x};
  const TensorView<float> parameters[] = {kernel, bias};
  layer->forward({{.batch = 1, .activation = relu}, inputs, y, parameters, nullptr, workspace.data()});
  CHECK(y[0] == 5.5F);
  CHECK(y[1] == 1.0F);
  CHECK(y[2] == 0.0F);
}

TEST_CASE("Dense declares Keras's parameters") {
  const Shape input{2, 4};
  const auto specs =
      Dense{.units = 3, .kernel_initializer = he_normal, .kernel_regularizer = l2(0.1), .bias_regularizer = l1(0.2)}
          .make<double>({&input, 1})
          ->parameters();
  REQUIRE(specs.size() == 2);
  CHECK(specs[0].name == "kernel");
  CHECK(specs[0].shape == Shape{4, 3});
  CHECK(specs[0].initializer == he_normal);
  CHECK(specs[0].regularizer == l2(0.1));
  CHECK(specs[1].name == "bias");
  CHECK(specs[1].shape == Shape{3});
  CHECK(specs[1].regularizer == l1(0.2));
  CHECK(Dense{.units = 3, .use_bias = false}.make<double>({&input, 1})->parameters().size() == 1);
}

TEST_CASE("Dense says what is wrong") {
  CHECK_THROWS_WITH_AS(static_cast<void>(Dense{.name = "top"}(Input({4}))),
                       "layer 'top' (Dense) expected units of 1 or more, got 0", OptionError);
  CHECK_THROWS_WITH_AS(static_cast<void>(Dense{.units = 2}.output_shape(std::vector<Shape>{Shape{}})),
                       "layer Dense expected an input of shape (..., channels), got ()", ShapeError);
}
