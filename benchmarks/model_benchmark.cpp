// Training steps and predictions of whole networks: train/<model>/batch:B, predict/<model>/batch:B, in images per
// second. vgg16 and resnet50 take 48 x 48 pixels, vggface 224 x 224; each has its three classes on average pooling.

#include <benchmark/benchmark.h>

#include <string>
#include <vector>

#include "subjects.hpp"
#include "support.hpp"

using namespace mien_benchmark;

namespace {

void train(benchmark::State& state, const Subject& subject) {
  const std::int64_t batch = state.range(0);
  Model<float> model = build(subject);
  const Tensor<float> x = pictures(subject, batch), y = classes(batch);
  (void)model.train_on_batch(x, y);
  measure(state, "images/s", static_cast<double>(batch),
          [&] { benchmark::DoNotOptimize(model.train_on_batch(x, y).loss); });
}

void predict(benchmark::State& state, const Subject& subject) {
  const std::int64_t batch = state.range(0);
  const Predictor<float> predictor = build(subject).predictor({.max_batch = batch});
  const Tensor<float> x = pictures(subject, batch);
  std::vector<float> p(static_cast<std::size_t>(3 * batch));
  predictor.predict_into(x, p);
  measure(state, "images/s", static_cast<double>(batch), [&] { predictor.predict_into(x, p); });
}

template <class Body>
void add(const std::string& name, const std::vector<std::int64_t>& batches, const Body& body) {
  for (const std::int64_t batch : batches)
    benchmark::RegisterBenchmark(name.c_str(), body)->ArgName("batch")->Arg(batch)->Unit(benchmark::kMillisecond);
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
