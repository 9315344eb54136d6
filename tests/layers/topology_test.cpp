#include <doctest/doctest.h>

#include <mien/graph/topology.hpp>
#include <mien/layers/activation.hpp>
#include <mien/layers/add.hpp>
#include <mien/layers/conv2d.hpp>
#include <mien/layers/dense.hpp>
#include <mien/layers/input.hpp>

using namespace mien;

TEST_CASE("names are made as Keras makes them") {
  CHECK(detail::snake_case("Conv2D") == "conv2d");
  CHECK(detail::snake_case("MaxPooling2D") == "max_pooling2d");
  CHECK(detail::snake_case("BatchNormalization") == "batch_normalization");
  CHECK(detail::snake_case("GlobalAveragePooling2D") == "global_average_pooling2d");
  CHECK(detail::snake_case("ZeroPadding2D") == "zero_padding2d");
  CHECK(detail::snake_case("Add") == "add");

  const Node x = Input({4});
  const Node y = Dense{.units = 2}(Dense{.units = 3, .name = "dense_1"}(Dense{.units = 4}(Dense{.units = 5}(x))));
  CHECK(sort_graph(x, y).names == std::vector<std::string>{"input_1", "dense", "dense_2", "dense_1", "dense_3"});
}

TEST_CASE("a residual block is ordered as Keras orders it") {
  const auto conv = [](const char* name) { return Conv2D{.filters = 2, .kernel_size = 1, .name = name}; };
  const Node x = Input({4, 4, 2}, "input");
  const Node shortcut = Activation{.activation = linear, .name = "0_bn"}(conv("0_conv")(x));
  Node y = Activation{.activation = relu, .name = "1_relu"}(conv("1_conv")(x));
  y = Activation{.activation = linear, .name = "3_bn"}(conv("3_conv")(conv("2_conv")(y)));
  const Node out = Activation{.activation = relu, .name = "out"}(Add{.name = "add"}({shortcut, y}));
  const Topology graph = sort_graph(x, out);
  CHECK(graph.names == std::vector<std::string>{"input", "1_conv", "1_relu", "2_conv", "0_conv", "3_conv", "0_bn",
                                                "3_bn", "add", "out"});
  CHECK(graph.inputs[8] == std::vector<int>{6, 7});
  CHECK(graph.consumers[0] == 2);
}

TEST_CASE("graphs that are none are refused with a reason") {
  const Node x = Input({4}), other = Input({4});
  CHECK_THROWS_WITH_AS((void)sort_graph(x, Dense{.units = 2}(other)), doctest::Contains("is not the model's"),
                       OptionError);
  CHECK_THROWS_WITH_AS((void)sort_graph(x, Add{}({Dense{.units = 2}(x), Dense{.units = 2}(other)})),
                       doctest::Contains("one input"), OptionError);
  const Node twice = Dense{.units = 2, .name = "a"}(Dense{.units = 2, .name = "a"}(x));
  CHECK_THROWS_WITH_AS((void)sort_graph(x, twice), doctest::Contains("two layers are named 'a'"), OptionError);
}
