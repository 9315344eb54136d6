// Add, Concatenate, Flatten, Rescaling, Input, Sequential: layers that compute little or nothing.

#include <doctest/doctest.h>

#include <mien/layers/activation.hpp>
#include <mien/layers/add.hpp>
#include <mien/layers/concatenate.hpp>
#include <mien/layers/flatten.hpp>
#include <mien/layers/input.hpp>
#include <mien/layers/rescaling.hpp>
#include <mien/layers/sequential.hpp>
#include <mien/testing/check_layer.hpp>

using namespace mien;
using mien::testing::check_layer;

namespace {

template <class Options>
std::vector<float> output_of(const Options& options, std::initializer_list<Tensor<float>> inputs) {
  std::vector<Shape> shapes;
  std::vector<TensorView<const float>> views;
  for (const Tensor<float>& x : inputs) {
    shapes.push_back(x.shape().without_batch());
    views.push_back(x);
  }
  const std::int64_t batch = inputs.begin()->shape()[0];
  Tensor<float> y(options.output_shape(shapes).with_batch(batch));
  options.template make<float>(shapes)->forward({{.batch = batch}, views, y, {}});
  return {y.begin(), y.end()};
}

}  // namespace

TEST_CASE("Add") {
  check_layer(Add{}, {{5}, {5}});
  check_layer(Add{}, {{2, 3, 4}, {2, 3, 4}, {2, 3, 4}});
  CHECK(output_of(Add{}, {Tensor<float>({1, 2}, {1, 2}), Tensor<float>({1, 2}, {10, 20}),
                          Tensor<float>({1, 2}, {-5, 0})}) == std::vector<float>{6, 22});
  const Node a = Input({2, 3}), b = Input({3, 2});
  CHECK(add({a, a, a}).shape() == Shape{2, 3});
  CHECK(add({a, a}).inputs().size() == 2);
  CHECK_THROWS_WITH_AS(static_cast<void>(Add{.name = "sum"}({a, b})),
                       "layer 'sum' (Add) expected inputs of one shape, got (2, 3), (3, 2)", ShapeError);
  CHECK_THROWS_WITH_AS(static_cast<void>(add({a})), "layer Add expected two inputs or more, got 1", ShapeError);
}

TEST_CASE("Concatenate") {
  check_layer(Concatenate{}, {{5}, {3}});
  check_layer(Concatenate{}, {{2, 3, 4}, {2, 3, 1}, {2, 3, 2}});
  check_layer(Concatenate{.axis = 1}, {{2, 3}, {4, 3}});
  check_layer(Concatenate{.axis = -2}, {{2, 3, 4}, {2, 1, 4}});
  const Tensor<float> a({2, 1, 2}, {1, 2, 3, 4}), b({2, 1, 1}, {5, 6}), c({2, 2, 2}, {10, 11, 12, 13, 14, 15, 16, 17});
  CHECK(output_of(Concatenate{}, {a, b}) == std::vector<float>{1, 2, 5, 3, 4, 6});
  CHECK(output_of(Concatenate{.axis = 1}, {a, c}) == std::vector<float>{1, 2, 10, 11, 12, 13, 3, 4, 14, 15, 16, 17});
  const Node x = Input({4, 5, 6}), y = Input({4, 2, 6});
  CHECK(concatenate({x, y}, 2).shape() == Shape{4, 7, 6});
  CHECK(concatenate({x, x}).shape() == Shape{4, 5, 12});
  CHECK_THROWS_WITH_AS(static_cast<void>(concatenate({x, y})),
                       "layer Concatenate expected inputs that differ along axis -1 only, got (4, 5, 6), (4, 2, 6)",
                       ShapeError);
  CHECK_THROWS_WITH_AS(
      static_cast<void>(concatenate({x, y}, 0)),
      "layer Concatenate expected an axis of the inputs (4, 5, 6) (1 is the first of a sample, -1 the last), got 0",
      OptionError);
  CHECK_THROWS_AS(static_cast<void>(concatenate({x, y}, 4)), OptionError);
  CHECK_THROWS_AS(static_cast<void>(concatenate({x, y}, -4)), OptionError);
  CHECK_THROWS_AS(static_cast<void>(concatenate({x})), ShapeError);
  CHECK_THROWS_AS(static_cast<void>(concatenate({x, Input({4, 5})})), ShapeError);
}

TEST_CASE("Flatten") {
  check_layer(Flatten{}, {{2, 3, 4}});
  CHECK(Flatten{}(Input({3, 3, 512})).shape() == Shape{4608});
  CHECK(Flatten{}(Input({7})).shape() == Shape{7});
}

TEST_CASE("Rescaling") {
  check_layer(Rescaling{.scale = 1.0 / 255}, {{5, 4, 3}}, {.low = 0, .high = 255});
  check_layer(Rescaling{.scale = {1, 0.5, -2}, .offset = {0, 10, -3}}, {{5, 4, 3}});
  check_layer(Rescaling{.scale = 2, .offset = 1}, {{100}});
  check_layer(Rescaling{.scale = std::vector<double>(70, 3.0)}, {{3, 70}});
  CHECK(output_of(Rescaling{.scale = 2, .offset = {1, -1}}, {Tensor<float>({1, 2, 2}, {1, 2, 3, 4})}) ==
        std::vector<float>{3, 3, 7, 7});
  CHECK_THROWS_WITH_AS(
      static_cast<void>(Rescaling{.scale = {1, 2}}(Input({4, 4, 3}))),
      "layer Rescaling expected one number or one for each of the 3 channels of its input of shape (4, 4, 3), got 2",
      ShapeError);
}

TEST_CASE("Input is a node whose layer does not run") {
  const Node x = Input({48, 48, 3}, "picture");
  CHECK(x.shape() == Shape{48, 48, 3});
  CHECK(x.layer().type() == "InputLayer");
  CHECK(x.layer().name() == "picture");
  CHECK(x.inputs().empty());
  CHECK_THROWS_WITH_AS(static_cast<void>(x.layer().make(ScalarTag<float>{}, {})),
                       "layer 'picture' (InputLayer) is data and does not run: a model starts behind it", OptionError);
  CHECK_THROWS_AS(static_cast<void>(Input({48, 0, 3})), ShapeError);
  CHECK_THROWS_AS(static_cast<void>(Input({1, 1, 1, 1, 1, 1})), ShapeError);
}

TEST_CASE("Sequential is a chain") {
  Sequential layers{Input({4, 4, 3}), Rescaling{.scale = 2}, Flatten{}};
  layers.add(Activation{relu}).add(Activation{.activation = softmax, .name = "last"});
  CHECK(layers.input().shape() == Shape{4, 4, 3});
  CHECK(layers.input().layer().type() == "InputLayer");
  CHECK(layers.output().shape() == Shape{48});
  CHECK(layers.output().layer().name() == "last");
  const Sequential more{layers.output(), Activation{sigmoid}};
  CHECK(more.input().id() == layers.input().id());
}
