#include <algorithm>
#include <set>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include <mien/data/dataset.hpp>

using namespace mien;

namespace {

/// Picture i is filled with i; `counts` samples of each class, class after class.
Dataset pictures(const std::vector<int>& counts, std::vector<std::int64_t> identities = {}) {
  std::vector<int> labels;
  std::vector<std::string> names;
  for (std::size_t c = 0; c < counts.size(); ++c) {
    labels.insert(labels.end(), static_cast<std::size_t>(counts[c]), static_cast<int>(c));
    names.push_back(std::string(1, static_cast<char>('a' + c)));
  }
  std::vector<std::uint8_t> pixels;
  for (std::size_t i = 0; i < labels.size(); ++i) pixels.insert(pixels.end(), 12, static_cast<std::uint8_t>(i));
  return Dataset::from_pictures(std::move(pixels), {2, 2, 3}, labels, names, {}, std::move(identities));
}

std::vector<int> first_values(const Dataset& data) {
  std::vector<int> values;
  for (std::int64_t i = 0; i < data.size(); ++i) {
    std::vector<int> x(static_cast<std::size_t>(data.sample_shape().size()));
    data.read(i, x.data());
    values.push_back(x[0]);
  }
  return values;
}

}  // namespace

TEST_CASE("Dataset reads pictures as 0 to 255 and labels as one-hot vectors") {
  const Dataset data = pictures({3, 1, 200});
  CHECK(data.size() == 204);
  CHECK(data.sample_shape() == Shape{2, 2, 3});
  CHECK(data.target_shape() == Shape{3});
  std::vector<double> x(12), y(3);
  data.read(203, x.data());
  CHECK(x == std::vector<double>(12, 203.0));
  data.read_target(3, y.data());
  CHECK(y == std::vector<double>{0, 1, 0});
  CHECK(data.label(203) == 2);
  CHECK(data.file(0).empty());
  CHECK(data.identity(0) == -1);
  CHECK(data.class_names() == std::vector<std::string>{"a", "b", "c"});
  CHECK_THROWS_WITH_AS(data.read(204, x.data()), doctest::Contains("no sample 204, it has 204"), OptionError);
}

TEST_CASE("Dataset counts classes and weighs them by n / (classes * count)") {
  const Dataset data = pictures({6, 2, 0, 4});
  CHECK(data.class_counts() == std::vector<std::int64_t>{6, 2, 0, 4});
  CHECK(data.class_weights() == std::vector<double>{0.5, 1.5, 0.0, 0.75});
}

TEST_CASE("Dataset takes float samples with labels or float targets") {
  const Dataset labelled = Dataset::from_tensors(Tensor<float>({2, 3}, {1, 2, 3, 4, 5, 6}), {1, 0}, 2);
  CHECK(labelled.sample_shape() == Shape{3});
  CHECK(labelled.target_shape() == Shape{2});
  CHECK(labelled.class_names() == std::vector<std::string>{"0", "1"});
  const Dataset regression =
      Dataset::from_tensors(Tensor<float>({2, 1}, {1, 2}), Tensor<float>({2, 2}, {1, 2, 3, 4.5F}));
  std::vector<float> y(2);
  regression.read_target(1, y.data());
  CHECK(y == std::vector<float>{3, 4.5F});
  CHECK_FALSE(regression.has_labels());
  CHECK_THROWS_WITH_AS(static_cast<void>(regression.label(0)), doctest::Contains("label needs labels"), OptionError);
  CHECK_THROWS_AS(static_cast<void>(regression.class_counts()), OptionError);
}

