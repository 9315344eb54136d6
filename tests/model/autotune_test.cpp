#include <doctest/doctest.h>

#include <atomic>
#include <cstring>
#include <thread>

#include "networks.hpp"

extern std::atomic<std::size_t> allocations, aligned_bytes;  // counting_new.cpp

using namespace mien;
using namespace networks;

namespace {

Model<float> tuned(int threads = 1, bool autotune = true) {
  Model<float> model(Sequential{Input({14, 14, 8}),
                                Conv2D{.filters = 16, .kernel_size = 3, .padding = Padding::same, .activation = relu},
                                SeparableConv2D{.filters = 16, .kernel_size = 3},
                                Conv2D{.filters = 16, .kernel_size = 3, .padding = Padding::same},
                                Conv2DTranspose{.filters = 4, .kernel_size = 3, .padding = Padding::same}, Flatten{},
                                Dense{.units = 3, .activation = softmax}},
                     {.seed = 4, .threads = threads, .autotune = autotune});
  model.compile({.optimizer = Adam{}, .loss = CategoricalCrossentropy{}});
  return model;
}

const Samples<float>& tuning_samples() {
  static const Samples<float> samples(6, {14, 14, 8}, 3);
  return samples;
}

Model<float> after_steps(Model<float> model, int steps) {
  for (int i = 0; i < steps; ++i) (void)model.train_on_batch(tuning_samples().x, tuning_samples().y);
  return model;
}

bool equal_bits(const Tensor<float>& a, const Tensor<float>& b) {
  return a.shape() == b.shape() && std::memcmp(a.data(), b.data(), a.span().size_bytes()) == 0;
}

/// The text with every line's algorithm replaced by `algorithm` where that is a row of the pass.
std::string all_by(const std::string& lines, const std::string& algorithm) {
  std::istringstream in(lines);
  std::string out;
  for (std::string line; std::getline(in, line);) {
    const std::size_t begin = line.find(' ') + 1;
    out += line.replace(begin, line.find(' ', begin) - begin, algorithm) + "\n";
  }
  return out;
}

}  // namespace

TEST_CASE("autotune measures each pass of each convolution once, in the first step that needs it") {
  Model<float> model = tuned();
  CHECK(model.tuned_algorithms().empty());
  model = after_steps(std::move(model), 1);
  const std::string first = model.tuned_algorithms();
  // Five convolutions, three passes, single pictures and batches.
  CHECK(std::count(first.begin(), first.end(), '\n') == 5 * 3 * 2);
  const std::size_t before = allocations;
  for (int i = 0; i < 3; ++i) (void)model.train_on_batch(tuning_samples().x, tuning_samples().y);
  CHECK(allocations == before);
  (void)model.test_on_batch(tuning_samples().x, tuning_samples().y);
  CHECK(model.tuned_algorithms() == first);

  (void)model.predict(tuning_samples().x);  // with prepared kernels, which nothing measured yet
  const std::string second = model.tuned_algorithms();
  CHECK(second.starts_with(first));
  CHECK(std::count(second.begin(), second.end(), '\n') ==
        5 * 3 * 2 + 4 * 2);  // a transposed convolution has no prepared form
  const Predictor<float> predict = model.predictor({.max_batch = 4});
  CHECK(model.tuned_algorithms() == second);
  std::vector<float> result(18);
  predict.predict_into(tuning_samples().x, result);
  const std::size_t predicted = allocations;
  predict.predict_into(tuning_samples().x, result);
  CHECK(allocations == predicted);
}

TEST_CASE("without autotune nothing is measured, and the bits are those of the cost model's choices") {
  Model<float> model = after_steps(tuned(1, false), 2);
  CHECK(model.tuned_algorithms().empty());
  CHECK_FALSE(model.autotune());
  CHECK_THROWS_WITH_AS(model.set_tuned_algorithms(""), doctest::Contains(".autotune = true"), OptionError);
}

