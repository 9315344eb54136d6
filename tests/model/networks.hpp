#pragma once
// Networks and data that several tests run.

#include <mien/mien.hpp>

namespace networks {

using namespace mien;

/// A layer of a user: y = gain x, with one learned gain for each channel.
struct Scale {
  double start = 1;
  std::string name{};

  static constexpr const char* type = "Scale";
  [[nodiscard]] Shape output_shape(std::span<const Shape> inputs) const { return inputs[0]; }
  template <class T>
  [[nodiscard]] std::unique_ptr<Layer<T>> make(std::span<const Shape> inputs) const;
  void visit_options(OptionVisitor& visit) { visit("start", start); }
  [[nodiscard]] Node operator()(const Node& x) const { return apply(*this, {x}); }
};

template <class T>
class ScaleLayer final : public Layer<T> {
 public:
  ScaleLayer(std::int64_t channels, double start) : channels_(channels), start_(start) {}

  [[nodiscard]] std::vector<ParameterSpec> parameters() const override {
    return {{.name = "gain", .shape = Shape{channels_}, .initializer = constant(start_)}};
  }
  void forward(const ForwardPass<T>& pass) const override {
    for (std::int64_t i = 0; i < pass.output.size(); ++i)
      pass.output[i] = pass.parameters[0][i % channels_] * pass.inputs[0][i];
  }
  void backward(const BackwardPass<T>& pass) const override {
    if (pass.d_inputs[0])
      for (std::int64_t i = 0; i < pass.d_output.size(); ++i)
        pass.d_inputs[0][i] = pass.parameters[0][i % channels_] * pass.d_output[i];
    if (!pass.d_parameters[0]) return;
    for (T& d : pass.d_parameters[0]) d = 0;
    for (std::int64_t i = 0; i < pass.d_output.size(); ++i)
      pass.d_parameters[0][i % channels_] += pass.inputs[0][i] * pass.d_output[i];
  }

