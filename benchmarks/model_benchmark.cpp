// Training steps and predictions of whole networks: train/<model>/batch:B, predict/<model>/batch:B, in images per
// second.

#include <benchmark/benchmark.h>

#include <string>

#include <mien/mien.hpp>

using namespace mien;

namespace {

Model<float> build(const std::string& name) {
  Model<float> model(emotion_cnn(emotion_cnn_options(name)), {.seed = 1});
  model.compile({.optimizer = Adam{}, .loss = CategoricalCrossentropy{}, .metrics = {Accuracy{}}});
  return model;
}

Tensor<float> pictures(std::int64_t batch) {
  Tensor<float> x({batch, 48, 48, 3});
  Random random({.seed = 2});
  for (float& value : x) value = static_cast<float>(random.uniform());
  return x;
}

void train(benchmark::State& state, const std::string& name) {
  const std::int64_t batch = state.range(0);
  Model<float> model = build(name);
  const Tensor<float> x = pictures(batch);
  Tensor<float> y({batch, 3});
  for (std::int64_t i = 0; i < batch; ++i) y(i, i % 3) = 1;
  (void)model.train_on_batch(x, y);
  for (auto _ : state) benchmark::DoNotOptimize(model.train_on_batch(x, y).loss);
  state.counters["images/s"] =
      benchmark::Counter(static_cast<double>(batch), benchmark::Counter::kIsIterationInvariantRate);
}

void predict(benchmark::State& state, const std::string& name) {
  const std::int64_t batch = state.range(0);
  const Predictor<float> predictor = build(name).predictor({.max_batch = batch});
  const Tensor<float> x = pictures(batch);
  std::vector<float> p(static_cast<std::size_t>(3 * batch));
  predictor.predict_into(x, p);
  for (auto _ : state) predictor.predict_into(x, p);
  state.counters["images/s"] =
      benchmark::Counter(static_cast<double>(batch), benchmark::Counter::kIsIterationInvariantRate);
}

}  // namespace

int main(int argc, char** argv) {
  for (const std::string name : {"custom1", "custom2", "custom3"}) {
    benchmark::RegisterBenchmark(("train/" + name).c_str(), [=](auto& state) { train(state, name); })
        ->ArgName("batch")
        ->Arg(32)
        ->Unit(benchmark::kMillisecond)
        ->UseRealTime();
    benchmark::RegisterBenchmark(("predict/" + name).c_str(), [=](auto& state) { predict(state, name); })
        ->ArgName("batch")
        ->Arg(1)
        ->Arg(32)
        ->Unit(benchmark::kMillisecond)
        ->UseRealTime();
  }
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
  benchmark::RunSpecifiedBenchmarks();
}