TEST_CASE("Dataset names what does not fit") {
  CHECK_THROWS_WITH_AS(static_cast<void>(Dataset::from_pictures(std::vector<std::uint8_t>(11), {2, 2, 3}, {0}, {"a"})),
                       doctest::Contains("need 12 bytes of pixels, got 11"), ShapeError);
  CHECK_THROWS_AS(static_cast<void>(Dataset::from_pictures({}, {2, 2}, {}, {"a"})), ShapeError);
  CHECK_THROWS_WITH_AS(
      static_cast<void>(Dataset::from_pictures(std::vector<std::uint8_t>(8), {2, 2, 1}, {0, 1}, {"a"})),
      doctest::Contains("the label of sample 1 is 1"), OptionError);
  CHECK_THROWS_WITH_AS(
      static_cast<void>(Dataset::from_pictures(std::vector<std::uint8_t>(8), {2, 2, 1}, {0, 0}, {"a"}, {"f"})),
      doctest::Contains("2 samples, got 1"), OptionError);
  CHECK_THROWS_WITH_AS(static_cast<void>(Dataset::from_tensors(Tensor<float>({2, 3}), {0}, 1)),
                       doctest::Contains("(2, 3)"), ShapeError);
  CHECK_THROWS_AS(static_cast<void>(Dataset::from_tensors(Tensor<float>({2, 3}), Tensor<float>({3, 3}))), ShapeError);
  CHECK_THROWS_AS(static_cast<void>(Dataset::from_tensors(Tensor<float>({1, 3}), {-1}, 2)), OptionError);
}

TEST_CASE("subset and take keep order, repeat, and share the samples") {
  const Dataset data = pictures({5, 5});
  const Dataset some = data.subset({7, 0, 7, 3});
  CHECK(first_values(some) == std::vector<int>{7, 0, 7, 3});
  CHECK(first_values(some.subset({2, 1})) == std::vector<int>{7, 0});
  CHECK(first_values(data.take(2)) == std::vector<int>{0, 1});
  CHECK(data.take(100).size() == 10);
  CHECK(Dataset().empty());
  CHECK_THROWS_AS(static_cast<void>(data.subset({10})), OptionError);
  CHECK_THROWS_AS(static_cast<void>(data.take(-1)), OptionError);
}

TEST_CASE("split keeps class shares exactly where samples are independent") {
  const Dataset data = pictures({100, 40, 10});
  const auto [train, validation] = data.split(0.2, 3);
  CHECK(train.class_counts() == std::vector<std::int64_t>{80, 32, 8});
  CHECK(validation.class_counts() == std::vector<std::int64_t>{20, 8, 2});
  std::vector<int> all = first_values(train);
  const std::vector<int> held_out = first_values(validation);
  all.insert(all.end(), held_out.begin(), held_out.end());
  std::sort(all.begin(), all.end());
  CHECK(all == first_values(data));
  CHECK(first_values(data.split(0.2, 3).second) == held_out);
  CHECK(first_values(data.split(0.2, 4).second) != held_out);
}

TEST_CASE("split never has an identity in both parts, and class shares stay near") {
  std::vector<std::int64_t> identities;
  for (std::int64_t i = 0; i < 240; ++i) identities.push_back(i < 12 ? -1 : (i * 7919) % 31);
  const Dataset data = pictures({120, 80, 40}, identities);
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    const auto parts = data.split(0.25, seed);
    std::set<std::int64_t> in_train;
    for (std::int64_t i = 0; i < parts.first.size(); ++i) in_train.insert(parts.first.identity(i));
    for (std::int64_t i = 0; i < parts.second.size(); ++i)
      if (parts.second.identity(i) >= 0) CHECK(in_train.count(parts.second.identity(i)) == 0);
    const auto counts = parts.second.class_counts();
    for (std::size_t c = 0; c < 3; ++c) {
      const double share = static_cast<double>(counts[c]) / static_cast<double>(data.class_counts()[c]);
      CHECK(share == doctest::Approx(0.25).epsilon(0.2));
    }
  }
}

TEST_CASE("split refuses fractions and data that leave a part empty") {
  CHECK_THROWS_AS(static_cast<void>(pictures({4}).split(0.0)), OptionError);
  CHECK_THROWS_AS(static_cast<void>(pictures({4}).split(1.0)), OptionError);
  CHECK_THROWS_WITH_AS(static_cast<void>(pictures({4}, {5, 5, 5, 5}).split(0.5)),
                       doctest::Contains("leaves a part empty"), OptionError);
}
