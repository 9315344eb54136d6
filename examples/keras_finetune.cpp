// Fine-tunes a whole model of Keras to the classes of a folder: what comes before its last layer with weights is kept,
// a new head is trained on it, then everything, slowly.

#include "emotions_keras.hpp"

using namespace mien;

namespace {

struct Arguments {
  std::string file, data, features, out = "fine-tuned.safetensors";
  int head_epochs = 2, epochs = 5, threads = 0;
  std::int64_t batch_size = 64;
  double learning_rate = 1e-3;
  std::uint64_t seed = 0;
  bool for_keras = false;
  emotions::KerasArguments keras;
};

void add_options(CLI::App& app, Arguments& a) {
  app.add_option("--model", a.file, "a whole model of Keras (.h5, .hdf5, .keras)")->required();
  app.add_option("--data", a.data, "folder with train/ and validation/, each with a folder of pictures per class")
      ->required();
  app.add_option("--features", a.features,
                 "the layer whose output the new head reads; default: what the last layer with weights reads");
  emotions::add_whole(app, "--head-epochs", a.head_epochs, 0, "of the new head alone")->capture_default_str();
  emotions::add_whole(app, "--epochs", a.epochs, 0, "of everything")->capture_default_str();
  emotions::add_batch_size(app, a.batch_size);
  emotions::add_rate(app, "--learning-rate", a.learning_rate, "of the head; everything learns at a tenth of it");
  emotions::add_whole(app, "--seed", a.seed, 0)->capture_default_str();
  emotions::add_threads(app, a.threads);
  app.add_option("--out", a.out, "the file that is written")->capture_default_str();
  emotions::add_keras_option(app, a.for_keras);
  a.keras.add_options(app);
}

/// Where the model goes for Keras: model.h5 beside --out. Throws OptionError if that is the model to be fine-tuned, or
/// --out itself.
std::filesystem::path keras_copy_of(const Arguments& a) {
  const std::filesystem::path copy = std::filesystem::path(a.out).replace_filename("model.h5");
  std::error_code none;
  if (a.for_keras && std::filesystem::equivalent(copy, a.file, none))
    throw OptionError(text("--keras would replace '", a.file, "': choose an --out in another folder"));
  if (a.for_keras && copy.lexically_normal() == std::filesystem::path(a.out).lexically_normal())
    throw OptionError(text("--keras writes '", copy.string(), "', and so does --out: choose another name for it"));
  return copy;
}

/// The output that the new head reads.
Node features_of(const Model<float>& model, const std::string& name) {
  const Topology& graph = model.network().graph;
  if (!name.empty()) return graph.nodes[static_cast<std::size_t>(model.network().find(name))];
  if (model.parameters().empty()) throw OptionError("the model has no weights");
  const int last = model.parameters().back().node;
  return graph.nodes[static_cast<std::size_t>(graph.inputs[static_cast<std::size_t>(last)].front())];
}

/// "head", or "head_1" and so on: no layer that the features come from has that name, or it with "_pool" behind.
std::string name_of_head(const Model<float>& from, const Node& features) {
  const std::vector<std::string> names = sort_graph(from.network().graph.nodes.front(), features).names;
  const auto taken = [&](const std::string& name) {
    return std::find(names.begin(), names.end(), name) != names.end();
  };
  std::string head = "head";
  for (int i = 1; taken(head) || taken(head + "_pool"); ++i) head = text("head_", i);
  return head;
}

/// The model up to there, with its weights, under a head of that many outputs.
Model<float> with_new_head(const Model<float>& from, const Node& features, const std::string& head, const Arguments& a,
                           const std::vector<std::string>& classes) {
  Node y = features;
  if (y.shape().rank() == 3) y = GlobalAveragePooling2D{.name = head + "_pool"}(y);
  y = Dense{.units = static_cast<std::int64_t>(classes.size()), .activation = softmax, .name = head}(y);
  Preprocessing preprocessing = from.preprocessing();
  preprocessing.classes = classes;
  Model<float> model(from.network().graph.nodes.front(), y,
                     {.seed = a.seed, .threads = a.threads, .preprocessing = preprocessing});
  for (const Parameter& own : model.parameters()) {
    if (own.node == model.parameters().back().node) continue;
    const TensorView<const float> values = from.parameter(own.name);
    std::copy(values.begin(), values.end(), model.parameter(own.name).begin());
  }
  return model;
}

void train(Model<float>& model, const Arguments& a, const emotions::Faces& faces, int epochs, double learning_rate) {
  model.compile(
      {.optimizer = Adam{.learning_rate = learning_rate}, .loss = CategoricalCrossentropy{}, .metrics = {Accuracy{}}});
  const auto stop = std::make_shared<EarlyStopping>(
      EarlyStopping{.monitor = "val_accuracy", .patience = epochs + 1, .restore_best_weights = true});
  const History history = model.fit(faces.train, {.batch_size = a.batch_size,
                                                  .epochs = epochs,
                                                  .callbacks = {stop, TerminateOnNaN{}},
                                                  .validation_data = faces.validation});
  emotions::require_finite(history, stop->best_epoch);
}

/// Makes the folder that --out is in, before the hours of training and not after them.
void prepare_out(const std::filesystem::path& out) {
  if (std::filesystem::is_directory(out))
    throw OptionError(text("--out is the file that is written, but '", out.string(), "' is a folder"));
  if (out.has_parent_path()) std::filesystem::create_directories(out.parent_path());
}

void run(const Arguments& a) {
  const std::string train_folder = emotions::part_of(a.data, "train");
  const std::string validation_folder = emotions::part_of(a.data, "validation");
  const std::filesystem::path copy = keras_copy_of(a);
  if (train_folder == validation_folder)
    throw OptionError(text("--data: '", a.data, "' has no train/ and validation/ with the classes' folders in them"));
  const auto original = emotions::load_keras_model_of_pictures(a.file, a.keras, a.threads);
  emotions::Faces faces{emotions::pictures_of(original, train_folder, {}), {}};
  emotions::require_classes(faces.train, train_folder);
  faces.validation = emotions::pictures_of(original, validation_folder, faces.train.class_names());
  const Node features = features_of(original, a.features);
  const std::string head = name_of_head(original, features);
  auto model = with_new_head(original, features, head, a, faces.train.class_names());
  model.freeze([&](std::string_view name) { return name != head; });
  prepare_out(a.out);  // after all that may be refused
  if (a.head_epochs > 0) train(model, a, faces, a.head_epochs, a.learning_rate);
  model.unfreeze(all_layers());
  if (a.epochs > 0) train(model, a, faces, a.epochs, a.learning_rate / 10);
  save(model, a.out);
  if (a.for_keras) emotions::save_for_keras(model, copy);
  std::cout << emotions::confusion(model, faces.validation).to_string();
  const Logs result = model.evaluate(faces.validation);
  std::cout << emotions::format("%lld pictures: accuracy %.4f; written to %s\n",
                                static_cast<long long>(faces.validation.size()), *result.get("accuracy"),
                                a.out.c_str());
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app{"Fine-tunes a model of Keras to the classes of a folder of pictures.", "keras_finetune"};
  Arguments arguments;
  add_options(app, arguments);
  return emotions::run(app, argc, argv, [&] {
    if (arguments.head_epochs + arguments.epochs < 1)
      throw OptionError("there is nothing to train: give --head-epochs or --epochs");
    run(arguments);
  });
}
