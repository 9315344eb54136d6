// The checker must find what is wrong: layers that each break one promise.

#include <doctest/doctest.h>

#include <mien/testing/check_layer.hpp>

using namespace mien;

namespace {

enum class Fault {
  none,
  wrong_gradient,
  wrong_parameter_gradient,
  unwritten,
  unwritten_gradient,
  overrun,
  workspace_overrun,
  saved_overrun,
  reads_undeclared,
  not_in_place,
  threads,
  changes_parameters,
  not_identity,
  wrong_affine,
  float_differs,
  wrong_fusion,
  misread,
  unreported,
  reported_too_early
};

/// Counts what it is told of.
struct Counter final : kernels::RowReader {
  std::int64_t values = 0;
  void finished(std::int64_t, std::int64_t rows, std::int64_t columns) override { values += rows * columns; }
};

/// y = f(w x), with one fault.
struct Faulty {
  static constexpr const char* type = "Faulty";
  Fault fault = Fault::none;
  std::int64_t seen = 0, unseen = 0;
  std::string name{};

  [[nodiscard]] Shape output_shape(std::span<const Shape> inputs) const { return inputs[0]; }
  template <class T>
  [[nodiscard]] std::unique_ptr<Layer<T>> make(std::span<const Shape>) const;
  void visit_options(OptionVisitor& visit) { visit("seen", seen); }
};

template <class T>
class FaultyLayer final : public Layer<T> {
 public:
  explicit FaultyLayer(const Faulty& options) : fault_(options.fault), extra_(static_cast<T>(options.unseen)) {}

  [[nodiscard]] std::vector<ParameterSpec> parameters() const override {
    return {{.name = "w", .shape = {1}, .initializer = ones}};
  }
  [[nodiscard]] BackwardNeeds needs(const ActivationFunction& f) const override {
    return {.inputs = !is(Fault::reads_undeclared), .output = f != linear};
  }
  [[nodiscard]] std::size_t saved_bytes(std::int64_t) const override { return 4; }
  [[nodiscard]] std::size_t forward_workspace(std::int64_t, int) const override { return 4; }
  [[nodiscard]] bool in_place() const override { return is(Fault::not_in_place); }
  [[nodiscard]] bool identity_in_inference() const override { return is(Fault::not_identity); }
  [[nodiscard]] bool fuses_activation() const override { return true; }
  [[nodiscard]] std::size_t input_reader_bytes(std::int64_t) const override { return sizeof(Counter); }
  [[nodiscard]] kernels::RowReader* make_input_reader(std::int64_t, const T*, std::byte* memory) const override {
    return new (memory) Counter;
  }
  [[nodiscard]] bool reports_output(const ActivationFunction&) const override { return true; }
  [[nodiscard]] bool as_affine(std::span<const TensorView<T>> parameters, std::span<T> scale,
                               std::span<T> shift) const override {
    for (T& value : scale) value = is(Fault::wrong_affine) ? T(9) : parameters[0][0];
    for (T& value : shift) value = extra_;
    return true;
  }

  void forward(const ForwardPass<T>& pass) const override {
    const std::int64_t n = pass.output.size();
    T* const y = pass.output.data();
    if (is(Fault::not_in_place)) y[0] = 0;
    if (is(Fault::reported_too_early)) report(pass);
    const T w = pass.parameters[0][0] + (is(Fault::float_differs) && sizeof(T) == 4 ? T(0.01) : T(0));
    for (std::int64_t i = is(Fault::unwritten) ? 1 : 0; i < n; ++i) y[i] = w * pass.inputs[0][i] + extra_;
    if (!is(Fault::wrong_fusion)) kernels::activate(pass.activation, n, y, y);
    if (is(Fault::misread) && pass.input_reader != nullptr)
      y[0] += static_cast<T>(static_cast<const Counter*>(pass.input_reader)->values);
    if (!is(Fault::unreported) && !is(Fault::reported_too_early)) report(pass);
    if (is(Fault::overrun)) y[n] = 0;
    if (is(Fault::workspace_overrun)) pass.workspace[4] = std::byte{0};
    if (is(Fault::saved_overrun) && pass.training) pass.saved[4] = std::byte{0};
    if (is(Fault::threads)) y[0] += static_cast<T>(1e-12) * static_cast<T>(pass.threads);
    if (is(Fault::changes_parameters) && !pass.training) pass.parameters[0][0] += 1;
  }
  void backward(const BackwardPass<T>& pass) const override {
    const std::int64_t n = pass.d_output.size();
    T* const dy = pass.d_output.data();
    if (!is(Fault::wrong_fusion))
      kernels::activate_backward<T>(pass.activation, n, nullptr, pass.output.data(), dy, dy);
    if (pass.d_parameters[0]) {
      T& dw = pass.d_parameters[0][0];
      dw = is(Fault::wrong_parameter_gradient) ? T(1e-4) : T(0);
      for (std::int64_t i = 0; i < n; ++i) dw += dy[i] * pass.inputs[0][i];
    }
    if (pass.d_inputs[0])
      for (std::int64_t i = is(Fault::unwritten_gradient) ? 1 : 0; i < n; ++i)
        pass.d_inputs[0][i] = dy[i] * pass.parameters[0][0] * (is(Fault::wrong_gradient) ? T(1.0001) : T(1));
  }

