// Trains VGG16 from the start on faces whose expressions are not those that are to be told apart later, and leaves its
// convolutions in base.safetensors, under keras.applications' names: a base for emotions_finetune on a machine without
// the internet. The rest of the run folder is that of emotions_train.

#include "emotions_run.hpp"

using namespace mien;

namespace {

void pretrain(const emotions::RunArguments& a) {
  const emotions::Faces faces = emotions::load_faces(a);
  const Shape& shape = faces.train.sample_shape();
  const Node pictures = Input(shape);
  const Application base = vgg16({.include_top = false,
                                  .input_tensor = a.augment ? face_augmentation(pictures) : pictures,
                                  .pooling = "avg",
                                  .kernel_initializer = he_uniform});
  const Node y = Dense{.units = static_cast<std::int64_t>(faces.train.class_names().size()),
                       .activation = softmax,
                       .name = "expression"}(base.output);
  Preprocessing preprocessing = base.preprocessing;
  preprocessing.classes = faces.train.class_names();
  Model<float> model(
      base.input, y,
      {.seed = a.seed, .name = "vgg16_faces", .threads = a.threads, .preprocessing = std::move(preprocessing)});
  model.compile({.optimizer = Adam{.learning_rate = a.learning_rate},
                 .loss = CategoricalCrossentropy{},
                 .metrics = {Accuracy{}}});
  const std::filesystem::path run = emotions::prepare_run(a, "pretrain");  // after all that may be refused
  emotions::write_summary(a, model, run);
  emotions::print_faces(faces);
  const auto stop = emotions::stopping(a);
  const History history = model.fit(faces.train, emotions::fit_options(a, faces, run, stop));
  emotions::require_finite(history, stop->best_epoch);
  emotions::finish_run(a, model, faces.validation, run);

  Model<float> alone(vgg16({.include_top = false, .input_shape = shape}));
  copy_weights(model, alone);
  save(alone, run / "base.safetensors");
  emotions::print_result(history, stop->best_epoch);
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app{"Trains VGG16 on faces, as a base for emotions_finetune.", "emotions_pretrain"};
  emotions::RunArguments arguments;
  arguments.classes = "disgust,fear,neutral,surprise";
  arguments.epochs = 20;
  arguments.learning_rate = 1e-4;
  emotions::add_data_options(app, arguments);
  emotions::add_training_options(app, arguments);
  return emotions::run(app, argc, argv, [&] { pretrain(arguments); });
}
