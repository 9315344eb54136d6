// Where a network's time and memory go.
//
//   profile_benchmark MODEL [BATCH]            Model::profile() and Model::memory()
//   profile_benchmark --steps N MODEL [BATCH]  N training steps and nothing else: for /usr/bin/time -v
//
// MODEL: custom1 custom2 custom3 vgg16 resnet50 vggface; BATCH: that of model_benchmark.

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "subjects.hpp"

using namespace mien_benchmark;

namespace {

void train(const Subject& subject, std::int64_t batch, int steps) {
  Model<float> model = build(subject);
  const Tensor<float> x = pictures(subject, batch), y = classes(batch);
  for (int i = 0; i < steps; ++i) std::printf("loss %.4f\n", model.train_on_batch(x, y).loss);
}

void profile(const Subject& subject, std::int64_t batch) {
  const Model<float> model = build(subject);
  const MemoryReport memory = model.memory(batch);
  std::printf("%s, instructions %s, %s", subject.name.c_str(), to_string(active_isa()),
              model.profile(batch).to_string().c_str());
  std::printf("MB: parameters %.1f, gradients %.1f, optimizer %.1f, arena %.1f, batches %.1f, together %.1f\n",
              static_cast<double>(memory.parameters) * 1e-6, static_cast<double>(memory.gradients) * 1e-6,
              static_cast<double>(memory.optimizer) * 1e-6, static_cast<double>(memory.activations) * 1e-6,
              static_cast<double>(memory.batches) * 1e-6, static_cast<double>(memory.total()) * 1e-6);
}

}  // namespace

int main(int argc, char** argv) try {
  std::vector<std::string> arguments(argv + 1, argv + argc);
  int steps = 0;
  if (arguments.size() > 1 && arguments[0] == "--steps") {
    steps = std::atoi(arguments[1].c_str());
    arguments.erase(arguments.begin(), arguments.begin() + 2);
  }
  const auto found = std::find_if(subjects().begin(), subjects().end(), [&](const Subject& subject) {
    return !arguments.empty() && subject.name == arguments[0];
  });
  const std::int64_t batch = arguments.size() > 1        ? std::atoll(arguments[1].c_str())
                             : found != subjects().end() ? found->train_batch
                                                         : 0;
  if (found == subjects().end() || batch < 1) {
    std::fprintf(stderr, "usage: profile_benchmark [--steps N] MODEL [BATCH]\n");
    return 2;
  }
  if (steps > 0)
    train(*found, batch, steps);
  else
    profile(*found, batch);
} catch (const Error& error) {
  std::fprintf(stderr, "profile_benchmark: %s\n", error.what());
  return 2;
}
