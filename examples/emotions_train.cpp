// Trains one of the custom networks on folders of faces, or on drawn ones, and leaves a run folder:
// model.safetensors, checkpoint.safetensors, history.csv, confusion.csv, summary.txt.

#include "emotions_run.hpp"

using namespace mien;

namespace {

struct Arguments : emotions::RunArguments {
  std::string model = "custom2", inner_activation = "linear";
  bool strict = false, autotune = false;
};

void add_options(CLI::App& app, Arguments& a) {
  app.add_option("--model", a.model, "custom1, custom2, custom2_dropout or custom3")->capture_default_str();
  emotions::add_data_options(app, a);
  app.add_option(
         "--inner-activation", a.inner_activation,
         "between the two convolutions of a block: linear, relu, leaky_relu, elu, gelu, silu, sigmoid, tanh or softmax")
      ->capture_default_str();
  app.add_flag("--strict", a.strict, "convolutions as plain sums of products, without Winograd; slower");
  app.add_flag("--autotune", a.autotune, "time the convolutions' algorithms first and train with the fastest");
  emotions::add_training_options(app, a);
}

Model<float> build_model(const Arguments& a, const Dataset& train) {
  EmotionCnnOptions options = emotion_cnn_options(a.model);
  options.input_shape = train.sample_shape();
  options.classes = static_cast<std::int64_t>(train.class_names().size());
  options.inner_activation = activation_named(a.inner_activation);
  options.augmentation = a.augment;
  Preprocessing preprocessing = unit_preprocessing();
  preprocessing.classes = train.class_names();
  Model<float> model(emotion_cnn(options), {.seed = a.seed,
                                            .threads = a.threads,
                                            .preprocessing = preprocessing,
                                            .arithmetic = a.strict ? Arithmetic::strict : Arithmetic::fast,
                                            .autotune = a.autotune});
  model.compile({.optimizer = Adam{.learning_rate = a.learning_rate},
                 .loss = CategoricalCrossentropy{},
                 .metrics = {Accuracy{}}});
  return model;
}

void train(const Arguments& a) {
  const emotions::Faces faces = emotions::load_faces(a);
  Model<float> model = build_model(a, faces.train);
  const std::filesystem::path run = emotions::prepare_run(a, a.model);  // after all that may be refused
  emotions::write_summary(a, model, run);
  emotions::print_faces(faces);
  const auto stop = emotions::stopping(a);
  const History history = model.fit(faces.train, emotions::fit_options(a, faces, run, stop));
  emotions::require_finite(history, stop->best_epoch);
  emotions::finish_run(a, model, faces.validation, run);
  emotions::print_result(history, stop->best_epoch);
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app{"Trains a custom network to read emotions in faces.", "emotions_train"};
  Arguments arguments;
  add_options(app, arguments);
  return emotions::run(app, argc, argv, [&] { train(arguments); });
}
