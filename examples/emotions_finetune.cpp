// Fine-tunes VGG16, VGGFace or ResNet50 to read emotions, in two stages, and leaves a run folder like emotions_train's:
//
//     head      the base is frozen; a new dense layer on its average pooling is trained
//     finetune  the last block of the base learns too, with a smaller learning rate
//
// While the base is frozen its outputs for a picture never change: without augmentation they are computed once, and the
// head is trained on them, which is many times faster.

#include <chrono>
#include <memory>
#include <optional>
#include <set>

#include "emotions_run.hpp"

using namespace mien;

namespace {

struct Arguments : emotions::RunArguments {
  std::string model = "vgg16", weights, unfreeze;
  int head_epochs = 10;
  double head_learning_rate = 1e-3, dropout = 0;
  bool torchvision = false;
};

void add_options(CLI::App& app, Arguments& a) {
  app.add_option("--model", a.model, "vgg16, vggface or resnet50")->capture_default_str();
  app.add_option("--weights", a.weights, "file with the base's weights; without one the base is as it was drawn");
  app.add_flag("--torchvision", a.torchvision,
               "the weights are torchvision's: pixels are prepared as it does, and ResNet50 is its v1.5");
  emotions::add_data_options(app, a);
  emotions::add_whole(app, "--head-epochs", a.head_epochs, 0, "of the first stage")->capture_default_str();
  emotions::add_rate(app, "--head-learning-rate", a.head_learning_rate, "of Adam in the first stage");
  app.add_option("--dropout", a.dropout, "before the new dense layer; 0: none")
      ->capture_default_str()
      ->check(emotions::number_check<double>("a number from 0 to 0.99", [](double p) { return p >= 0 && p <= 0.99; }));
  app.add_option("--unfreeze", a.unfreeze,
                 "beginning of the names of the layers that the second stage trains; by default the last block's");
  emotions::add_training_options(app, a);
}

/// A base, and how the names of its last block begin.
struct Base {
  Application network;
  std::string last_block;
};

/// `start` is what it stands on, or nothing.
Base base_for(const Arguments& a, const Shape& shape, const std::optional<Node>& start) {
  const auto prepared = [&](Application network) {
    if (a.torchvision) network.preprocessing = torch_preprocessing();
    return network;
  };
  if (a.model == "vgg16")
    return {prepared(vgg16({.include_top = false, .input_tensor = start, .input_shape = shape, .pooling = "avg"})),
            "block5_"};
  if (a.model == "vggface" && a.torchvision) throw OptionError("--torchvision: torchvision has no VGGFace");
  if (a.model == "vggface")
    return {vggface({.include_top = false, .input_tensor = start, .input_shape = shape, .pooling = "avg"}), "conv5_"};
  if (a.model == "resnet50")
    return {prepared(resnet50({.include_top = false,
                               .input_tensor = start,
                               .input_shape = shape,
                               .pooling = "avg",
                               .stride_in_3x3 = a.torchvision,
                               .epsilon = a.torchvision ? 1e-5 : ResNet50Options{}.epsilon})),
            "conv5_block3_"};
  throw OptionError(text("unknown model '", a.model, "': expected vgg16, vggface or resnet50"));
}

/// Early stopping of the second stage. What it looks for is the best epoch of the whole run: it begins with the first
/// stage's, whose weights the model has then, and holds that stage's epochs, so that a run that is taken up knows them.
struct SecondStopping : EarlyStopping {
  History head{};
  int head_epoch = -1;    ///< the best of them; -1: there was no first stage
  double head_value = 0;  ///< what is monitored, of that epoch

  void on_train_begin(TrainingControl& control) {
    EarlyStopping::on_train_begin(control);
    if (head_epoch < 0) return;
    best = head_value;
    best_weights = control.weights();
  }
  void visit_state(StateVisitor& visit) {
    EarlyStopping::visit_state(visit);
    head.visit_state(visit);
    visit("head_epoch", head_epoch);
  }

  /// The epochs of both stages, those of the second counted from `first` on.
  [[nodiscard]] History whole(const History& second, int first) const {
    History all = head;
    for (std::size_t i = 0; i < second.epoch.size(); ++i) {
      Logs logs;
      for (const History::Column& column : second.columns) logs.set(column.name, column.values[i]);
      all.append(first + second.epoch[i], logs);
    }
    return all;
  }
  [[nodiscard]] int kept(int first) const { return best_epoch >= 0 ? first + best_epoch : head_epoch; }
};

class FineTuning {
 public:
  explicit FineTuning(const Arguments& a)
      : a_(a),
        faces_(emotions::load_faces(a)),
        base_(base_for(a, faces_.train.sample_shape(), {})),
        alone_(Model<float>(base_.network, {.seed = a.seed, .threads = a.threads})),
        whole_(build_whole()) {
    if (!a.weights.empty()) take_weights();
    copy_weights(*alone_, whole_);
    (void)whole_.unfreeze(prefixed(unfrozen()));  // a name that no layer has is refused before anything is written
    freeze_base();
    run_ = emotions::prepare_run(a, text("finetune-", a.model));
  }

