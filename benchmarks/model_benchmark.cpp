// Training steps and predictions of whole networks: train/<model>/batch:B, predict/<model>/batch:B, in images per
// second. vgg16 and resnet50 take 48 x 48 pixels, vggface 224 x 224; each has its three classes on average pooling.

#include <benchmark/benchmark.h>

#include <string>
#include <vector>

#include <mien/mien.hpp>

using namespace mien;

namespace {

/// A network of that name, and the batches that it is timed with. The batches of the large one are those that people
/// with a CPU can wait for.
struct Subject {
  std::string name;
  std::int64_t size = 48, train_batch = 32;
  std::vector<std::int64_t> predict_batches{1, 32};
};

const std::vector<Subject>& subjects() {
  static const std::vector<Subject> list{{"custom1"}, {"custom2"},  {"custom3"},
                                         {"vgg16"},   {"resnet50"}, {"vggface", 224, 8, {1, 8}}};
  return list;
}

Application base_named(const Subject& subject) {
  const Shape shape{subject.size, subject.size, 3};
  if (subject.name == "vgg16") return vgg16({.include_top = false, .input_shape = shape, .pooling = "avg"});
  if (subject.name == "vggface") return vggface({.include_top = false, .input_shape = shape, .pooling = "avg"});
  return resnet50({.include_top = false, .input_shape = shape, .pooling = "avg"});
}

Model<float> build(const Subject& subject) {
  const auto model = [&] {
    if (subject.name.starts_with("custom")) return Model<float>(emotion_cnn(emotion_cnn_options(subject.name)));
    const Application base = base_named(subject);
    return Model<float>(base.input, Dense{.units = 3, .activation = softmax}(base.output));
  };
  Model<float> built = model();
  built.compile({.optimizer = Adam{}, .loss = CategoricalCrossentropy{}, .metrics = {Accuracy{}}});
  return built;
}

Tensor<float> pictures(const Subject& subject, std::int64_t batch) {
  Tensor<float> x({batch, subject.size, subject.size, 3});
  Random random({.seed = 2});
  for (float& value : x) value = static_cast<float>(random.uniform());
  return x;
}

void count_images(benchmark::State& state, std::int64_t batch) {
  state.counters["images/s"] =
      benchmark::Counter(static_cast<double>(batch), benchmark::Counter::kIsIterationInvariantRate);
}

void train(benchmark::State& state, const Subject& subject) {
  const std::int64_t batch = state.range(0);
  Model<float> model = build(subject);
  const Tensor<float> x = pictures(subject, batch);
  Tensor<float> y({batch, 3});
  for (std::int64_t i = 0; i < batch; ++i) y(i, i % 3) = 1;
  (void)model.train_on_batch(x, y);
  for (auto _ : state) benchmark::DoNotOptimize(model.train_on_batch(x, y).loss);
  count_images(state, batch);
}

void predict(benchmark::State& state, const Subject& subject) {
  const std::int64_t batch = state.range(0);
  const Predictor<float> predictor = build(subject).predictor({.max_batch = batch});
  const Tensor<float> x = pictures(subject, batch);
  std::vector<float> p(static_cast<std::size_t>(3 * batch));
  predictor.predict_into(x, p);
  for (auto _ : state) predictor.predict_into(x, p);
  count_images(state, batch);
}

template <class Body>
void add(const std::string& name, const std::vector<std::int64_t>& batches, const Body& body) {
  for (const std::int64_t batch : batches)
    benchmark::RegisterBenchmark(name.c_str(), body)
        ->ArgName("batch")
        ->Arg(batch)
        ->Unit(benchmark::kMillisecond)
        ->UseRealTime();
}

}  // namespace

int main(int argc, char** argv) {
  for (const Subject& subject : subjects()) {
    add("train/" + subject.name, {subject.train_batch}, [=](auto& state) { train(state, subject); });
    add("predict/" + subject.name, subject.predict_batches, [=](auto& state) { predict(state, subject); });
  }
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
  benchmark::RunSpecifiedBenchmarks();
}
