#pragma once
// What the trainers share: their arguments, the pictures, and the folder that a run leaves.

#include "emotions.hpp"

namespace emotions {

/// The arguments of every trainer.
struct RunArguments {
  std::string data, validation, classes, out;
  std::int64_t synthetic = 0, image_size = 48, batch_size = 32;
  int epochs = 100, threads = 0, early_stopping = 10, reduce_lr = 4;
  std::uint64_t seed = 0;
  double learning_rate = 1e-3;
  bool augment = false, class_weights = false, summary = false, resume = false, overwrite = false, keras = false;
};

inline void add_data_options(CLI::App& app, RunArguments& a) {
  auto* data = app.add_option("--data", a.data,
                              "folder with a folder of pictures per class, or with train/ and validation/ of these");
  app.add_option("--validation", a.validation,
                 "folder of validation pictures; without one, a fifth of the data is kept apart")
      ->needs(data);
  auto* synthetic = add_whole(app, "--synthetic", a.synthetic, 1, "train on that many drawn faces instead");
  data->excludes(synthetic);
  app.add_option("--classes", a.classes,
                 "comma-separated, in the order of the outputs; new=old merges and renames folders");
  add_whole(app, "--image-size", a.image_size, 1, "pictures are resized to that many rows and columns")
      ->capture_default_str();
  app.add_flag("--augment", a.augment, "flip, shift and turn the training pictures");
  app.add_flag("--class-weights", a.class_weights, "rare classes weigh more in the loss");
}

inline void add_training_options(CLI::App& app, RunArguments& a) {
  add_whole(app, "--epochs", a.epochs, 0)->capture_default_str();
  add_batch_size(app, a.batch_size);
  add_rate(app, "--learning-rate", a.learning_rate, "of Adam");
  add_whole(app, "--early-stopping", a.early_stopping, 0,
            "epochs without a lower val_loss before the run stops; 0: never")
      ->capture_default_str();
  add_whole(app, "--reduce-lr", a.reduce_lr, 0,
            "epochs without a lower val_loss before the learning rate falls to a tenth; 0: never")
      ->capture_default_str();
  add_whole(app, "--seed", a.seed, 0, "of weights, order, dropout, augmentation, split")->capture_default_str();
  add_threads(app, a.threads);
  add_keras_option(app, a.keras);
  app.add_flag("--summary", a.summary, "print the table of layers");
  app.add_flag("--resume", a.resume,
               "go on where the run in --out was interrupted; ends with the bits of an uninterrupted one");
  app.add_flag("--overwrite", a.overwrite, "replace a run that is in --out");
  app.add_option("--out", a.out, "run folder; by default runs/NAME");
}

inline Faces load_pictures(const RunArguments& a) {
  using namespace mien;
  if (a.data.empty() == (a.synthetic == 0)) throw OptionError("give either --data DIR or --synthetic N");
  const std::vector<std::string> classes = split_list(a.classes);
  if (a.synthetic > 0) {
    SyntheticFacesOptions options{.image_size = a.image_size};
    if (!classes.empty()) options.classes = classes;
    auto [train, validation] = synthetic_faces(a.synthetic, a.seed, options).split(0.2, a.seed);
    return {train, validation};
  }
  const ImageFolderOptions options{.image_size = {a.image_size, a.image_size}, .classes = classes};
  const std::string train_folder = part_of(a.data, "train");
  std::string validation_folder = a.validation;
  if (const std::string part = part_of(a.data, "validation");
      validation_folder.empty() && train_folder != a.data && part != a.data)
    validation_folder = part;
  const Dataset train = image_folder(train_folder, options);
  report_unreadable(train);
  if (validation_folder.empty()) {
    auto [first, second] = train.split(0.2, a.seed);
    return {first, second};
  }
  ImageFolderOptions same_classes = options;
  if (classes.empty()) same_classes.classes = train.class_names();
  const Dataset validation = image_folder(validation_folder, same_classes);
  report_unreadable(validation);
  return {train, validation};
}

inline Faces load_faces(const RunArguments& a) {
  Faces faces = load_pictures(a);
  require_classes(faces.train, a.data.empty() ? "--synthetic" : a.data);
  return faces;
}

inline void print_faces(const Faces& faces) {
  std::cout << faces.train.size() << " training and " << faces.validation.size() << " validation pictures of "
            << mien::join(faces.train.class_names()) << std::endl;
}

inline constexpr const char* checkpoint_name = "checkpoint.safetensors";
inline constexpr const char* head_checkpoint_name = "checkpoint_head.safetensors";  // of a first stage

/// Whether the folder holds a run that can be taken up.
inline bool holds_run(const std::filesystem::path& run) {
  return std::filesystem::exists(run / checkpoint_name) || std::filesystem::exists(run / head_checkpoint_name);
}

/// The run folder (`name` is its default's), ready to be written to. A run that is there, known by its checkpoints, is
/// not lost unless asked for; then nothing of it stays beside the new one.
inline std::filesystem::path prepare_run(const RunArguments& a, const std::string& name) {
  const std::filesystem::path run = a.out.empty() ? "runs/" + name : a.out;
  const bool there = holds_run(run);
  if (there && !a.resume && !a.overwrite)
    throw mien::OptionError(mien::text(
        run.string(), " holds a run: go on with --resume, replace it with --overwrite, or choose another --out"));
  if (there && !a.resume)
    for (const char* file :
         {checkpoint_name, head_checkpoint_name, "model.safetensors", "model.h5", "confusion.csv", "summary.txt"})
      std::filesystem::remove(run / file);
  if (!a.resume) std::filesystem::remove(run / "history.csv");  // a run that was killed early left no checkpoint
  std::filesystem::create_directories(run);
  return run;
}

inline void write_file(const std::filesystem::path& path, const std::string& content) {
  std::ofstream file(path, std::ios::binary);
  if (!(file << content) || !file.flush()) throw mien::FileError(mien::text(path.string(), " cannot be written"));
}

/// The table of layers, into the run and, if asked for, to the output. A run that is taken up has it already, and keeps
/// it: whether its checkpoint is of this model is not known yet.
inline void write_summary(const RunArguments& a, const mien::Model<float>& model, const std::filesystem::path& run) {
  if (a.summary) std::cout << model.summary();
  if (!a.resume || !holds_run(run)) write_file(run / "summary.txt", model.summary());
}

/// Without early stopping the best weights are kept all the same.
inline std::shared_ptr<mien::EarlyStopping> stopping(const RunArguments& a) {
  const int patience = a.early_stopping > 0 ? a.early_stopping : a.epochs + 1;
  return std::make_shared<mien::EarlyStopping>(mien::EarlyStopping{.patience = patience, .restore_best_weights = true});
}

/// Training to the end, unless the loss is no number any more: early stopping, a falling learning rate, a row of
/// history.csv and a checkpoint per epoch.
inline mien::FitOptions fit_options(const RunArguments& a, const Faces& faces, const std::filesystem::path& run,
                                    const mien::Callback& stop, const mien::CSVLogger& rows = {.first_epoch = 1}) {
  using namespace mien;
  FitOptions options{.batch_size = a.batch_size, .epochs = a.epochs, .validation_data = faces.validation};
  if (a.class_weights) options.class_weight = faces.train.class_weights();
  options.callbacks.push_back(stop);
  if (a.reduce_lr > 0) options.callbacks.emplace_back(ReduceLROnPlateau{.patience = a.reduce_lr});
  CSVLogger logger = rows;
  logger.filename = (run / "history.csv").string();
  options.callbacks.emplace_back(logger);
  options.callbacks.emplace_back(TerminateOnNaN{});
  options.checkpoint = checkpoint({.path = run / checkpoint_name, .resume = a.resume});
  return options;
}

/// Two lines: the highest accuracy, and the epoch whose weights were kept. Epochs are printed from 1 on.
inline void print_result(const mien::History& history, int kept, const std::string& before = "") {
  if (history.epoch.empty()) {
    std::cout << "no epoch was trained\n";
    return;
  }
  const auto accuracy = history["val_accuracy"], loss = history["val_loss"];
  const int highest = history.best_epoch("val_accuracy");
  std::cout << before
            << format("highest val_accuracy %.4f in epoch %d\n", accuracy[row_of(history, highest)], highest + 1);
  std::cout << before
            << format("best epoch %d: val_accuracy %.4f, val_loss %.4f\n", kept + 1, accuracy[row_of(history, kept)],
                      loss[row_of(history, kept)]);
}

/// The model's file, Keras's if asked for, and the confusion matrix.
inline void finish_run(const RunArguments& a, mien::Model<float>& model, const mien::Dataset& validation,
                       const std::filesystem::path& run) {
  save(model, (run / "model.safetensors").string());
  if (a.keras) save_for_keras(model, run / "model.h5");
  const mien::ConfusionMatrix matrix = confusion(model, validation);
  write_file(run / "confusion.csv", matrix.to_csv());
  std::cout << matrix.to_string() << "run folder: " << run.string() << "\n";
}

}  // namespace emotions
