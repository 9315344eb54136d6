#pragma once

#include <utility>
#include <vector>

#include <mien/testing/layer_run.hpp>

namespace mien::test {

/// A layer with one input on given values: forward, and backward if there is a d_output. Gaps of `setup` are filled in.
template <class Options>
testing::LayerResult<double> run(const Options& options, const Shape& input, std::vector<double> x,
                                 std::vector<double> d_output = {}, testing::LayerSetup setup = {},
                                 std::vector<std::vector<double>> parameters = {}) {
  const std::vector<Shape> inputs{input};
  const auto layer = options.template make<double>(inputs);
  setup.batch = static_cast<std::int64_t>(x.size()) / input.size();
  setup.backward = !d_output.empty();
  testing::LayerData data{.input_shapes = inputs,
                          .output_shape = options.output_shape(inputs),
                          .specs = layer->parameters(),
                          .inputs = {std::move(x)},
                          .parameters = std::move(parameters),
                          .d_output = std::move(d_output)};
  return testing::LayerRun<double>(*layer, data, setup).run();
}

}  // namespace mien::test