TEST_CASE("results depend on the measured algorithms, not on the threads or on who measured") {
  const Model<float> one = after_steps(tuned(), 3);
  for (const int threads : {1, 2, 3, 7}) {
    Model<float> other = tuned(threads);
    other.set_tuned_algorithms(one.tuned_algorithms());
    CHECK(other.tuned_algorithms() == one.tuned_algorithms());
    other = after_steps(std::move(other), 3);
    CHECK(other.tuned_algorithms() == one.tuned_algorithms());
    CHECK(equal_bits(one.values().values(), other.values().values()));
  }
}

TEST_CASE("what the choices say is what runs, in training and in predictors") {
  Model<float> measured = after_steps(tuned(), 1);
  (void)measured.predictor({.max_batch = 6});
  const auto with = [&](const std::string& algorithm) {
    Model<float> model = tuned();
    model.set_tuned_algorithms(all_by(measured.tuned_algorithms(), algorithm));
    return after_steps(std::move(model), 3);
  };
  Model<float> winograd = with("winograd"), reference = with("reference"), implicit = with("implicit_gemm");
  CHECK_FALSE(equal_bits(winograd.values().values(), reference.values().values()));
  winograd.values() = reference.copy_values();
  const Tensor<float> a = winograd.predict(tuning_samples().x), b = reference.predict(tuning_samples().x);
  CHECK_FALSE(equal_bits(a, b));
  for (std::int64_t i = 0; i < a.size(); ++i) CHECK(a[i] == doctest::Approx(b[i]).epsilon(1e-4));

  const auto explained = [](const Model<float>& model) {
    return kernels::explain_choice(model.network().layers[1]->convolutions(6).front(), kernels::ConvPass::forward);
  };
  CHECK(explained(implicit).ends_with("forward: implicit_gemm; measured"));
  CHECK(explained(reference).ends_with("forward: reference; measured"));
}

TEST_CASE("a copy and a predictor know what the model has measured, and keep it") {
  Model<float> model = after_steps(tuned(), 1);
  const Model<float> copy = model;
  CHECK(copy.tuned_algorithms() == model.tuned_algorithms());
  const Predictor<float> predict = model.predictor({.max_batch = 6});
  const Tensor<float> before = predict(tuning_samples().x);
  const std::string all = model.tuned_algorithms();
  model.set_tuned_algorithms(all_by(all, "reference"));
  CHECK(copy.tuned_algorithms() == all);
  CHECK(equal_bits(predict(tuning_samples().x), before));
}

TEST_CASE("models that share their choices may measure in threads of their own") {
  Model<float> first = tuned(), second = first;
  std::thread other([&] { second = after_steps(std::move(second), 1); });
  first = after_steps(std::move(first), 1);
  other.join();
  CHECK(first.tuned_algorithms() == second.tuned_algorithms());
  CHECK(equal_bits(after_steps(first, 1).values().values(), after_steps(second, 1).values().values()));
}

TEST_CASE("choices that cannot be read, or name what there is not, are refused") {
  Model<float> model = after_steps(tuned(), 1);
  const std::string good = model.tuned_algorithms(), line = good.substr(0, good.find('\n'));
  CHECK_THROWS_WITH_AS(model.set_tuned_algorithms(all_by(good, "strassen")),
                       doctest::Contains("'strassen' was measured as the fastest for a convolution's pass forward, and "
                                         "this version of mien has only: depthwise"),
                       OptionError);
  for (const std::string& bad :
       {std::string("nonsense"), "sideways" + line.substr(line.find(' ')), line + " 7", line.substr(0, line.size() - 3),
        line + "x", std::string("forward im2col quick given") + line.substr(line.find("given") + 5)})
    CHECK_THROWS_WITH_AS(model.set_tuned_algorithms(bad), doctest::Contains("no measured algorithm can be read"),
                         OptionError);
  CHECK(model.tuned_algorithms() == good);
}
