// What each network's weights expect of pixels, against the published formulas; and that everything that takes pictures
// applies it.

#include <doctest/doctest.h>

#include <mien/io.hpp>
#include <mien/mien.hpp>

#include "formats/temporary_folder.hpp"

using namespace mien;

namespace {

/// A pixel (red, green, blue) as a network is given it.
std::array<double, 3> prepared(const Preprocessing& preprocessing, std::array<double, 3> pixel) {
  check(preprocessing, {48, 48, 3});
  preprocess(preprocessing, 3, 3, pixel.data());
  return pixel;
}

void check_pixel(const std::array<double, 3>& got, const std::array<double, 3>& expected) {
  for (std::size_t c = 0; c < 3; ++c) CHECK(got[c] == doctest::Approx(expected[c]).epsilon(1e-12));
}

Dataset two_colours() {
  std::vector<std::uint8_t> pixels;
  for (const auto& colour : {std::array<std::uint8_t, 3>{250, 120, 3}, {10, 60, 200}})
    for (int i = 0; i < 4 * 4; ++i) pixels.insert(pixels.end(), colour.begin(), colour.end());
  return Dataset::from_pictures(std::move(pixels), {4, 4, 3}, {0, 1}, {"warm", "cold"});
}

/// The mean of each channel, scored by a dense layer.
Model<float> colour_model(Preprocessing preprocessing) {
  const Node x = Input({4, 4, 3});
  const Node y = Dense{.units = 2, .activation = softmax}(GlobalAveragePooling2D{}(x));
  Model<float> model(x, y, {.seed = 4, .preprocessing = std::move(preprocessing)});
  for (float& w : model.parameter("dense/kernel")) w *= 0.02F;  // far from a certain answer
  model.compile({.optimizer = SGD{}, .loss = CategoricalCrossentropy{}, .metrics = {Accuracy{}}});
  return model;
}

}  // namespace

TEST_CASE("pixels are prepared by the published formulas") {
  const std::array<double, 3> rgb{200, 100, 50};
  check_pixel(prepared(unit_preprocessing(), rgb), {200 / 255.0, 100 / 255.0, 50 / 255.0});
  check_pixel(prepared(caffe_preprocessing(), rgb), {50 - 103.939, 100 - 116.779, 200 - 123.68});
  check_pixel(prepared(vggface_preprocessing(), rgb), {50 - 93.5940, 100 - 104.7624, 200 - 129.1863});
  check_pixel(prepared(torch_preprocessing(), rgb),
              {(200 / 255.0 - 0.485) / 0.229, (100 / 255.0 - 0.456) / 0.224, (50 / 255.0 - 0.406) / 0.225});
}

TEST_CASE("each network brings its preprocessing; a model's own, and its classes, come first") {
  CHECK(vgg16().preprocessing == caffe_preprocessing());
  CHECK(vggface().preprocessing == vggface_preprocessing());
  CHECK(resnet50().preprocessing == caffe_preprocessing());
  CHECK(resnet50({.stride_in_3x3 = true, .epsilon = 1e-5}).preprocessing == torch_preprocessing());
  const Node x = Input({4, 4, 3});
  const Application network{"small", x, GlobalAveragePooling2D{}(x), caffe_preprocessing()};
  Preprocessing expected = caffe_preprocessing();
  CHECK(Model<float>(network).preprocessing() == expected);
  CHECK(Model<float>(network).name() == "small");
  expected.classes = {"a", "b", "c"};
  CHECK(Model<float>(network, {.preprocessing = {.classes = expected.classes}}).preprocessing() == expected);
  CHECK(Model<float>(network, {.preprocessing = torch_preprocessing()}).preprocessing() == torch_preprocessing());
}

TEST_CASE("a model's file carries its preprocessing; evaluate, predict and the predictor apply it alike") {
  const Dataset data = two_colours();
  for (const Preprocessing& preprocessing :
       {unit_preprocessing(), caffe_preprocessing(), vggface_preprocessing(), torch_preprocessing()}) {
    Model<float> model = colour_model(preprocessing);
    const TemporaryFolder folder;
    save(model, folder / "colours.safetensors");
    auto same = load_model<float>(folder / "colours.safetensors");
    CHECK(same.preprocessing() == preprocessing);
    same.compile({.optimizer = SGD{}, .loss = CategoricalCrossentropy{}, .metrics = {Accuracy{}}});

    // By hand: every pixel of a picture is the same, so the mean is the pixel.
    double loss = 0;
    const Predictor<float> predictor = same.predictor();
    const Tensor<float> all = same.predict(data);
    for (int i = 0; i < 2; ++i) {
      const auto pixel =
          prepared(preprocessing, i == 0 ? std::array<double, 3>{250, 120, 3} : std::array<double, 3>{10, 60, 200});
      double score[2] = {0, 0};
      for (int c = 0; c < 3; ++c)
        for (int k = 0; k < 2; ++k)
          score[k] +=
              pixel[static_cast<std::size_t>(c)] * static_cast<double>(model.parameter("dense/kernel")[2 * c + k]);
      const double first = 1 / (1 + std::exp(score[1] - score[0])), own = i == 0 ? first : 1 - first;
      loss -= std::log(own) / 2;
      Tensor<float> picture(data.sample_shape());
      data.read(i, picture.data());
      for (const float p : {predictor(picture)[i], all(i, i), same.predict(picture)[i]})
        CHECK(static_cast<double>(p) == doctest::Approx(own).epsilon(1e-5));
    }
    CHECK(*same.evaluate(data).get("loss") == doctest::Approx(loss).epsilon(1e-5));
  }
}
