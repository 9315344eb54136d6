#include <doctest/doctest.h>

#include <cstring>
#include <sstream>
#include <stdexcept>

#include <mien/io.hpp>

#include "formats/temporary_folder.hpp"
#include "model/networks.hpp"
#include "stored_files.hpp"

using namespace mien;

namespace {

struct Killed : std::runtime_error {
  Killed() : std::runtime_error("killed") {}
};

/// Pictures of noise, and a part of them for validation.
struct Faces {
  Dataset train, validation;
};
const Faces& faces() {
  static const Faces all = [] {
    std::vector<std::uint8_t> pixels(30 * 10 * 10 * 3);
    Random random({.seed = 8});
    for (std::uint8_t& pixel : pixels) pixel = static_cast<std::uint8_t>(random.below(256));
    std::vector<int> labels;
    for (int i = 0; i < 30; ++i) labels.push_back(i % 3);
    const Dataset data = Dataset::from_pictures(std::move(pixels), {10, 10, 3}, labels, {"angry", "happy", "sad"});
    const auto [train, validation] = data.split(0.3, 1);
    return Faces{train, validation};
  }();
  return all;
}

/// Everything that draws random numbers, keeps statistics or has moments.
Model<float> fresh(std::uint64_t seed = 5, Optimizer optimizer = Adam{.learning_rate = 2e-3}, std::int64_t filters = 6,
                   bool autotune = false, Arithmetic second = Arithmetic::fast) {
  Model<float> model(
      Sequential{Input({10, 10, 3}), RandomFlip{}, RandomTranslation{.height_factor = 0.1, .width_factor = 0.1},
                 RandomRotation{.factor = 0.1}, Conv2D{.filters = 4, .kernel_size = 3}, BatchNormalization{},
                 Activation{.activation = relu}, Conv2D{.filters = filters, .kernel_size = 3, .arithmetic = second},
                 GlobalAveragePooling2D{}, Dropout{.rate = 0.25}, Dense{.units = 3, .activation = softmax}},
      {.seed = seed, .threads = 1, .preprocessing = {.scale = 1.0 / 255}, .autotune = autotune});
  model.compile({.optimizer = std::move(optimizer), .loss = CategoricalCrossentropy{}, .metrics = {Accuracy{}}});
  return model;
}

/// One process of a run: everything in it is made anew.
struct Process {
  Model<float> model;
  std::shared_ptr<EarlyStopping> stop;
  std::shared_ptr<ReduceLROnPlateau> plateau = std::make_shared<ReduceLROnPlateau>(
      ReduceLROnPlateau{.monitor = "loss", .factor = 0.5, .patience = 1, .min_delta = 0.05, .cooldown = 1});
  History history;

  explicit Process(EarlyStopping early, bool autotune = false)
      : model(fresh(5, Adam{.learning_rate = 2e-3}, 6, autotune)),
        stop(std::make_shared<EarlyStopping>(std::move(early))) {}

