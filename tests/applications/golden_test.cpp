// Tables that tf.keras 2.6 printed itself, byte for byte. They are not part of the project: the folder with them is
// named by MIEN_GOLDEN_DIR, or is shared/golden beside the checkout.

#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>

#include <mien/mien.hpp>

#include "folder_beside.hpp"

using namespace mien;

namespace {

std::optional<std::filesystem::path> golden_folder() { return folder_beside("MIEN_GOLDEN_DIR", "golden"); }

std::string golden(const char* network) {
  const std::filesystem::path path = *golden_folder() / text("summary-", network, "-A-2.6.0.txt");
  std::ifstream file(path, std::ios::binary);
  REQUIRE_MESSAGE(file, path.string(), " cannot be read");
  return {std::istreambuf_iterator<char>(file), {}};
}

}  // namespace

TEST_CASE("tables are those of tf.keras, byte for byte") {
  if (!golden_folder()) {
    MESSAGE("skipped: there are no tables of tf.keras; name a folder of them in MIEN_GOLDEN_DIR");
    return;
  }
  const Model<float> cnn(Sequential{Input({48, 48, 3}), Conv2D{.filters = 32, .kernel_size = 3, .activation = relu},
                                    MaxPooling2D{}, BatchNormalization{}, Dropout{.rate = 0.25},
                                    GlobalAveragePooling2D{}, Dense{.units = 7, .activation = softmax}});
  CHECK(cnn.summary() == golden("cnn-seq"));
  CHECK(Model<float>(vgg16({.include_top = false, .input_shape = {48, 48, 3}, .pooling = "avg"})).summary() ==
        golden("vgg16-48"));
  CHECK(Model<float>(vggface({.include_top = false})).summary() == golden("vggface-224-notop"));
  CHECK(Model<float>(resnet50({.include_top = false, .input_shape = {48, 48, 3}})).summary() == golden("resnet50-48"));
  CHECK(Model<float>(resnet50({.include_top = false, .input_shape = {48, 48, 3}, .pooling = "avg"})).summary() ==
        golden("resnet50-48-avg"));
}
