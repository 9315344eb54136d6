#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <set>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include <mien/data/synthetic/faces.hpp>

using namespace mien;

namespace {

std::vector<std::uint8_t> bytes_of(const Dataset& data, std::int64_t i) {
  std::vector<std::uint8_t> x(static_cast<std::size_t>(data.sample_shape().size()));
  data.read(i, x.data());
  return x;
}

std::uint64_t fnv1a(const Dataset& data) {
  std::uint64_t hash = 14695981039346656037U;
  for (std::int64_t i = 0; i < data.size(); ++i)
    for (const std::uint8_t byte : bytes_of(data, i)) hash = (hash ^ byte) * 1099511628211U;
  return hash;
}

/// Softmax regression on pixels - 0.5 with plain gradient descent, sample by sample.
class LogisticRegression {
 public:
  LogisticRegression(std::int64_t pixels, int classes)
      : pixels_(static_cast<std::size_t>(pixels)),
        weights_(static_cast<std::size_t>(classes), std::vector<float>(pixels_ + 1)) {}

  void learn(const Dataset& data, float rate) {
    for (std::int64_t i = 0; i < data.size(); ++i) {
      const std::vector<float> x = features(data, i);
      std::vector<float> p = scores(x);
      const float highest = *std::max_element(p.begin(), p.end());
      float sum = 0;
      for (float& value : p) sum += value = std::exp(value - highest);
      for (std::size_t c = 0; c < p.size(); ++c) {
        const float step = rate * (p[c] / sum - (static_cast<int>(c) == data.label(i) ? 1.0F : 0.0F));
        for (std::size_t j = 0; j < x.size(); ++j) weights_[c][j] -= step * x[j];
      }
    }
  }

  [[nodiscard]] double accuracy(const Dataset& data) const {
    std::int64_t right = 0;
    for (std::int64_t i = 0; i < data.size(); ++i) {
      const std::vector<float> p = scores(features(data, i));
      right += std::max_element(p.begin(), p.end()) - p.begin() == data.label(i) ? 1 : 0;
    }
    return static_cast<double>(right) / static_cast<double>(data.size());
  }

 private:
  [[nodiscard]] std::vector<float> features(const Dataset& data, std::int64_t i) const {
    std::vector<float> x(pixels_ + 1, 1.0F);
    data.read(i, x.data());
    for (std::size_t j = 0; j < pixels_; ++j) x[j] = x[j] / 255 - 0.5F;
    return x;
  }
  [[nodiscard]] std::vector<float> scores(const std::vector<float>& x) const {
    std::vector<float> p;
    for (const auto& w : weights_) {
      float sum = 0;
      for (std::size_t j = 0; j < x.size(); ++j) sum += w[j] * x[j];
      p.push_back(sum);
    }
    return p;
  }

  std::size_t pixels_;
  std::vector<std::vector<float>> weights_;
};

}  // namespace

TEST_CASE("synthetic_faces gives classes in equal shares, pictures of one person in a row") {
  const Dataset data = synthetic_faces(24, 5);
  CHECK(data.sample_shape() == Shape{48, 48, 3});
  CHECK(data.class_names() == std::vector<std::string>{"angry", "happy", "sad"});
  CHECK(data.class_counts() == std::vector<std::int64_t>{8, 8, 8});
  CHECK(data.identity(3) == 0);
  CHECK(data.identity(4) == 1);
  CHECK(synthetic_faces(0, 5).empty());
}

TEST_CASE("synthetic_faces is a function of the seed, on every machine and for any number of threads") {
  const Dataset data = synthetic_faces(30, 7, {.mask_probability = 0.3, .threads = 1});
  CHECK(fnv1a(data) == 0xD8CBD84070E00576U);
  CHECK(fnv1a(synthetic_faces(30, 7, {.mask_probability = 0.3, .threads = 3})) == fnv1a(data));
  CHECK(fnv1a(synthetic_faces(40, 7, {.mask_probability = 0.3}).take(30)) == fnv1a(data));
  CHECK(fnv1a(synthetic_faces(30, 8, {.mask_probability = 0.3})) != fnv1a(data));
}

TEST_CASE("synthetic_faces draws each of the seven expressions its own way") {
  const std::vector<std::string> all{"angry", "disgust", "fear", "happy", "neutral", "sad", "surprise"};
  std::set<std::vector<std::uint8_t>> first_pictures;
  for (const std::string& name : all) {
    const Dataset data =
        synthetic_faces(1, 3, {.classes = {name}, .image_size = 32, .color_mode = ColorMode::grayscale});
    CHECK(data.sample_shape() == Shape{32, 32, 1});
    first_pictures.insert(bytes_of(data, 0));
  }
  CHECK(first_pictures.size() == all.size());
  CHECK(synthetic_faces(14, 3, {.classes = all}).class_counts() == std::vector<std::int64_t>(7, 2));
}

TEST_CASE("a mask changes the lower face alone") {
  const Dataset bare = synthetic_faces(40, 11), masked = synthetic_faces(40, 11, {.mask_probability = 1});
  for (std::int64_t i = 0; i < bare.size(); ++i) {
    const auto a = bytes_of(bare, i), b = bytes_of(masked, i);
    constexpr std::size_t row = 48 * 3;
    CHECK(std::equal(a.begin(), a.begin() + 16 * row, b.begin()));
    std::size_t changed = 0;
    for (std::size_t j = 28 * row; j < a.size(); ++j) changed += std::abs(a[j] - b[j]) > 8 ? 1 : 0;
    CHECK(changed > 300);
  }
}

TEST_CASE("a split of synthetic faces has no person in both parts") {
  const auto parts = synthetic_faces(300, 1, {.image_size = 16}).split(0.2, 4);
  std::set<std::int64_t> known;
  for (std::int64_t i = 0; i < parts.first.size(); ++i) known.insert(parts.first.identity(i));
  for (std::int64_t i = 0; i < parts.second.size(); ++i) CHECK(known.count(parts.second.identity(i)) == 0);
  for (const std::int64_t count : parts.second.class_counts()) CHECK(std::abs(count - 20) <= 1);
}

TEST_CASE("synthetic faces are learnable and not trivial: a linear classifier gets 50 to 80 %") {
  const SyntheticFacesOptions options{.color_mode = ColorMode::grayscale};
  const Dataset train = synthetic_faces(2400, 21, options), validation = synthetic_faces(900, 22, options);
  LogisticRegression model(train.sample_shape().size(), 3);
  for (int epoch = 0; epoch < 12; ++epoch) model.learn(train, 0.002F / static_cast<float>(1 + epoch));
  const double accuracy = model.accuracy(validation);  // 0.63
  CHECK(accuracy > 0.5);
  CHECK(accuracy < 0.8);
}

TEST_CASE("synthetic_faces refuses options out of range") {
  CHECK_THROWS_AS(static_cast<void>(synthetic_faces(-1, 0)), OptionError);
  CHECK_THROWS_WITH_AS(static_cast<void>(synthetic_faces(1, 0, {.classes = {"bored"}})),
                       doctest::Contains("no expression \"bored\"; expected one of angry, disgust"), OptionError);
  CHECK_THROWS_AS(static_cast<void>(synthetic_faces(1, 0, {.classes = {}})), OptionError);
  CHECK_THROWS_AS(static_cast<void>(synthetic_faces(1, 0, {.image_size = 8})), OptionError);
  CHECK_THROWS_AS(static_cast<void>(synthetic_faces(1, 0, {.mask_probability = 1.5})), OptionError);
  CHECK_THROWS_AS(static_cast<void>(synthetic_faces(1, 0, {.samples_per_identity = 0})), OptionError);
}
