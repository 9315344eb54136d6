// Trains custom model 2 from where a training in PyTorch begins, so that accuracies can be compared without the luck of
// other first weights, another order and other dropout.
//
//   pytorch_start.py FACES --seed S START    writes START.pt and START.npz; with --train it trains in PyTorch
//   accuracy_benchmark START [--strict]      trains in mien, without Winograd if strict
//
// Both print a line for each epoch. What is left is rounding, Adam's epsilon (Keras's 1e-7, PyTorch's 1e-8), and the
// moving variance, which PyTorch multiplies by n / (n - 1), 1.001 and less.

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <exception>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <mien/io.hpp>
#include <mien/io/formats/open_tensor_file.hpp>
#include <mien/mien.hpp>

using namespace mien;

namespace {

constexpr std::int64_t batch_size = 32;
const EmotionCnnOptions network = emotion_cnn_options("custom2");

/// A picture's masks behind dense layer i.
std::size_t units(std::size_t i) { return static_cast<std::size_t>(network.units[i]); }

template <class E>
std::vector<E> read_all(const TensorFile& file, const std::string& name, DType dtype) {
  const StoredTensor* const tensor = file.find(name);
  if (tensor == nullptr || tensor->dtype != dtype)
    throw FileError(
        text("'", file.path(), "': expected '", name, "' of ", to_string(dtype), "; write it with pytorch_start.py"));
  std::vector<E> values(tensor->bytes / sizeof(E));
  file.read(*tensor, std::as_writable_bytes(std::span(values)));
  return values;
}

/// Masks of all steps of a training, one behind the other, and where the next step's begins.
struct Masks {
  std::vector<std::uint8_t> kept;
  std::size_t step = 0;
};

/// Dropout whose masks are given. Not for files: they are no option.
struct GivenDropout {
  double rate = 0;
  std::shared_ptr<Masks> masks{};
  std::string name{};

  static constexpr const char* type = "GivenDropout";
  [[nodiscard]] Shape output_shape(std::span<const Shape> inputs) const { return inputs[0]; }
  template <class T>
  [[nodiscard]] std::unique_ptr<Layer<T>> make(std::span<const Shape> inputs) const;
  void visit_options(OptionVisitor& visit) { visit("rate", rate); }
  [[nodiscard]] Node operator()(const Node& x) const { return apply(*this, {x}); }
};

template <class T>
class GivenDropoutLayer final : public Layer<T> {
 public:
  GivenDropoutLayer(double rate, std::shared_ptr<const Masks> masks) : rate_(rate), masks_(std::move(masks)) {}

  void forward(const ForwardPass<T>& pass) const override {
    if (pass.training)
      drop(pass.inputs[0], pass.output);
    else
      std::copy(pass.inputs[0].begin(), pass.inputs[0].end(), pass.output.begin());
  }
  void backward(const BackwardPass<T>& pass) const override { drop(pass.d_output, pass.d_inputs[0]); }

 private:
  void drop(TensorView<const T> from, TensorView<T> to) const {
    const auto scale = static_cast<T>(1 / (1 - rate_));
    const std::uint8_t* const kept = masks_->kept.data() + masks_->step;
    for (std::int64_t i = 0; i < to.size(); ++i) to[i] = kept[i] != 0 ? from[i] * scale : T(0);
  }

  double rate_;
  std::shared_ptr<const Masks> masks_;
};

template <class T>
std::unique_ptr<Layer<T>> GivenDropout::make(std::span<const Shape>) const {
  return std::make_unique<GivenDropoutLayer<T>>(rate, masks);
}

/// A training as PyTorch begins it.
struct Start {
  Dataset train, validation;
  std::vector<std::int64_t> order;  ///< of all epochs
  std::shared_ptr<Masks> masks[2];