 private:
  std::int64_t channels_;
  double start_;
};

template <class T>
std::unique_ptr<Layer<T>> Scale::make(std::span<const Shape> inputs) const {
  return std::make_unique<ScaleLayer<T>>(inputs[0][-1], start);
}

/// Custom model 2, smaller: every kind of layer that it has.
inline Sequential small_emotion_cnn(std::int64_t size = 36, double dropout = 0.25) {
  return emotion_cnn(
      {.input_shape = {size, size, 3}, .filters = {4, 6, 8}, .units = {8, 6}, .dropout = {dropout, dropout / 2}});
}

/// A graph with every layer that mien has, branches, and a user's own layer.
inline Model<float> every_layer(int threads, std::uint64_t seed = 3) {
  const Node x = Input({12, 12, 3});
  Node y = Rescaling{.scale = 1.0 / 255}(x);
  y = RandomFlip{.mode = "horizontal"}(y);
  y = RandomTranslation{.height_factor = 0.1, .width_factor = 0.1}(y);
  y = RandomRotation{.factor = 0.05}(y);
  y = ZeroPadding2D{.padding = 1}(y);
  const Node a = Conv2D{.filters = 8, .kernel_size = 3, .activation = relu, .kernel_regularizer = l2(1e-3)}(y);
  const Node b = Conv2D{.filters = 8, .kernel_size = 3, .strides = 1, .activation = silu}(y);
  y = Add{}({BatchNormalization{}(a), Scale{.start = 0.5}(b)});
  y = Activation{.activation = gelu}(y);
  const Node p = MaxPooling2D{.pool_size = 2}(y), q = AveragePooling2D{.pool_size = 2}(y);
  y = Concatenate{}({p, q});
  y = Conv2D{.filters = 12, .kernel_size = 3, .padding = Padding::same, .groups = 2}(y);
  y = BatchNormalization{}(y);
  y = Activation{.activation = relu}(y);
  y = Dropout{.rate = 0.2}(y);
  const Node g = GlobalAveragePooling2D{}(y);
  const Node f = Dense{.units = 10, .activation = elu}(Flatten{}(y));
  y = Concatenate{}({g, f});
  y = Dropout{.rate = 0.3}(Dense{.units = 9, .activation = leaky_relu(0.1)}(y));
  y = Dense{.units = 3, .activation = softmax}(y);
  Model<float> model(x, y, {.seed = seed, .threads = threads});
  model.compile({.optimizer = Adam{.learning_rate = 1e-3}, .loss = CategoricalCrossentropy{}, .metrics = {Accuracy{}}});
  return model;
}

/// One of every layer that Keras has too, with options other than the defaults.
inline Node every_keras_layer(const Node& x) {
  Node y = Rescaling{.scale = {0.5, 0.25, 0.125}, .offset = -0.5}(x);
  y = RandomFlip{.mode = "horizontal"}(y);
  y = RandomTranslation{.height_factor = 0.1, .width_factor = 0.2, .fill_mode = "constant", .fill_value = 0.5}(y);
  y = RandomRotation{.factor = 0.05, .interpolation = "nearest"}(y);
  y = ZeroPadding2D{.padding = {1, 0, 2, 1}}(y);
  y = Conv2D{.filters = 6,
             .kernel_size = {3, 2},
             .strides = {2, 1},
             .groups = 3,
             .activation = leaky_relu(0.1),
             .kernel_initializer = he_normal,
             .kernel_regularizer = {.l1 = 0.125, .l2 = 0.25}}(y);
  y = BatchNormalization{.momentum = 0.75, .epsilon = 1e-5, .gamma_regularizer = l2(0.5)}(y);
  const Node a =
      DepthwiseConv2D{.kernel_size = 3, .padding = Padding::same, .depth_multiplier = 2, .activation = silu}(y);
  const Node b = SeparableConv2D{.filters = 12,
                                 .kernel_size = 3,
                                 .padding = Padding::same,
                                 .activation = elu(0.5),
                                 .pointwise_initializer = random_normal(0.5, 0.25)}(y);
  y = Add{.name = "block/sum"}({a, b});
  y = LeakyReLU{.negative_slope = 0.2}(y);
  y = UpSampling2D{.size = {2, 1}, .interpolation = "bilinear"}(y);
  y = Conv2DTranspose{.filters = 10, .kernel_size = {2, 3}, .strides = {1, 2}, .padding = Padding::same}(y);
  const Node p = MaxPooling2D{.pool_size = {2, 3}, .strides = 2, .padding = Padding::same}(y);
  const Node q = AveragePooling2D{.pool_size = 2, .padding = Padding::same}(y);
  y = Concatenate{.axis = 3}({p, q});
  y = Activation{.activation = gelu}(Dropout{.rate = 0.25, .seed = 7}(y));
  const Node g = GlobalAveragePooling2D{}(y), m = GlobalMaxPooling2D{.keepdims = true}(y);
  const Node f = Flatten{}(m);
  y = Reshape{.target_shape = {2, -1}}(Concatenate{}({g, f}));
  y = Flatten{}(
      Dense{.units = 4, .activation = elu, .bias_initializer = constant(0.5), .bias_regularizer = l1(0.5)}(y));
  return Dense{.units = 3, .activation = softmax, .use_bias = false, .kernel_initializer = truncated_normal(0, 0.5)}(y);
}

/// n random samples of that shape in 0 ... scale, and one-hot targets.
template <class T>
struct Samples {
  Samples(std::int64_t n, const Shape& shape, std::int64_t classes, double scale = 1)
      : x(shape.with_batch(n)), y(Shape{n, classes}) {
    Random random({.seed = 11});
    for (T& value : x) value = static_cast<T>(random.uniform(0, scale));
    for (std::int64_t i = 0; i < n; ++i) y(i, random.below(static_cast<std::uint32_t>(classes))) = 1;
  }
  Tensor<T> x, y;
};

}  // namespace networks
