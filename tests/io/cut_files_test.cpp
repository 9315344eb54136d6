// What an error costs: files of every format cut at 200 places, the largest of them with VGG16's 59 MB of weights.
// Prints the slowest error and the most memory that one took beyond what the process held; asserts that each cut is
// refused.

#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <functional>
#include <string>
#include <vector>

#include <mien/applications/vgg16.hpp>
#include <mien/io.hpp>
#include <mien/io/formats/open_tensor_file.hpp>

#include "formats/temporary_folder.hpp"

using namespace mien;

namespace cut_files {

/// A line of /proc/self/status, in MiB; 0 where there is none.
double memory(const std::string& key) {
  std::ifstream status("/proc/self/status");
  for (std::string word; status >> word;)
    if (word == key + ":" && status >> word) return std::stod(word) / 1024;
  return 0;
}
/// Has the kernel count the peak, VmHWM, from now on.
void forget_peak() { std::ofstream("/proc/self/clear_refs") << "5"; }

using Open = std::function<void(const std::filesystem::path&)>;

/// Cuts the file, the longest piece first, opens each piece, and tells what the worst error cost.
void check_cuts(const std::filesystem::path& file, const Open& open) {
  constexpr std::uintmax_t cuts = 200;
  const std::uintmax_t size = std::filesystem::file_size(file);
  double seconds = 0, most = 0;
  std::uintmax_t refused = 0;
  for (std::uintmax_t i = cuts; i-- > 0;) {
    std::filesystem::resize_file(file, size * i / cuts);
    forget_peak();
    const double before = memory("VmRSS");
    const auto start = std::chrono::steady_clock::now();
    try {
      open(file);
    } catch (const FileError&) {
      ++refused;
    }
    seconds = std::max(seconds, std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
    most = std::max(most, memory("VmHWM") - before);
  }
  CHECK(refused == cuts);
  MESSAGE(file.filename().string(), ", ", size, " bytes: the slowest error took ", 1e3 * seconds, " ms, the largest ",
          most, " MiB");
}

/// All that a file holds, read.
void read_all(const std::filesystem::path& path) {
  const auto file = open_tensor_file(path);
  std::vector<std::byte> bytes;
  for (const StoredTensor& tensor : file->tensors()) {
    bytes.resize(tensor.bytes);
    file->read(tensor, bytes);
  }
}

}  // namespace cut_files

TEST_CASE("what the error of a cut file costs: files of other libraries") {
  const TemporaryFolder folder;
  const std::filesystem::path references = MIEN_TEST_REFERENCES;
  for (const char* name : {"weights/net.pt", "weights/state_legacy.pt", "weights/stored.npz", "weights/deflated.npz",
                           "weights/rows.npy", "keras_hdf5/keras_1.h5", "keras_hdf5/keras_2.h5",
                           "keras_hdf5/keras_3.weights.h5", "keras_hdf5/whole_3.h5", "keras_hdf5/stored.keras"}) {
    const auto copy = folder / std::filesystem::path(name).filename().c_str();
    std::filesystem::copy_file(references / name, copy);
    cut_files::check_cuts(copy, cut_files::read_all);
  }
  const auto keras = [](const std::filesystem::path& path) { static_cast<void>(load_keras_model<float>(path)); };
  for (const char* name : {"nested_2.h5", "nested_3.keras"}) {
    std::filesystem::copy_file(references / "keras_models" / name, folder / name);
    cut_files::check_cuts(folder / name, keras);
  }
}

TEST_CASE("what the error of a cut file costs: VGG16") {
  const TemporaryFolder folder;
  Model<float> model(vgg16({.include_top = false, .input_shape = {48, 48, 3}}), {.seed = 1});
  const std::vector<float> before(model.values().values().begin(), model.values().values().end());
  const cut_files::Open load = [&](const std::filesystem::path& path) { load_weights(model, path); };
  save(model, folder / "vgg16.safetensors");
  cut_files::check_cuts(folder / "vgg16.safetensors", load);
  save_keras_weights(model, folder / "vgg16_weights.h5");
  cut_files::check_cuts(folder / "vgg16_weights.h5", load);
  save_keras_model(model, folder / "vgg16.h5");
  cut_files::check_cuts(folder / "vgg16.h5",
                        [](const std::filesystem::path& path) { static_cast<void>(load_keras_model<float>(path)); });
  const auto& after = model.values().values();
  CHECK(std::equal(before.begin(), before.end(), after.begin(), after.end()));
}
