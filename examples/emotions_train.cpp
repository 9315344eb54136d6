// Trains one of the custom networks on folders of faces, or on drawn ones, and leaves a run folder:
// model.safetensors, checkpoint.safetensors, history.csv, confusion.csv, summary.txt.

#include "emotions.hpp"

using namespace mien;

namespace {

struct Arguments {
  std::string model = "custom2", data, validation, classes, out, inner_activation = "linear";
  std::int64_t synthetic = 0, image_size = 48, batch_size = 32;
  int epochs = 100, threads = 0, early_stopping = 10, reduce_lr = 4;
  std::uint64_t seed = 0;
  double learning_rate = 1e-3;
  bool augment = false, class_weights = false, summary = false, resume = false, overwrite = false;
};

void add_options(CLI::App& app, Arguments& a) {
  app.add_option("--model", a.model, "custom1, custom2 or custom3")->capture_default_str();
  auto* data = app.add_option("--data", a.data,
                              "folder with a folder of pictures per class, or with train/ and validation/ of these");
  app.add_option("--validation", a.validation,
                 "folder of validation pictures; without one, a fifth of the data is kept apart")
      ->needs(data);
  auto* synthetic =
      app.add_option("--synthetic", a.synthetic, "train on that many drawn faces instead")->check(CLI::PositiveNumber);
  data->excludes(synthetic);
  app.add_option("--classes", a.classes,
                 "comma-separated, in the order of the outputs; new=old merges and renames folders");
  app.add_option("--image-size", a.image_size, "pictures are resized to that many rows and columns")
      ->capture_default_str();
  app.add_option("--epochs", a.epochs)->capture_default_str()->check(CLI::NonNegativeNumber);
  app.add_option("--batch-size", a.batch_size)->capture_default_str()->check(CLI::PositiveNumber);
  app.add_option("--learning-rate", a.learning_rate, "of Adam")->capture_default_str()->check(CLI::PositiveNumber);
  app.add_option("--inner-activation", a.inner_activation, "between the two convolutions of a block")
      ->capture_default_str();
  app.add_option("--early-stopping", a.early_stopping, "epochs without a lower val_loss before the run stops; 0: never")
      ->capture_default_str();
  app.add_option("--reduce-lr", a.reduce_lr,
                 "epochs without a lower val_loss before the learning rate falls to a tenth; 0: never")
      ->capture_default_str();
  app.add_flag("--augment", a.augment, "flip, shift and turn the training pictures");
  app.add_flag("--class-weights", a.class_weights, "rare classes weigh more in the loss");
  app.add_option("--seed", a.seed, "of weights, order, dropout, augmentation, split")->capture_default_str();
  app.add_option("--threads", a.threads, "0: all that the process may use")
      ->capture_default_str()
      ->check(CLI::NonNegativeNumber);
  app.add_flag("--summary", a.summary, "print the table of layers");
  app.add_flag("--resume", a.resume,
               "go on where the run in --out was interrupted; ends with the bits of an uninterrupted one");
  app.add_flag("--overwrite", a.overwrite, "replace a run that is in --out");
  app.add_option("--out", a.out, "run folder; by default runs/MODEL");
}

emotions::Faces load_faces(const Arguments& a) {
  if (a.data.empty() == (a.synthetic == 0)) throw OptionError("give either --data DIR or --synthetic N");
  const std::vector<std::string> classes = emotions::split_list(a.classes);
  if (a.synthetic > 0) {
    SyntheticFacesOptions options{.image_size = a.image_size};
    if (!classes.empty()) options.classes = classes;
    auto [train, validation] = synthetic_faces(a.synthetic, a.seed, options).split(0.2, a.seed);
    return {train, validation};
  }
  const ImageFolderOptions options{.image_size = {a.image_size, a.image_size}, .classes = classes};
  const std::string train_folder = emotions::part_of(a.data, "train");
  std::string validation_folder = a.validation;
  if (const std::string part = emotions::part_of(a.data, "validation");
      validation_folder.empty() && train_folder != a.data && part != a.data)
    validation_folder = part;
  const Dataset train = image_folder(train_folder, options);
  emotions::report_unreadable(train);
  if (validation_folder.empty()) {
    auto [first, second] = train.split(0.2, a.seed);
    return {first, second};
  }
  ImageFolderOptions same_classes = options;
  if (classes.empty()) same_classes.classes = train.class_names();
  const Dataset validation = image_folder(validation_folder, same_classes);
  emotions::report_unreadable(validation);
  return {train, validation};
}

/// The run folder, ready to be written to. A run that is there is not lost unless asked for.
std::filesystem::path prepare_run(const Arguments& a) {
  const std::filesystem::path run = a.out.empty() ? "runs/" + a.model : a.out;
  const bool there = std::filesystem::exists(run / "checkpoint.safetensors");
  if (there && !a.resume && !a.overwrite)
    throw OptionError(
        text(run.string(), " holds a run: go on with --resume, replace it with --overwrite, or choose another --out"));
  if (there && !a.resume) std::filesystem::remove(run / "checkpoint.safetensors");
  std::filesystem::create_directories(run);
  return run;
}

void write_file(const std::filesystem::path& path, const std::string& content) {
  std::ofstream file(path, std::ios::binary);
  if (!(file << content) || !file.flush()) throw FileError(text(path.string(), " cannot be written"));
}

Model<float> build_model(const Arguments& a, const Dataset& train) {
  EmotionCnnOptions options = emotion_cnn_options(a.model);
  options.input_shape = train.sample_shape();
  options.classes = static_cast<std::int64_t>(train.class_names().size());
  options.inner_activation = activation_named(a.inner_activation);
  options.augmentation = a.augment;
  Model<float> model(
      emotion_cnn(options),
      {.seed = a.seed, .threads = a.threads, .preprocessing = {.classes = train.class_names(), .scale = 1.0 / 255}});
  model.compile({.optimizer = Adam{.learning_rate = a.learning_rate},
                 .loss = CategoricalCrossentropy{},
                 .metrics = {Accuracy{}}});
  return model;
}

FitOptions fit_options(const Arguments& a, const emotions::Faces& faces, const std::filesystem::path& run,
                       const std::shared_ptr<EarlyStopping>& stop) {
  FitOptions options{.batch_size = a.batch_size, .epochs = a.epochs, .validation_data = faces.validation};
  if (a.class_weights) options.class_weight = faces.train.class_weights();
  options.callbacks.emplace_back(stop);
  if (a.reduce_lr > 0) options.callbacks.emplace_back(ReduceLROnPlateau{.patience = a.reduce_lr});
  options.callbacks.emplace_back(CSVLogger{.filename = (run / "history.csv").string(), .first_epoch = 1});
  options.checkpoint = checkpoint({.path = (run / "checkpoint.safetensors").string(), .resume = a.resume});
  return options;
}

void print_result(const History& history, int best_epoch) {
  const auto accuracy = history["val_accuracy"], loss = history["val_loss"];
  const int highest = history.best_epoch("val_accuracy");
  const auto row = [](int epoch) { return static_cast<std::size_t>(epoch); };
  std::cout << emotions::format("highest val_accuracy %.4f in epoch %d\n", accuracy[row(highest)], highest + 1);
  std::cout << emotions::format("best epoch %d: val_accuracy %.4f, val_loss %.4f\n", best_epoch + 1,
                                accuracy[row(best_epoch)], loss[row(best_epoch)]);
}

void train(const Arguments& a) {
  const emotions::Faces faces = load_faces(a);
  Model<float> model = build_model(a, faces.train);
  const std::filesystem::path run = prepare_run(a);  // after all that may be refused
  if (a.summary) std::cout << model.summary();
  write_file(run / "summary.txt", model.summary());
  std::cout << faces.train.size() << " training and " << faces.validation.size() << " validation pictures of "
            << join(faces.train.class_names()) << std::endl;

  // Without early stopping the best weights are kept all the same.
  const int patience = a.early_stopping > 0 ? a.early_stopping : a.epochs + 1;
  const auto stop = std::make_shared<EarlyStopping>(EarlyStopping{.patience = patience, .restore_best_weights = true});
  const History history = model.fit(faces.train, fit_options(a, faces, run, stop));
  save(model, (run / "model.safetensors").string());
  const ConfusionMatrix matrix = emotions::confusion(model, faces.validation);
  write_file(run / "confusion.csv", matrix.to_csv());
  std::cout << matrix.to_string() << "run folder: " << run.string() << "\n";
  if (history.epoch.empty())
    std::cout << "no epoch was trained\n";
  else
    print_result(history, static_cast<int>(stop->best_epoch));
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app{"Trains a custom network to read emotions in faces.", "emotions_train"};
  Arguments arguments;
  add_options(app, arguments);
  return emotions::run(app, argc, argv, [&] { train(arguments); });
}