  /// Trains; `die_in` is an epoch at whose end the process dies, after the row of the log and before the checkpoint, or
  /// in whose third batch it does.
  void train(const TemporaryFolder& folder, int die_in = -1, bool in_batch = false) {
    LambdaCallback death;
    auto epoch_now = std::make_shared<int>(0);
    death.on_epoch_begin = [=](int epoch, TrainingControl&) { *epoch_now = epoch; };
    death.on_batch_end = [=](std::int64_t batch, const Logs&, TrainingControl&) {
      if (in_batch && *epoch_now == die_in && batch == 2) throw Killed();
    };
    death.on_epoch_end = [=](int epoch, const Logs&, TrainingControl&) {
      if (!in_batch && epoch == die_in) throw Killed();
    };
    history = model.fit(faces().train,
                        {.batch_size = 6,
                         .epochs = 4,
                         .verbose = Verbose::silent,
                         .callbacks = {stop, plateau, CSVLogger{.filename = (folder / "log.csv").string()}, death},
                         .validation_data = faces().validation,
                         .checkpoint = checkpoint({.path = folder / "run.safetensors"})});
  }
};

bool same_bits(const Tensor<float>& a, const Tensor<float>& b) {
  return a.shape() == b.shape() && std::memcmp(a.data(), b.data(), a.span().size_bytes()) == 0;
}

/// Weights, optimizer and counters.
bool same_training(const Model<float>& a, const Model<float>& b) {
  bool same = same_bits(a.values().values(), b.values().values()) && a.trainer().iterations == b.trainer().iterations &&
              a.trainer().learning_rate == b.trainer().learning_rate &&
              a.trainer().slots().size() == b.trainer().slots().size();
  for (std::size_t i = 0; same && i < a.trainer().slots().size(); ++i)
    same = same_bits(a.trainer().slots()[i].values(), b.trainer().slots()[i].values());
  return same;
}

/// The log without its last column, the seconds.
std::string without_seconds(const std::string& csv) {
  std::istringstream lines(csv);
  std::string out;
  for (std::string line; std::getline(lines, line);) out += line.substr(0, line.rfind(',')) + "\n";
  return out;
}

void check_equal(const Process& a, const Process& b) {
  CHECK(same_training(a.model, b.model));
  CHECK(a.history.epoch == b.history.epoch);
  REQUIRE(a.history.names() == b.history.names());
  for (const std::string& name : a.history.names())
    if (name != "seconds") CHECK(a.history[name] == b.history[name]);
  CHECK(a.stop->best == b.stop->best);
  CHECK(a.stop->best_epoch == b.stop->best_epoch);
  CHECK(a.stop->stopped_epoch == b.stop->stopped_epoch);
  CHECK(a.stop->wait == b.stop->wait);
  CHECK(a.stop->best_weights == b.stop->best_weights);
  CHECK(a.plateau->best == b.plateau->best);
  CHECK(a.plateau->wait == b.plateau->wait);
  CHECK(a.plateau->cooldown_counter == b.plateau->cooldown_counter);
}

}  // namespace

TEST_CASE("a run that died in any epoch ends with the bits of one that did not") {
  const EarlyStopping keeping{.patience = 100, .restore_best_weights = true}, not_keeping{.patience = 100},
      stopping{.min_delta = 10, .patience = 2, .restore_best_weights = true};
  for (const EarlyStopping& early : {keeping, not_keeping, stopping}) {
    const TemporaryFolder folder;
    Process whole(early);
    whole.train(folder);
    const std::string log = without_seconds(content(folder / "log.csv"));
    REQUIRE(whole.history.epoch.size() == (early.min_delta > 0 ? 3 : 4));
    REQUIRE(whole.model.trainer().learning_rate < 2e-3);
    for (const int epoch : {0, 1, 2})
      for (const bool in_batch : {false, true}) {
        const TemporaryFolder own;
        CHECK_THROWS_AS(Process(early).train(own, epoch, in_batch), Killed);
        CHECK(std::filesystem::exists(own / "run.safetensors") == (epoch > 0));
        Process second(early);
        second.train(own);
        check_equal(whole, second);
        CHECK(without_seconds(content(own / "log.csv")) == log);
      }
    Process again(early);  // nothing is left to train, and the best weights come back all the same
    again.train(folder);
    check_equal(whole, again);
  }
}

TEST_CASE("a run may die again and again, and be longer than first said") {
  const EarlyStopping keeping{.patience = 100, .restore_best_weights = true};
  const TemporaryFolder folder, own;
  Process whole(keeping);
  whole.train(folder);
  for (const int epoch : {0, 1, 1, 2, 3}) CHECK_THROWS_AS(Process(keeping).train(own, epoch, true), Killed);
  Process last(keeping);
  last.train(own);
  check_equal(whole, last);

  Model<float> model = fresh(), other = fresh();
  FitOptions options{
      .batch_size = 6, .epochs = 2, .verbose = Verbose::silent, .checkpoint = checkpoint({.path = own / "short"})};
  (void)model.fit(faces().train, options);
  Model<float> longer = fresh();
  options.epochs = 3;
  CHECK(longer.fit(faces().train, options).epoch == std::vector<int>{0, 1, 2});
  options.checkpoint = nullptr;
  (void)other.fit(faces().train, options);
  CHECK(same_training(longer, other));

  options.checkpoint = checkpoint({.path = own / "short", .resume = false});
  Model<float> afresh = fresh();
  CHECK(afresh.fit(faces().train, options).epoch.size() == 3);
  CHECK(same_training(afresh, other));
}

