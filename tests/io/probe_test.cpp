#include <doctest/doctest.h>

#include <limits>
#include <string>

#include <mien/io.hpp>
#include <mien/mien.hpp>

#include "formats/temporary_folder.hpp"

using namespace mien;

namespace {

Model<float> probed(std::uint64_t seed = 1) {
  return Model<float>(
      Sequential{Input({6, 6, 2}), Conv2D{.filters = 3, .kernel_size = 3, .activation = relu, .name = "a"},
                 BatchNormalization{.name = "b"}, Flatten{.name = "f"}, Dense{.units = 4, .name = "c"},
                 Dense{.units = 2, .activation = softmax, .name = "d"}},
      {.seed = seed});
}

Tensor<float> ramp(const Shape& shape) {
  Tensor<float> x(shape);
  for (std::int64_t i = 0; i < x.size(); ++i) x[i] = static_cast<float>(i % 11) / 11 - 0.4F;
  return x;
}

}  // namespace

TEST_CASE("a model agrees with its own probe, also in double") {
  const TemporaryFolder folder;
  Model<float> model = probed();
  save_probe<float>(model, ramp({2, 6, 6, 2}), folder / "probe");
  const ProbeReport report = compare_with_probe(model, folder / "probe");
  REQUIRE(report.layers.size() == 5);
  for (const ProbeReport::Row& row : report.layers) CHECK(row.difference == 0);
  CHECK(report.first_departure().empty());
  CHECK(report.to_string().find("5 layers compared, all agree") != std::string::npos);
  CHECK_NOTHROW(require_probe(model, folder / "probe"));

  save(model, folder / "m");
  Model<double> wide = load_model<double>(folder / "m", {.probe = folder / "probe"});
  const ProbeReport rounded = compare_with_probe(wide, folder / "probe");
  CHECK(rounded.first_departure().empty());
  CHECK(rounded.layers[3].difference > 0);
}

TEST_CASE("the first layer that departs is named") {
  const TemporaryFolder folder;
  Model<float> model = probed();
  save_probe<float>(model, ramp({1, 6, 6, 2}), folder / "probe");
  save(model, folder / "m");
  model.parameter("c/bias")[3] += 1;
  const ProbeReport report = compare_with_probe(model, folder / "probe");
  CHECK(report.first_departure() == "c");
  CHECK(report.layers[2].difference == 0);
  CHECK_THROWS_WITH_AS(require_probe(model, folder / "probe"), doctest::Contains("departs from its probe at layer 'c'"),
                       FileError);
  model.parameter("b/gamma")[0] = std::numeric_limits<float>::quiet_NaN();
  CHECK(compare_with_probe(model, folder / "probe").first_departure() == "b");

  save(model, folder / "changed");
  CHECK_THROWS_AS(static_cast<void>(load_model<float>(folder / "changed", {.probe = folder / "probe"})), FileError);
  CHECK_NOTHROW(static_cast<void>(load_model<float>(folder / "m", {.probe = folder / "probe"})));
}

TEST_CASE("what is no probe of the model is refused") {
  const TemporaryFolder folder;
  Model<float> model = probed();
  CHECK_THROWS_AS(save_probe<float>(model, ramp({17, 6, 6, 2}), folder / "probe"), ShapeError);
  CHECK_THROWS_AS(save_probe<float>(model, ramp({1, 6, 6, 1}), folder / "probe"), ShapeError);
  save(model, folder / "m");
  CHECK_THROWS_WITH_AS(static_cast<void>(compare_with_probe(model, folder / "m")),
                       doctest::Contains("it has no tensor 'input'"), FileError);
  Model<float> other(Sequential{Input({6, 6, 2}), Flatten{.name = "f"}, Dense{.units = 2, .name = "d"}});
  save_probe<float>(other, ramp({1, 6, 6, 2}), folder / "probe");
  CHECK_THROWS_WITH_AS(static_cast<void>(compare_with_probe(model, folder / "probe")),
                       doctest::Contains("'f' should be (1, 48), but is (1, 72)"), FileError);
  Model<float> more(Sequential{Input({6, 6, 2}), Flatten{.name = "f"}, Dense{.units = 2, .name = "d"},
                               Activation{.activation = relu, .name = "g"}});
  save_probe<float>(more, ramp({1, 6, 6, 2}), folder / "probe");
  CHECK_THROWS_WITH_AS(static_cast<void>(compare_with_probe(other, folder / "probe")),
                       doctest::Contains("of its 3 layers the model has 2"), FileError);
}
