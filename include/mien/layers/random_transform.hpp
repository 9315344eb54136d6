#pragma once
// What the layers that move pictures at random share: active in training only, one transform a sample, the same one
// forward and backward.

#include <algorithm>
#include <cstdint>
#include <string>
#include <utility>

#include <mien/core/error.hpp>
#include <mien/core/parallel.hpp>
#include <mien/core/random.hpp>
#include <mien/kernels/image/transform.hpp>
#include <mien/layers/layer.hpp>

namespace mien::inline v0 {

/// A layer from a transform of one picture, with members
///
///     template <class T> void forward(const kernels::Picture&, const Random&, std::int64_t n, const T* x, T* y) const;
///     template <class T> void backward(const kernels::Picture&, const Random&, std::int64_t n, const T* dy, T* dx)
///     const;
///
/// where sample n uses numbers of the stream that belong to it alone.
template <class T, class Transform>
class RandomTransformLayer final : public Layer<T> {
 public:
  RandomTransformLayer(const Shape& input, Transform transform)
      : picture_{input[0], input[1], input[2]}, transform_(std::move(transform)) {}

  [[nodiscard]] BackwardNeeds needs(const ActivationFunction&) const override {
    return {.inputs = false, .output = false};
  }
  [[nodiscard]] bool identity_in_inference() const override { return true; }

  void forward(const ForwardPass<T>& pass) const override {
    const Random random(pass.random);
    for_each_sample(pass, pass.inputs[0].data(), pass.output.data(), [&](std::int64_t n, const T* x, T* y) {
      transform_.template forward<T>(picture_, random, n, x, y);
    });
  }
  void backward(const BackwardPass<T>& pass) const override {
    if (!pass.d_inputs[0]) return;
    const Random random(pass.random);
    for_each_sample(pass, pass.d_output.data(), pass.d_inputs[0].data(), [&](std::int64_t n, const T* dy, T* dx) {
      transform_.template backward<T>(picture_, random, n, dy, dx);
    });
  }

 private:
  template <class OfSample>
  void for_each_sample(const Pass& pass, const T* from, T* to, const OfSample& of_sample) const {
    parallel_for(pass.threads, pass.batch, [&](std::int64_t n, int) {
      const T* own = from + n * picture_.size();
      if (pass.training)
        of_sample(n, own, to + n * picture_.size());
      else
        std::copy(own, own + picture_.size(), to + n * picture_.size());
    });
  }

  kernels::Picture picture_;
  Transform transform_;
};

namespace detail {

/// A transform that is an affine map: Map is called as map(picture, random, n) and returns a kernels::AffineMap.
template <class Map>
struct AffineTransform {
  Map map;
  kernels::Sampling sampling;

  template <class T>
  void forward(const kernels::Picture& p, const Random& random, std::int64_t n, const T* x, T* y) const {
    kernels::affine_forward(p, map(p, random, n), sampling, x, y);
  }
  template <class T>
  void backward(const kernels::Picture& p, const Random& random, std::int64_t n, const T* dy, T* dx) const {
    kernels::affine_backward(p, map(p, random, n), sampling, dy, dx);
  }
};

/// The kernels' form of the options fill_mode, interpolation and fill_value. Throws OptionError on an unknown word.
template <class Options>
[[nodiscard]] kernels::Sampling sampling_of(const Options& options) {
  const char* const modes[] = {"reflect", "constant", "wrap", "nearest"};
  const auto* const mode = std::find(std::begin(modes), std::end(modes), options.fill_mode);
  if (mode == std::end(modes))
    throw OptionError(text(layer_title(options), " expected fill_mode reflect, constant, wrap or nearest, got '",
                           options.fill_mode, "'"));
  if (options.interpolation != "bilinear" && options.interpolation != "nearest")
    throw OptionError(
        text(layer_title(options), " expected interpolation bilinear or nearest, got '", options.interpolation, "'"));
  return {.fill = static_cast<kernels::Fill>(mode - std::begin(modes)),
          .bilinear = options.interpolation == "bilinear",
          .fill_value = options.fill_value};
}

/// Uniform in [-factor, factor): number j of the `per_sample` numbers of sample n.
[[nodiscard]] inline double symmetric_number(const Random& random, std::int64_t n, std::int64_t per_sample,
                                             std::int64_t j, double factor) {
  return factor * (2 * random.uniform_at(static_cast<std::uint64_t>(n * per_sample + j)) - 1);
}

}  // namespace detail

}  // namespace mien::inline v0
