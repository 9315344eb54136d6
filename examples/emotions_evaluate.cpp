// Reprints a trained model's figures on a folder of faces, from the model's file alone.

#include "emotions.hpp"

using namespace mien;

int main(int argc, char** argv) {
  CLI::App app{"Evaluates a model on a folder with a folder of pictures per class.", "emotions_evaluate"};
  std::string file, data;
  std::int64_t batch_size = 32;
  int threads = 0;
  app.add_option("--model", file, "model.safetensors of a run")->required();
  app.add_option("--data", data, "folder of class folders, or with validation/ of these")->required();
  app.add_option("--batch-size", batch_size)->capture_default_str()->check(CLI::PositiveNumber);
  app.add_option("--threads", threads, "0: all that the process may use")->capture_default_str();
  return emotions::run(app, argc, argv, [&] {
    auto model = emotions::load_model_of_pictures(file, threads);
    model.compile({.optimizer = SGD{}, .loss = CategoricalCrossentropy{}, .metrics = {Accuracy{}}});
    const Dataset faces = emotions::pictures_for(model, emotions::part_of(data, "validation"));
    const Logs result = model.evaluate(faces, {.batch_size = batch_size});
    std::cout << emotions::confusion(model, faces).to_string();
    std::cout << emotions::format("%lld pictures: accuracy %.4f, loss %.4f\n", static_cast<long long>(faces.size()),
                                  *result.get("accuracy"), *result.get("loss"));
  });
}