  explicit Start(const TensorFile& file)
      : train(faces(file, "")),
        validation(faces(file, "_validation")),
        order(read_all<std::int64_t>(file, "order", DType::i64)) {
    masks[0] = std::make_shared<Masks>(Masks{read_all<std::uint8_t>(file, "dropout", DType::boolean)});
    masks[1] = std::make_shared<Masks>(Masks{read_all<std::uint8_t>(file, "dropout_1", DType::boolean)});
    const auto n = static_cast<std::size_t>(train.size());
    if (n == 0 || validation.empty() || order.empty() || order.size() % n != 0 ||
        masks[0]->kept.size() != order.size() * units(0) || masks[1]->kept.size() != order.size() * units(1))
      throw FileError(text("'", file.path(), "': expected whole epochs of ", n, " pictures and ", units(0), " and ",
                           units(1), " masks for each, got an order of ", order.size(), ", ", masks[0]->kept.size(),
                           " and ", masks[1]->kept.size(), "; write it with pytorch_start.py"));
  }
  static Dataset faces(const TensorFile& file, const std::string& part) {
    const std::vector<std::int64_t> y = read_all<std::int64_t>(file, "y" + part, DType::i64);
    return Dataset::from_pictures(read_all<std::uint8_t>(file, "x" + part, DType::u8), Shape{48, 48, 3},
                                  std::vector<int>(y.begin(), y.end()), {"angry", "happy", "sad"});
  }
};

/// Custom model 2 with the start's masks and weights.
Model<float> build(const Start& start, const std::string& weights, Arithmetic arithmetic) {
  Sequential layers{Input(network.input_shape)};
  for (const std::int64_t filters : network.filters) {
    layers.add(Conv2D{.filters = filters, .kernel_size = 3}).add(Conv2D{.filters = filters, .kernel_size = 3});
    layers.add(BatchNormalization{}).add(Activation{.activation = relu}).add(MaxPooling2D{.pool_size = 2});
  }
  layers.add(GlobalAveragePooling2D{});
  for (std::size_t i = 0; i < 2; ++i) {
    layers.add(Dense{.units = network.units[i], .activation = relu});
    layers.add(GivenDropout{.rate = network.dropout[i], .masks = start.masks[i]});
  }
  layers.add(Dense{.units = 3, .activation = softmax});
  Model<float> model(layers, {.preprocessing = unit_preprocessing(), .arithmetic = arithmetic});
  load_weights(model, weights, {.print_to = nullptr});
  model.compile({.optimizer = Adam{}, .loss = CategoricalCrossentropy{}, .metrics = {Accuracy{}}});
  return model;
}

/// One epoch over these pictures, in this order; returns the mean loss.
double train(Model<float>& model, Start& start, const Dataset& pictures) {
  double loss = 0;
  for (std::int64_t begin = 0; begin < pictures.size(); begin += batch_size) {
    const std::int64_t count = std::min(batch_size, pictures.size() - begin);
    Tensor<float> x({count, 48, 48, 3}), y({count, 3});
    for (std::int64_t i = 0; i < count; ++i) {
      pictures.read(begin + i, x.data() + i * pictures.sample_shape().size());
      pictures.read_target(begin + i, y.data() + i * 3);
    }
    loss += model.train_on_batch(x, y).loss * static_cast<double>(count);
    for (std::size_t i = 0; i < 2; ++i) start.masks[i]->step += static_cast<std::size_t>(count) * units(i);
  }
  return loss / static_cast<double>(pictures.size());
}

void run(const std::string& name, Arithmetic arithmetic) {
  Start start(*open_tensor_file(name + ".npz"));
  Model<float> model = build(start, name + ".pt", arithmetic);
  const std::size_t n = static_cast<std::size_t>(start.train.size()), epochs = start.order.size() / n;
  double highest = 0;
  for (std::size_t epoch = 0; epoch < epochs; ++epoch) {
    const double loss = train(model, start, start.train.subset(std::span(start.order).subspan(epoch * n, n)));
    const Logs validation = model.evaluate(start.validation);
    highest = std::max(highest, *validation.get("accuracy"));
    std::printf("epoch %zu loss %.4f val_loss %.4f val_accuracy %.4f\n", epoch + 1, loss, *validation.get("loss"),
                *validation.get("accuracy"));
    std::fflush(stdout);
  }
  std::printf("highest val_accuracy %.4f\n", highest);
}

}  // namespace

int main(int argc, char** argv) try {
  const bool strict = argc == 3 && std::strcmp(argv[2], "--strict") == 0;
  if (argc < 2 || (argc > 2 && !strict)) {
    std::fprintf(stderr, "usage: accuracy_benchmark START [--strict]\n");
    return 2;
  }
  run(argv[1], strict ? Arithmetic::strict : Arithmetic::fast);
} catch (const std::exception& error) {
  std::fprintf(stderr, "accuracy_benchmark: %s\n", error.what());
  return 2;
}