  void run() {
    emotions::write_summary(a_, whole_, run_);
    emotions::print_faces(faces_);
    if (a_.weights.empty()) std::cout << "no --weights: the base is as it was drawn, and its features know no faces\n";
    const bool second_stage_has_begun = a_.resume && std::filesystem::exists(run_ / emotions::checkpoint_name);
    if (a_.head_epochs > 0 && !second_stage_has_begun) train_head();
    train_last_block();
  }

 private:
  /// The base's weights from a file of any format. A top that the file has beside is left there; the base must be
  /// whole.
  void take_weights() {
    const WeightReport report = load_weights(*alone_, a_.weights, {.strict = false, .print_to = nullptr});
    if (!report.missing.empty())
      throw FileError(text("'", a_.weights, "' does not fit ", a_.model, ": ", report.missing.size(),
                           " of its parameters are missing in the file, the first '", report.missing[0].name, "' ",
                           report.missing[0].shape));
    if (report.matched_by.starts_with("torchvision") && !a_.torchvision)
      throw OptionError(text("'", a_.weights, "' has torchvision's names: say --torchvision, so that pictures are ",
                             "prepared as torchvision does"));
    std::cout << "weights: " << report.matched.size() << " parameters from a file of " << report.format << ", by "
              << report.matched_by << "\n";
    for (const std::string& note : report.notes) std::cout << "weights: " << note << "\n";
    take_preprocessing(report);
  }
  /// Pixels are prepared as those were that the weights were trained on. A file of mien says how; of another's the
  /// reader knows, and is told what is taken for granted.
  void take_preprocessing(const WeightReport& report) {
    Preprocessing pixels = alone_->preprocessing();
    if (report.preprocessing && report.preprocessing->changes_pixels()) {
      pixels = *report.preprocessing;
      if (a_.torchvision && pixels != torch_preprocessing())
        throw OptionError(text("--torchvision: the model in '", a_.weights, "' took ", emotions::pixel_formula(pixels),
                               ", and so is none of torchvision's"));
      alone_->set_preprocessing(pixels);
      pixels.classes = whole_.preprocessing().classes;
      whole_.set_preprocessing(pixels);
    }
    std::cout << "weights: taken to be trained on " << emotions::pixel_formula(pixels) << " of pixels in 0 ... 255"
              << (report.preprocessing || a_.torchvision ? "" : "; torchvision's need --torchvision") << "\n";
  }
  [[nodiscard]] Node head(const Node& features) const {
    const Node y = a_.dropout > 0 ? Dropout{.rate = a_.dropout, .name = "head_dropout"}(features) : features;
    return Dense{.units = static_cast<std::int64_t>(faces_.train.class_names().size()),
                 .activation = softmax,
                 .name = "emotion"}(y);
  }
  [[nodiscard]] Model<float> build_whole() const {
    const Node pictures = Input(faces_.train.sample_shape());
    const Application base =
        base_for(a_, pictures.shape(), a_.augment ? face_augmentation(pictures) : pictures).network;
    Preprocessing preprocessing = base.preprocessing;
    preprocessing.classes = faces_.train.class_names();
    return Model<float>(pictures, head(base.output),
                        {.seed = a_.seed,
                         .name = base.name + "_emotions",
                         .threads = a_.threads,
                         .preprocessing = std::move(preprocessing)});
  }
  [[nodiscard]] std::string unfrozen() const { return a_.unfreeze.empty() ? base_.last_block : a_.unfreeze; }
  void freeze_base() {
    whole_.freeze([](std::string_view layer) { return layer != "emotion"; });
  }
  [[nodiscard]] static CompileOptions compile_options(double learning_rate) {
    return {
        .optimizer = Adam{.learning_rate = learning_rate}, .loss = CategoricalCrossentropy{}, .metrics = {Accuracy{}}};
  }

