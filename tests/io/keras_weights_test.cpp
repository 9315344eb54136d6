#include <doctest/doctest.h>

#include <cstring>

#include <mien/io.hpp>
#include <mien/io/formats/keras_hdf5.hpp>

#include "formats/temporary_folder.hpp"
#include "model/networks.hpp"

using namespace mien;

TEST_CASE("save_keras_weights writes every weight under its layer, in the order of the model") {
  const TemporaryFolder folder;
  const Model<float> model = networks::every_layer(1);
  save_keras_weights(model, folder / "weights.h5");
  const KerasHdf5File file(folder / "weights.h5");
  CHECK(file.layers() == model.network().graph.names);
  CHECK(file.backend() == "tensorflow");
  REQUIRE(file.tensors().size() == model.parameters().size());
  for (std::size_t i = 0; i < model.parameters().size(); ++i) {
    const StoredTensor& stored = file.tensors()[i];
    const Parameter& parameter = model.parameters()[i];
    CAPTURE(stored.name);
    CHECK(stored.name == parameter.name + ":0");
    REQUIRE(stored.shape == parameter.shape);
    CHECK(stored.dtype == DType::f32);
    std::vector<std::byte> bytes(stored.bytes);
    file.read(stored, bytes);
    CHECK(std::memcmp(bytes.data(), model.values()[i].data(), bytes.size()) == 0);
  }
}

TEST_CASE("save_keras_weights leaves a Sequential's input out, as Keras does") {
  const TemporaryFolder folder;
  const Model<double> model(Sequential{Input({3}), Dense{.units = 2, .name = "top"}});
  save_keras_weights(model, folder / "weights.h5");
  const KerasHdf5File file(folder / "weights.h5");
  CHECK(file.layers() == std::vector<std::string>{"top"});
  CHECK(file.find("top/kernel:0")->dtype == DType::f64);
}
