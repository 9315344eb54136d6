#include <doctest/doctest.h>

#include <mien/layers/activation.hpp>
#include <mien/layers/input.hpp>
#include <mien/testing/check_layer.hpp>

using namespace mien;
using mien::testing::check_layer;

TEST_CASE("Activation keeps what a layer promises, for every function") {
  const ActivationFunction functions[] = {linear, relu, leaky_relu, leaky_relu(-0.3), elu,    elu(-0.4),
                                          gelu,   silu, sigmoid,    mien::tanh,       softmax};
  for (const ActivationFunction& f : functions) {
    const std::string name = to_string(f.kind);
    CAPTURE(name);
    check_layer(Activation{f}, {{5}}, {.low = -3, .high = 3});
    check_layer(Activation{.activation = f}, {{2, 3, 4}}, {.low = -3, .high = 3});
  }
}

TEST_CASE("Activation declares what a plan may do with it") {
  const Shape input{4};
  const auto layer = [&](const ActivationFunction& f) { return Activation{f}.make<float>({&input, 1}); };
  CHECK(layer(relu)->in_place());
  CHECK_FALSE(layer(relu)->needs(relu).inputs);
  CHECK_FALSE(layer(gelu)->in_place());
  CHECK(layer(gelu)->needs(gelu).inputs);
  CHECK_FALSE(layer(gelu)->needs(gelu).output);
  CHECK(layer(softmax)->only_activates());
  CHECK(layer(linear)->identity_in_inference());
}