TEST_CASE("a run goes on with the algorithms that it has measured, to the bits of one that did not die") {
  const EarlyStopping keeping{.patience = 100, .restore_best_weights = true};
  const TemporaryFolder folder;
  CHECK_THROWS_AS(Process(keeping, true).train(folder, 1), Killed);
  // What the first epoch measured, turned into what no measurement would find: only the file can have said it.
  stored_files::change(folder / "run.safetensors", folder / "run.safetensors", [](auto& content) {
    std::string& lines = content.metadata.at("tuned_algorithms");
    std::string slow;
    std::istringstream in(lines);
    for (std::string line; std::getline(in, line);) {
      const std::size_t begin = line.find(' ') + 1;
      slow += line.replace(begin, line.find(' ', begin) - begin, "reference") + "\n";
    }
    lines = slow;
  });
  const TemporaryFolder own;
  std::filesystem::copy(folder / "run.safetensors", own / "run.safetensors");
  std::filesystem::copy(folder / "log.csv", own / "log.csv");
  Process whole(keeping, true);
  whole.train(folder);
  CHECK(whole.model.tuned_algorithms().find("forward reference ") != std::string::npos);
  CHECK(whole.model.tuned_algorithms().find(" implicit_gemm ") == std::string::npos);
  CHECK_THROWS_AS(Process(keeping, true).train(own, 2, true), Killed);
  Process second(keeping, true);
  (void)second.model.evaluate(faces().train);  // measures, and gives it up for the file's
  second.train(own);
  check_equal(whole, second);
  CHECK(second.model.tuned_algorithms() == whole.model.tuned_algorithms());
}

TEST_CASE("a checkpoint whose algorithms are not this version's, or of a run that measured none, is refused") {
  const TemporaryFolder folder;
  FitOptions options{.batch_size = 6, .epochs = 1, .verbose = Verbose::silent};
  const auto train = [&](const char* name, bool autotune) {
    Model<float> model = fresh(5, Adam{}, 6, autotune);
    options.checkpoint = checkpoint({.path = folder / name});
    (void)model.fit(faces().train, options);
  };
  train("tuned", true);
  train("plain", false);
  CHECK_THROWS_WITH_AS(train("plain", true),
                       doctest::Contains("'arithmetic fast', this one 'arithmetic fast, autotuned'"), OptionError);
  CHECK_THROWS_WITH_AS(train("tuned", false), doctest::Contains("it has 'arithmetic fast, autotuned'"), OptionError);
  const auto change = [&](const char* name, const char* to) {
    stored_files::change(folder / "tuned", folder / name, [&](auto& content) {
      std::string& lines = content.metadata.at("tuned_algorithms");
      const std::size_t begin = lines.find(' ') + 1;
      lines.replace(begin, lines.find(' ', begin) - begin, to);
    });
  };
  change("unknown", "strassen");
  CHECK_THROWS_WITH_AS(train("unknown", true), doctest::Contains("'strassen' was measured as the fastest"),
                       OptionError);
  change("damaged", "two words");
  CHECK_THROWS_WITH_AS(train("damaged", true), doctest::Contains("no measured algorithm can be read"), OptionError);
}

