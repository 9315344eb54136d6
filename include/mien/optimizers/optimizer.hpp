#pragma once
// How parameters follow their gradients: an optimizer is a value made of an options struct, `Adam{.learning_rate =
// 1e-4}`.

#include <algorithm>
#include <array>
#include <cmath>
#include <concepts>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <utility>

#include <mien/core/error.hpp>
#include <mien/core/parallel.hpp>
#include <mien/graph/options.hpp>

namespace mien::inline v0 {

/// What one step is told.
struct OptimizerStep {
  std::int64_t iteration = 1;  ///< 1 for the first step
  double learning_rate = 0;    ///< of this step: schedules and callbacks may have changed the optimizer's own
  double gradient_scale = 1;   ///< from clipping by the global norm
};

/// One parameter of n values, its gradient (of the data alone) and the optimizer's state for it.
template <class T>
struct ParameterSegment {
  std::int64_t n = 0;
  T* value = nullptr;
  const T* gradient = nullptr;
  std::array<T*, 3> slots{};  ///< OptimizerSpec::slots() arrays of n values, zeros at first
  double l1 = 0, l2 = 0;      ///< the regularizer, whose gradient l1 sign(w) + 2 l2 w is added by the update
  double gradient_scale = 1;  ///< from clipping by this parameter's norm
  bool decays = true;         ///< false: excluded from weight decay
};

/// At most one of the three is set; 0 is off. Norms are those of the gradient with the regularizer's part.
struct Clipping {
  double clipnorm = 0;         ///< each parameter's gradient is scaled to at most this norm
  double clipvalue = 0;        ///< each number of a gradient is cut to [-clipvalue, clipvalue]
  double global_clipnorm = 0;  ///< all gradients together are scaled to at most this norm
};

/// An optimizer behind one interface. Implemented once, by OptimizerSpecOf, for every options struct.
class OptimizerSpec {
 public:
  virtual ~OptimizerSpec() = default;
  /// The name of the class, as Keras has it: "Adam".
  [[nodiscard]] virtual std::string_view type() const = 0;
  /// The learning rate to start with.
  [[nodiscard]] virtual double learning_rate() const = 0;
  /// Arrays of state for each parameter: 0 to 3.
  [[nodiscard]] virtual int slots() const = 0;
  [[nodiscard]] virtual Clipping clipping() const = 0;
  /// Whether weight decay applies to a parameter of that full name ("conv_1/bias").
  [[nodiscard]] virtual bool decays(std::string_view parameter) const = 0;
  /// Whether a parameter moves by its own gradient alone, so that update() may be called with some of a step's
  /// parameters at a time.
  [[nodiscard]] virtual bool per_parameter() const = 0;
  /// Shows a copy of the options to the visitor.
  virtual void visit_options(OptionVisitor& visitor) const = 0;
  /// One step over these parameters: clipping, then weight decay, then the rule. Every bit is independent of `threads`.
  virtual void update(const OptimizerStep& step, std::span<const ParameterSegment<float>> parameters,
                      int threads) const = 0;
  virtual void update(const OptimizerStep& step, std::span<const ParameterSegment<double>> parameters,
                      int threads) const = 0;
};

/// The OptimizerSpec of an options struct. The struct has
///
///     static constexpr const char* type = "SignDescent";
///     double learning_rate = 0.001;                               // among its members
///     template <class T> void update(const OptimizerStep& step, std::span<const ParameterSegment<T>> parameters,
///                                    int threads) const;
///     int slots() const;                                          // optional: 0
///     static constexpr bool per_parameter = true;                 // optional: false, update() sees all parameters
///     double clipnorm = 0, clipvalue = 0, global_clipnorm = 0;    // optional
///     bool decays(std::string_view parameter) const;              // optional: true
///     void visit_options(OptionVisitor& visit);                   // optional: without it a checkpoint cannot be saved
template <class Options>
class OptimizerSpecOf final : public OptimizerSpec {
 public:
  /// Throws OptionError on a learning rate that is negative or no number, on decays (beta_1, beta_2, momentum, where
  /// the struct has them) outside [0, 1), on more than one kind of clipping or a negative limit.
  explicit OptimizerSpecOf(Options options) : options_(std::move(options)) {
    if (!(options_.learning_rate >= 0) || std::isinf(options_.learning_rate))
      throw OptionError(
          text("optimizer ", type(), ": learning_rate is a finite number of at least 0, got ", options_.learning_rate));
    if constexpr (requires { options_.beta_1; }) require_decay("beta_1", options_.beta_1);
    if constexpr (requires { options_.beta_2; }) require_decay("beta_2", options_.beta_2);
    if constexpr (requires { options_.momentum; }) require_decay("momentum", options_.momentum);
    const Clipping c = OptimizerSpecOf::clipping();
    if (c.clipnorm < 0 || c.clipvalue < 0 || c.global_clipnorm < 0 ||
        (c.clipnorm > 0) + (c.clipvalue > 0) + (c.global_clipnorm > 0) > 1)
      throw OptionError(text("optimizer ", type(), " expected at most one of clipnorm, clipvalue and global_clipnorm",
                             ", positive (0: off), got ", c.clipnorm, ", ", c.clipvalue, " and ", c.global_clipnorm));
  }

