#include <doctest/doctest.h>

#include <algorithm>
#include <string>
#include <vector>

#include <mien/core/loop_clock.hpp>

#include "networks.hpp"

using namespace mien;
using namespace networks;

namespace {

const ProfileRow& row_of(const PassProfile& profile, const std::string& layer, const std::string& pass) {
  const auto found = std::find_if(profile.rows.begin(), profile.rows.end(),
                                  [&](const ProfileRow& row) { return row.layer == layer && row.pass == pass; });
  REQUIRE(found != profile.rows.end());
  return *found;
}

void check_times(const PassProfile& profile) {
  for (const ProfileRow& row : profile.rows) {
    CAPTURE(row.layer);
    CHECK(row.seconds > 0);
    CHECK(row.kernel_seconds >= 0);
    CHECK(row.kernel_seconds <= row.seconds);
    CHECK(row.balance > 0);
    CHECK(row.balance <= 1);
  }
  CHECK(profile.outside_seconds() == doctest::Approx(profile.seconds() - profile.kernel_seconds()));
}

}  // namespace

TEST_CASE("a profile has a row for every step of training and of prediction") {
  Model<float> model(small_emotion_cnn(), {.threads = 2});
  const Profile before = model.profile(3, 2);
  CHECK(before.training.empty());
  CHECK(before.batch_size == 3);
  CHECK(before.threads == 2);
  model.compile({.optimizer = Adam{}, .loss = CategoricalCrossentropy{}, .metrics = {Accuracy{}}});
  const Profile profile = model.profile(3, 3);
  check_times(profile.training);
  check_times(profile.prediction);
  std::vector<std::string> order;
  for (const ProfileRow& row : profile.training.rows)
    if (row.pass.empty()) order.push_back(row.layer);
  CHECK(order == std::vector<std::string>{"loss", "metrics", "optimizer"});
  CHECK(profile.training.rows.front().layer == "conv_layer_1a");
  CHECK(profile.training.rows.back().layer == "optimizer");
  const ProfileRow& folded = row_of(profile.prediction, "conv_layer_1b", "forward");
  CHECK(folded.merged == std::vector<std::string>{"batch_normalization", "activation"});
  CHECK(row_of(profile.training, "conv_layer_1b", "forward").merged.empty());
  CHECK(row_of(profile.training, "batch_normalization", "forward").merged ==
        std::vector<std::string>{"activation", "pool_layer_1"});
}

TEST_CASE("a profile counts operations and bytes") {
  Model<float> model(small_emotion_cnn(36), {.threads = 1});
  model.compile({.optimizer = SGD{.momentum = 0.9}, .loss = CategoricalCrossentropy{}});
  const Profile profile = model.profile(2, 1);
  const double conv = 2.0 * 2 * 32 * 32 * 4 * 9 * 4;  // 4 filters of 3 x 3 x 4 on 34 x 34 pixels, 2 pictures
  CHECK(row_of(profile.training, "conv_layer_1b", "forward").flop == conv);
  CHECK(row_of(profile.training, "conv_layer_1b", "backward").flop == 2 * conv);
  const ProfileRow& first = row_of(profile.training, "conv_layer_1a", "backward");
  CHECK(first.flop == 2.0 * 2 * 34 * 34 * 4 * 9 * 3);  // nobody wants the gradient by the picture
  CHECK(row_of(profile.prediction, "conv_layer_1b", "forward").bytes ==
        4.0 * (2 * 34 * 34 * 4 + 2 * 32 * 32 * 4 + 9 * 4 * 4 + 4));
  double learning = 0;
  for (const Parameter& parameter : model.parameters())
    if (!parameter.statistic) learning += static_cast<double>(parameter.shape.size());
  CHECK(profile.training.rows.back().bytes == 4 * learning * 5);  // g, w and v read, w and v written
}

TEST_CASE("a profile leaves the model and the thread as they were") {
  Model<float> model = every_layer(2);
  const Tensor<float> x = Samples<float>(4, {12, 12, 3}, 3, 255).x;
  const Tensor<float> before = model.predict(x);
  const Profile profile = model.profile(4, 1);
  CHECK(std::ranges::equal(model.predict(x).span(), before.span()));
  CHECK(model.trainer().iterations == 0);
  CHECK(detail::loop_clock() == nullptr);
  check_times(profile.training);
}

TEST_CASE("a profile as a table") {
  Model<float> model(small_emotion_cnn(), {.threads = 1});
  model.compile({.optimizer = Adam{}, .loss = CategoricalCrossentropy{}});
  const std::string table = model.profile(1, 1).to_string();
  for (const char* part :
       {"batch 1, 1 thread\n", "training step", "conv_layer_1b, backward", "optimizer", "prediction",
        "conv_layer_1b + batch_normalization + activation, forward", "GFLOP/s", "outside the kernels"})
    CHECK(table.find(part) != std::string::npos);
}

TEST_CASE("a profile of no samples, of no repetition, of more than a predictor takes") {
  const Model<float> model(small_emotion_cnn());
  CHECK_THROWS_AS((void)model.profile(0), OptionError);
  CHECK_THROWS_AS((void)model.profile(1, 0), OptionError);
  CHECK_THROWS_AS((void)model.predictor({.max_batch = 2}).profile(3), OptionError);
}

TEST_CASE("kernel time is that of the thread with most to do, without what surrounds the loop") {
  detail::LoopClock clock;
  detail::loop_clock() = &clock;
  parallel_for(2, 2, [](std::int64_t task, int) {
    const std::int64_t until = detail::nanoseconds() + (task + 1) * 1'000'000;
    while (detail::nanoseconds() < until) {
    }
    parallel_for(1, 1, [](std::int64_t, int) {});  // belongs to the loop around it
  });
  parallel_for(2, 1, [](std::int64_t, int) {});  // one task needs no second thread
  detail::loop_clock() = nullptr;
  CHECK(clock.loops == 2);
  CHECK(clock.regions <= 1);
  CHECK(clock.longest >= 2'000'000);
  CHECK(clock.work >= 3'000'000);
  CHECK(clock.work <= clock.offered);
}