  /// The base's outputs for every picture, with the pictures' classes.
  [[nodiscard]] Dataset features_of(const Dataset& pictures) {
    std::vector<int> labels;
    for (std::int64_t i = 0; i < pictures.size(); ++i) labels.push_back(pictures.label(i));
    return Dataset::from_tensors(alone_->predict(pictures, {.batch_size = a_.batch_size}), std::move(labels),
                                 static_cast<int>(pictures.class_names().size()));
  }

  void train_head() {
    if (a_.augment) {
      std::cout << "stage head: the base is frozen, and runs in every step because the pictures are augmented\n";
      fit_head(whole_, faces_);
      return;
    }
    std::cout << "stage head: the base is frozen, so its features of all pictures are computed once and used in every "
                 "epoch"
              << std::endl;
    const auto start = std::chrono::steady_clock::now();
    const emotions::Faces features{features_of(faces_.train), features_of(faces_.validation)};
    const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
    std::cout << emotions::format("features of %lld pictures in %.1f s\n",
                                  static_cast<long long>(features.train.size() + features.validation.size()),
                                  seconds.count());
    const Node x = Input(features.train.sample_shape());
    Model<float> model(x, head(x), {.seed = a_.seed, .name = "head", .threads = a_.threads});
    fit_head(model, features);
    copy_weights(model, whole_);
  }

  void fit_head(Model<float>& model, const emotions::Faces& data) {
    model.compile(compile_options(a_.head_learning_rate));
    const auto rows = std::make_shared<CSVLogger>(CSVLogger{
        .filename = (run_ / "history.csv").string(), .first_epoch = 1, .label_name = "stage", .label = "head"});
    const auto stop = std::make_shared<EarlyStopping>(
        EarlyStopping{.patience = a_.head_epochs + 1, .restore_best_weights = true});  // it keeps, and never stops
    FitOptions options{.batch_size = a_.batch_size,
                       .epochs = a_.head_epochs,
                       .callbacks = {stop, rows, TerminateOnNaN{}},
                       .validation_data = data.validation,
                       .checkpoint = checkpoint({.path = run_ / emotions::head_checkpoint_name, .resume = a_.resume})};
    if (a_.class_weights) options.class_weight = data.train.class_weights();
    const History history = model.fit(data.train, options);
    emotions::require_finite(history, stop->best_epoch);
    // Rows of a second stage that was killed before its first checkpoint go: it starts afresh.
    if (rows->written >= 0)
      std::filesystem::resize_file(run_ / "history.csv", static_cast<std::uintmax_t>(rows->written));
    emotions::print_result(history, stop->best_epoch, "stage head: ");
    stopping_->head = history;
    stopping_->head_epoch = stop->best_epoch;
    stopping_->head_value = stop->best;
  }

  void train_last_block() {
    alone_.reset();
    whole_.unfreeze(prefixed(unfrozen()));
    whole_.compile(compile_options(a_.learning_rate));
    std::cout << "stage finetune: the " << layers_trained() << " layers " << unfrozen()
              << "... of the base are trained too; frozen batch normalisations stay in inference mode" << std::endl;
    const History second = whole_.fit(
        faces_.train,
        emotions::fit_options(
            a_, faces_, run_, stopping_,
            {.append = true, .first_epoch = a_.head_epochs + 1, .label_name = "stage", .label = "finetune"}));
    const History history = stopping_->whole(second, a_.head_epochs);
    const int kept = stopping_->kept(a_.head_epochs);
    emotions::require_finite(history, kept);
    emotions::finish_run(a_, whole_, faces_.validation, run_);
    emotions::print_result(history, kept);
  }

  /// Layers of the base with weights that are not frozen.
  [[nodiscard]] std::size_t layers_trained() const {
    std::set<int> nodes;
    for (const Parameter& parameter : whole_.parameters())
      if (whole_.is_trainable(parameter.node) && !parameter.name.starts_with("emotion/")) nodes.insert(parameter.node);
    return nodes.size();
  }

  const Arguments& a_;
  emotions::Faces faces_;
  Base base_;
  std::optional<Model<float>> alone_;  // the base by itself, for the features
  Model<float> whole_;
  std::filesystem::path run_;
  std::shared_ptr<SecondStopping> stopping_ = std::make_shared<SecondStopping>(SecondStopping{*emotions::stopping(a_)});
};

}  // namespace

int main(int argc, char** argv) {
  CLI::App app{"Fine-tunes a large network to read emotions in faces.", "emotions_finetune"};
  Arguments arguments;
  arguments.learning_rate = 1e-5;
  add_options(app, arguments);
  return emotions::run(app, argc, argv, [&] { FineTuning(arguments).run(); });
}