  [[nodiscard]] std::string_view type() const override { return Options::type; }
  [[nodiscard]] double learning_rate() const override { return options_.learning_rate; }
  [[nodiscard]] int slots() const override {
    if constexpr (requires { options_.slots(); }) return options_.slots();
    return 0;
  }
  [[nodiscard]] Clipping clipping() const override {
    Clipping clipping;
    if constexpr (requires { options_.clipnorm; }) clipping.clipnorm = options_.clipnorm;
    if constexpr (requires { options_.clipvalue; }) clipping.clipvalue = options_.clipvalue;
    if constexpr (requires { options_.global_clipnorm; }) clipping.global_clipnorm = options_.global_clipnorm;
    return clipping;
  }
  [[nodiscard]] bool decays(std::string_view parameter) const override {
    if constexpr (requires { options_.decays(parameter); }) return options_.decays(parameter);
    return true;
  }
  [[nodiscard]] bool per_parameter() const override {
    if constexpr (requires { Options::per_parameter; })
      return Options::per_parameter && OptimizerSpecOf::clipping().global_clipnorm == 0;
    return false;
  }
  void visit_options(OptionVisitor& visitor) const override {
    if constexpr (requires(Options o) { o.visit_options(visitor); }) {
      Options copy = options_;
      copy.visit_options(visitor);
    } else {
      throw OptionError(text("optimizer ", type(), " cannot be saved: its options struct has no visit_options"));
    }
  }
  void update(const OptimizerStep& step, std::span<const ParameterSegment<float>> parameters,
              int threads) const override {
    options_.update(step, parameters, threads);
  }
  void update(const OptimizerStep& step, std::span<const ParameterSegment<double>> parameters,
              int threads) const override {
    options_.update(step, parameters, threads);
  }

 private:
  static void require_decay(const char* name, double value) {
    if (!(value >= 0 && value < 1))
      throw OptionError(text("optimizer ", Options::type, ": ", name, " is in [0, 1), got ", value));
  }
  Options options_;
};

/// What OptimizerSpecOf can hold.
template <class Options>
concept OptimizerOptions = requires(const Options& options, std::span<const ParameterSegment<float>> parameters) {
  { Options::type } -> std::convertible_to<std::string_view>;
  { options.learning_rate } -> std::convertible_to<double>;
  options.update(OptimizerStep{}, parameters, 1);
};

/// Any optimizer: implicitly made of an options struct, cheap to copy, immutable (its state lives in the model). Empty
/// when default-constructed.
class Optimizer {
 public:
  Optimizer() = default;
  template <OptimizerOptions Options>
  Optimizer(Options options)  // NOLINT: implicit
      : spec_(std::make_shared<const OptimizerSpecOf<Options>>(std::move(options))) {}
  Optimizer(std::shared_ptr<const OptimizerSpec> spec) : spec_(std::move(spec)) {}  // NOLINT: implicit

  [[nodiscard]] const OptimizerSpec* operator->() const { return spec_.get(); }
  [[nodiscard]] const OptimizerSpec& operator*() const { return *spec_; }
  [[nodiscard]] explicit operator bool() const { return spec_ != nullptr; }

 private:
  std::shared_ptr<const OptimizerSpec> spec_;
};

/// Calls body(parameter, first, count) for pieces that together cover all parameters, on at most `threads` threads. The
/// cut is a function of the parameters' sizes alone; small parameters share a task.
template <class T, class Body>
void for_each_piece(std::span<const ParameterSegment<T>> parameters, int threads, const Body& body) {
  constexpr std::int64_t piece = 16384;
  std::int64_t total = 0;
  for (const auto& parameter : parameters) total += parameter.n;
  parallel_for(threads, (total + piece - 1) / piece, [&](std::int64_t task, int) {
    std::int64_t begin = task * piece, end = std::min(total, begin + piece);
    for (const auto& parameter : parameters) {
      if (end <= 0) break;
      if (begin < parameter.n) {
        const std::int64_t first = std::max<std::int64_t>(begin, 0);
        body(parameter, first, std::min(end, parameter.n) - first);
      }
      begin -= parameter.n;
      end -= parameter.n;
    }
  });
}

}  // namespace mien::inline v0