TEST_CASE("a checkpoint that is not of this run is refused, and nothing has changed") {
  const TemporaryFolder folder;
  FitOptions options{.batch_size = 6,
                     .epochs = 3,
                     .verbose = Verbose::silent,
                     .callbacks = {EarlyStopping{.monitor = "loss", .patience = 100, .restore_best_weights = true}},
                     .checkpoint = checkpoint({.path = folder / "good"})};
  Model<float> first = fresh();
  options.epochs = 1;
  (void)first.fit(faces().train, options);
  options.epochs = 3;
  const auto refused_by = [&](Model<float> model, const std::filesystem::path& path, const char* message) {
    options.checkpoint = checkpoint({.path = path});
    const Model<float> before = model;
    CHECK_THROWS_WITH_AS((void)model.fit(faces().train, options), doctest::Contains(message), Error);
    CHECK(same_training(model, before));
    CHECK(model.preprocessing() == before.preprocessing());
  };
  // Another model, another way to train it.
  refused_by(fresh(5, Adam{}, 5), folder / "good", "this one 'conv2d_1 Conv2D, of activation, filters 5,");
  refused_by(fresh(6), folder / "good", "it has 'seed 5', this one 'seed 6'");
  refused_by(fresh(5, SGD{}), folder / "good", "it has 'optimizer Adam, learning_rate 0.002,");
  refused_by(fresh(5, SGD{}), folder / "good", "this one 'optimizer SGD, ");
  refused_by(fresh(5, Adam{.learning_rate = 3e-3}), folder / "good", "this one 'optimizer Adam, learning_rate 0.003,");
  Model<float> frozen = fresh();
  frozen.freeze(named("conv2d"));
  refused_by(frozen, folder / "good", "this one 'conv2d/kernel (3, 3, 3, 4), frozen'");
  refused_by(fresh(5, Adam{}, 6, false, Arithmetic::strict), folder / "good", "arithmetic strict");

  // Other batches, other data.
  const FitOptions same = options;
  options.batch_size = 7;
  refused_by(fresh(), folder / "good", "it has 'batch size 6', this one 'batch size 7'");
  options = same;
  options.shuffle = false;
  refused_by(fresh(), folder / "good", "this one 'batch size 6, in order'");
  options = same;
  options.class_weight = {1, 2, 1};
  refused_by(fresh(), folder / "good", "it has 'class weights', this one 'class weights 1 2 1'");
  options = same;
  options.validation_data = faces().validation;
  refused_by(fresh(), folder / "good", "it has 'validation data none', this one 'validation data 9 samples of");
  options = same;
  Model<float> model = fresh();
  options.checkpoint = checkpoint({.path = folder / "good"});
  CHECK_THROWS_WITH_AS((void)model.fit(faces().validation, options),
                       doctest::Contains("this one 'training data 9 samples of (10, 10, 3), 3 angry, "), OptionError);

  // Damage, one entry after the other: whatever came before it has been read.
  const auto refused = [&](const char* message, const std::function<void(stored_files::Content&)>& edit) {
    stored_files::change(folder / "good", folder / "bad", edit);
    refused_by(fresh(), folder / "bad", message);
  };
  const auto entry = [](const char* name, const char* value) {
    return [=](auto& content) { content.metadata.at(name) = value; };
  };
  refused("MIEN_ISA=mmx", entry("isa", "mmx"));
  refused("is not a checkpoint of mien", entry("format", "mien"));
  refused("stands after epoch -1", entry("epoch", "-1"));
  refused("'epoch' should be a whole number, got '1.5'", entry("epoch", "1.5"));
  refused("'stopping' should be true or false, got 'perhaps'", entry("stopping", "perhaps"));
  refused("'learning_rate': expected a number such as", entry("learning_rate", "fast"));
  refused("'weights' has 4 bytes", [](auto& content) {
    content.tensors.at("weights") = {DType::u8, Shape{4}, std::vector<std::byte>(4)};
  });
  for (const char* tensor : {"weights", "slot_0", "slot_1", "history/epoch", "history/loss", "callback_0/best_weights"})
    refused(text("has no '", tensor, "'").c_str(), [&](auto& content) { content.tensors.erase(tensor); });
  refused("0 values for 1 epochs", [](auto& content) {
    content.tensors.at("history/loss") = {DType::u8, Shape{0}, {}};
  });
  refused("of other callbacks", [](auto& content) { content.metadata.erase("callback_0/wait"); });

  const std::string whole = content(folder / "good");
  for (std::size_t length = 0; length < whole.size(); length += 1 + whole.size() / 20) {
    set_content(folder / "bad", whole.substr(0, length));
    refused_by(fresh(), folder / "bad", "bad'");
  }
  options.checkpoint = checkpoint({.path = folder / "good"});
  Model<float> second = fresh();
  CHECK(second.fit(faces().train, options).epoch.size() == 3);
}
