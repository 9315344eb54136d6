// Reprints a trained model's figures on a folder of faces, from the model's file alone; or a Keras model's, which may
// have more classes than the folder.

#include "emotions_keras.hpp"

using namespace mien;

namespace {

struct Arguments {
  std::string file, data, classes;
  std::int64_t batch_size = 32;
  int threads = 0;
  emotions::KerasArguments keras;
};

void evaluate(Model<float>& model, const Dataset& faces, std::int64_t batch_size) {
  model.compile({.optimizer = SGD{}, .loss = CategoricalCrossentropy{}, .metrics = {Accuracy{}}});
  const Logs result = model.evaluate(faces, {.batch_size = batch_size});
  std::cout << emotions::confusion(model, faces).to_string();
  std::cout << emotions::format("%lld pictures: accuracy %.4f, loss %.4f\n", static_cast<long long>(faces.size()),
                                *result.get("accuracy"), *result.get("loss"));
}

void evaluate_keras(const Arguments& a, const std::string& folder) {
  auto model = emotions::load_keras_model_of_pictures(a.file, a.keras, a.threads);
  emotions::name_outputs(model, a.classes);
  const std::vector<std::string> all = model.preprocessing().classes;
  const std::vector<std::string> there = emotions::classes_with_folder(all, folder);
  const Dataset faces = emotions::pictures_of(model, folder, there);
  if (there.size() == all.size()) return evaluate(model, faces, a.batch_size);
  const emotions::PartialResult result = emotions::evaluate_partly(model, faces, a.batch_size);
  std::cout << result.matrix.to_string();
  std::cout << emotions::format("%lld pictures of %s: accuracy %.4f over all %zu outputs, %.4f among these %zu\n",
                                static_cast<long long>(faces.size()), join(there).c_str(), result.accuracy, all.size(),
                                result.among, there.size());
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app{"Evaluates a model on a folder with a folder of pictures per class.", "emotions_evaluate"};
  Arguments a;
  app.add_option("--model", a.file, "model.safetensors of a run, or a whole model of Keras (.h5, .hdf5, .keras)")
      ->required();
  app.add_option("--data", a.data, "folder of class folders, or with validation/ of these")->required();
  emotions::add_batch_size(app, a.batch_size, "with that of the training, its figures come back to the last digit");
  emotions::add_threads(app, a.threads);
  app.add_option("--classes", a.classes, "of a Keras model: comma-separated, in the order of its outputs");
  a.keras.add_options(app);
  return emotions::run(app, argc, argv, [&] {
    const std::string folder = emotions::part_of(a.data, "validation");
    if (emotions::is_keras_file(a.file)) return evaluate_keras(a, folder);
    auto model = emotions::load_model_of_pictures(a.file, a.threads);
    emotions::refuse_keras_options(app, a.file);
    evaluate(model, emotions::pictures_for(model, folder), a.batch_size);
  });
}
