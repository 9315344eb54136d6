// Gradients that take turns in one window.

#include <doctest/doctest.h>

#include <algorithm>
#include <cstring>
#include <functional>
#include <memory>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

#include <mien/mien.hpp>

#include "networks.hpp"

using namespace mien;

namespace {

/// Adam that is given all parameters at once.
struct PatientAdam {
  double learning_rate = 0.001;

  static constexpr const char* type = "PatientAdam";
  [[nodiscard]] int slots() const { return 2; }
  template <class T>
  void update(const OptimizerStep& step, std::span<const ParameterSegment<T>> parameters, int threads) const {
    Adam{.learning_rate = learning_rate}.update<T>(step, parameters, threads);
  }
};

/// More parameters than a window holds, in layers of several slices.
Model<float> wide_model(Optimizer optimizer) {
  const Initializer small = random_uniform(-0.02, 0.02);
  const Node x = Input({8});
  Node y = x;
  for (int i = 0; i < 4; ++i)
    y = Dense{.units = i == 3 ? 3 : 2048, .activation = i == 3 ? softmax : relu, .kernel_initializer = small}(y);
  Model<float> model(x, y, {.seed = 3, .threads = 2});
  model.compile({.optimizer = std::move(optimizer), .loss = CategoricalCrossentropy{}});
  return model;
}

bool faulty = false;  ///< what the layer below does

/// Passes its input on, or throws.
struct Faulty {
  std::string name{};

  static constexpr const char* type = "Faulty";
  [[nodiscard]] Shape output_shape(std::span<const Shape> inputs) const { return inputs[0]; }
  template <class T>
  [[nodiscard]] std::unique_ptr<Layer<T>> make(std::span<const Shape>) const;
  void visit_options(OptionVisitor&) {}
  [[nodiscard]] Node operator()(const Node& x) const { return apply(*this, {x}); }
};

template <class T>
class FaultyLayer final : public Layer<T> {
 public:
  void forward(const ForwardPass<T>& pass) const override {
    if (faulty) throw std::runtime_error("faulty");
    std::copy(pass.inputs[0].begin(), pass.inputs[0].end(), pass.output.begin());
  }
  void backward(const BackwardPass<T>& pass) const override {
    std::copy(pass.d_output.begin(), pass.d_output.end(), pass.d_inputs[0].begin());
  }
};

template <class T>
std::unique_ptr<Layer<T>> Faulty::make(std::span<const Shape>) const {
  return std::make_unique<FaultyLayer<T>>();
}

}  // namespace

TEST_CASE("a step that a layer's forward pass throws out of has not been") {
  const auto network = [] {
    const Node x = Input({6});
    const Node y = Faulty{}(Dropout{.rate = 0.5}(Dense{.units = 8, .activation = relu}(x)));
    Model<float> model(x, Dense{.units = 3, .activation = softmax}(y), {.seed = 5, .threads = 2});
    model.compile({.optimizer = Adam{}, .loss = CategoricalCrossentropy{}});
    return model;
  };
  const networks::Samples<float> samples(16, Shape{6}, 3);
  Model<float> interrupted = network(), left_alone = network();
  const auto same_bits = [&] {
    const auto a = interrupted.values().values().span(), b = left_alone.values().values().span();
    return std::memcmp(a.data(), b.data(), a.size_bytes()) == 0;
  };
  for (int step = 0; step < 3; ++step) {
    faulty = true;
    CHECK_THROWS_WITH(static_cast<void>(interrupted.train_on_batch(samples.x, samples.y)), "faulty");
    CHECK(same_bits());
    faulty = false;
    const double after = interrupted.train_on_batch(samples.x, samples.y).loss;
    CHECK(after == left_alone.train_on_batch(samples.x, samples.y).loss);
    CHECK(same_bits());
  }
}

TEST_CASE("slices are whole layers, the last first, and the gradients of one do not overlap") {
  const Sequential layers = networks::small_emotion_cnn();
  const Network<float> network(layers.input(), layers.output());
  const ParameterLayout<float> layout(network);
  for (const std::int64_t wanted : {std::int64_t{1}, std::int64_t{1000}, layout.gradient_size()}) {
    CAPTURE(wanted);
    const GradientWindow<float> window(layout, wanted);
    const auto slices = window.slices();
    REQUIRE(!slices.empty());
    CHECK((slices.size() == 1) == (wanted == layout.gradient_size()));
    CHECK(slices.front().last == layout.all().size());
    CHECK(slices.back().first == 0);
    const float* lowest = nullptr;
    for (std::size_t s = 0; s < slices.size(); ++s) {
      if (s > 0) CHECK(slices[s].last == slices[s - 1].first);
      std::vector<TensorView<float>> gradients;
      for (std::size_t i = slices[s].first; i < slices[s].last; ++i) {
        const Parameter& parameter = layout.all()[i];
        CHECK(window.slice_of(parameter.node) == s);
        CHECK(window[i].shape() == parameter.shape);
        CHECK((window[i].data() == nullptr) == parameter.statistic);
        if (!parameter.statistic) gradients.push_back(window[i]);
      }
      std::sort(gradients.begin(), gradients.end(),
                [](const auto& a, const auto& b) { return std::less<>()(a.data(), b.data()); });
      for (std::size_t i = 1; i < gradients.size(); ++i)
        CHECK(gradients[i].data() - gradients[i - 1].data() >= gradients[i - 1].size());
      if (lowest == nullptr) lowest = gradients.front().data();
      CHECK(gradients.front().data() == lowest);
      CHECK(gradients.back().end() - lowest <= static_cast<std::ptrdiff_t>(window.bytes() / sizeof(float)));
    }
  }
}

TEST_CASE("a parameter moves by the same bits in a window as with all others at once") {
  Model<float> in_turns = wide_model(Adam{}), at_once = wide_model(PatientAdam{});
  const MemoryReport few = in_turns.memory(4), all = at_once.memory(4);
  CHECK(few.gradients == GradientWindow<float>::enough * sizeof(float));
  CHECK(all.gradients > few.gradients);
  Tensor<float> x({4, 8}), y({4, 3});
  Random random({.seed = 1});
  for (float& value : x) value = static_cast<float>(random.uniform());
  for (std::int64_t n = 0; n < 4; ++n) y[n * 3 + n % 3] = 1;
  const std::vector<float> first(in_turns.values().values().begin(), in_turns.values().values().end());
  for (int step = 0; step < 3; ++step) {
    CHECK(in_turns.train_on_batch(x, y).loss == at_once.train_on_batch(x, y).loss);
    CHECK(std::ranges::equal(in_turns.values().values(), at_once.values().values()));
  }
  CHECK(!std::ranges::equal(in_turns.values().values(), first));
}

TEST_CASE("clipping by the norm of all gradients waits for all of them") {
  CHECK(Optimizer(Adam{})->per_parameter());
  CHECK(Optimizer(SGD{.clipnorm = 1})->per_parameter());
  CHECK(!Optimizer(AdamW{.global_clipnorm = 1})->per_parameter());
  CHECK(!Optimizer(PatientAdam{})->per_parameter());
}