 private:
  static void report(const ForwardPass<T>& pass) {
    const std::int64_t columns = pass.output.shape()[-1];
    if (pass.output_reader != nullptr) pass.output_reader->finished(0, pass.output.size() / columns, columns);
  }
  [[nodiscard]] bool is(Fault fault) const { return fault_ == fault; }

  Fault fault_;
  T extra_;
};

template <class T>
std::unique_ptr<Layer<T>> Faulty::make(std::span<const Shape>) const {
  return std::make_unique<FaultyLayer<T>>(*this);
}

std::string complaint(const Faulty& options) {
  try {
    mien::testing::check_layer(options, {{2, 3}});
  } catch (const mien::testing::CheckFailure& failure) {
    return failure.what();
  }
  return "";
}

void expect(Fault fault, std::initializer_list<const char*> parts) {
  const std::string message = complaint({.fault = fault, .name = "me"});
  CAPTURE(message);
  CHECK(message.find("layer 'me' (Faulty)") == 0);
  for (const char* part : parts) CHECK(message.find(part) != std::string::npos);
}

}  // namespace

TEST_CASE("check_layer accepts a layer without fault") { CHECK(complaint({}) == ""); }

TEST_CASE("check_layer finds wrong results") {
  expect(Fault::wrong_gradient, {"gradient by input 0", "central difference"});
  expect(Fault::wrong_parameter_gradient, {"gradient by w", "central difference"});
  expect(Fault::unwritten, {"output", "element 0 is NaN or was never written"});
  expect(Fault::unwritten_gradient, {"gradient by input 0", "element 0 is NaN or was never written"});
  expect(Fault::threads, {"2 threads", "output, element 0"});
  expect(Fault::float_differs, {"float", "output"});
  expect(Fault::wrong_fusion, {"fused relu", "output"});
}

TEST_CASE("check_layer finds memory that is written without being declared") {
  expect(Fault::overrun, {"output", "written to outside of its memory"});
  expect(Fault::workspace_overrun, {"workspace of forward", "outside of the 4 bytes"});
  expect(Fault::saved_overrun, {"saved", "outside of the 4 bytes"});
}

TEST_CASE("check_layer finds promises that are not kept") {
  expect(Fault::reads_undeclared, {"with NaN in what needs() does not declare"});
  expect(Fault::not_in_place, {"in place", "output"});
  expect(Fault::changes_parameters, {"inference", "w after forward"});
  expect(Fault::not_identity, {"identity_in_inference"});
  expect(Fault::wrong_affine, {"as_affine()"});
  expect(Fault::misread, {"with readers", "output, element 0"});
  expect(Fault::unreported, {"with readers", "reports_output()"});
  expect(Fault::reported_too_early, {"with readers", "reports_output()"});
}

TEST_CASE("check_layer finds an option that visit_options leaves out") {
  CHECK(complaint({.seen = 3}) == "");
  CHECK(complaint({.unseen = 3}).find("visit_options misses an option") != std::string::npos);
}

TEST_CASE("check_gradients compares any function with its gradient") {
  std::vector<double> x{1, -2, 3};
  const auto cube = [&] { return x[0] * x[0] * x[0] + 2 * x[1] * x[2]; };
  mien::testing::check_gradients(cube, x, std::vector<double>{3, 6, -4}, "d cube");
  CHECK(x == std::vector<double>{1, -2, 3});
  CHECK_THROWS_WITH_AS(mien::testing::check_gradients(cube, x, std::vector<double>{3, 6.1, -4}, "d cube"),
                       doctest::Contains("d cube, element 1: expected"), mien::testing::CheckFailure);
}
