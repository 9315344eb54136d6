// Names the emotion in pictures of faces: photo.jpg  happy 97.7 %  (angry 1.1 %, sad 1.2 %)

#include <nlohmann/json.hpp>

#include "emotions_keras.hpp"

using namespace mien;

namespace {

void print_line(const std::string& file, const std::vector<std::string>& classes, const Tensor<float>& p) {
  const auto best = static_cast<std::size_t>(std::max_element(p.begin(), p.end()) - p.begin());
  const auto share = [&](std::size_t k) {
    return emotions::format("%s %.1f %%", classes[k].c_str(), 100.0 * p[static_cast<int>(k)]);
  };
  std::vector<std::string> others;
  for (std::size_t k = 0; k < classes.size(); ++k)
    if (k != best) others.push_back(share(k));
  std::cout << file << "  " << share(best) << "  (" << join(others) << ")\n";
}

nlohmann::ordered_json as_json(const std::string& file, const std::vector<std::string>& classes,
                               const Tensor<float>& p) {
  nlohmann::ordered_json shares;
  for (std::size_t k = 0; k < classes.size(); ++k) shares[classes[k]] = p[static_cast<int>(k)];
  const auto best = static_cast<std::size_t>(std::max_element(p.begin(), p.end()) - p.begin());
  return {{"file", file}, {"emotion", classes[best]}, {"probabilities", shares}};
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app{"Names the emotion in pictures of faces.", "emotions_predict"};
  std::string file, names;
  std::vector<std::string> pictures;
  bool json = false;
  emotions::KerasArguments keras;
  app.add_option("--model", file, "model.safetensors of a run, or a whole model of Keras (.h5, .hdf5, .keras)")
      ->required();
  app.add_option("pictures", pictures, "JPEG, PNG or BMP files")->required();
  app.add_flag("--json", json, "print JSON");
  app.add_option("--classes", names, "of a Keras model: comma-separated, in the order of its outputs");
  keras.add_options(app);
  return emotions::run(app, argc, argv, [&] {
    const auto model = emotions::load_model_of_either(app, file, keras, names);
    const Shape& shape = model.input_shape();
    std::vector<std::string> classes = model.preprocessing().classes;
    for (std::int64_t k = static_cast<std::int64_t>(classes.size()); k < model.output_shape()[0]; ++k)
      classes.push_back(text("class ", k));
    const Predictor<float> predict = model.predictor({.max_batch = 1});
    const LoadImageOptions options{.size = ImageSize{shape[0], shape[1]},
                                   .color_mode = shape[2] == 1 ? ColorMode::grayscale : ColorMode::rgb};
    auto list = nlohmann::ordered_json::array();
    int status = 0;
    for (const std::string& picture : pictures) {
      try {
        const Tensor<float> p = predict(load_image(picture, options));
        if (json)
          list.push_back(as_json(picture, classes, p));
        else
          print_line(picture, classes, p);
      } catch (const FileError& error) {  // the others are read all the same
        std::cerr << app.get_name() << ": " << error.what() << "\n";
        status = 2;
      }
    }
    if (json) std::cout << list.dump(2) << "\n";
    return status;
  });
}
