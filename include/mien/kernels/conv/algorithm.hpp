#pragma once

#include <cstddef>
#include <cstdint>

#include <mien/kernels/conv/geometry.hpp>
#include <mien/kernels/epilogue.hpp>

namespace mien::inline v0::kernels {

/// forward: y from x and w; backward_input: dx from dy and w; backward_kernel: dw from x and dy.
enum class ConvPass { forward, backward_input, backward_kernel };

inline constexpr ConvPass conv_passes[] = {ConvPass::forward, ConvPass::backward_input, ConvPass::backward_kernel};

[[nodiscard]] constexpr const char* to_string(ConvPass pass) {
  return pass == ConvPass::forward          ? "forward"
         : pass == ConvPass::backward_input ? "backward_input"
                                            : "backward_kernel";
}

/// One pass of one convolution. Shapes: x and dx (N, H, W, C), y and dy (N, OH, OW, K), w and dw (R, S, C/groups, K).
template <class T>
struct ConvCall {
  ConvGeometry geometry;
  const T* left;         ///< forward, backward_kernel: x; backward_input: dy
  const T* right;        ///< forward, backward_input: w, or its prepared form; backward_kernel: dy
  T* result;             ///< y, dx or dw; overwritten
  Epilogue<T> epilogue;  ///< forward, and backward_input where the row applies it
  int threads;
  std::byte* workspace;
};

/// A way to compute one pass.
template <class T>
struct ConvAlgorithm {
  const char* name;
  const char* (*accepts)(const ConvGeometry&);  ///< nullptr, or why it does not take this geometry
  std::size_t (*workspace)(const ConvGeometry&, int threads);
  void (*run)(const ConvCall<T>&);
  /// nullptr, or why it would be slower than a row below; null: never. A call that names the algorithm does not ask.
  const char* (*loses)(const ConvGeometry&) = nullptr;
  bool exact = true;  ///< sums the products of the definition: equal bits wherever those products and sums are exact
  /// The values of the kernel's prepared form, the one that the products read, and what makes it from w: `right` is w,
  /// `result` the form, which depends on no batch size. Where the geometry says kernel_prepared, `run` is given it in
  /// the place of w. null: there is no such form, and `run` is given w.
  std::int64_t (*prepared_size)(const ConvGeometry&) = nullptr;
  void (*prepare)(const ConvCall<T>&) = nullptr;
  bool applies_epilogue = true;  ///< backward_input; where it is false, conv_backward_input does it behind the run
};

/// Why the algorithm is not to be chosen for this geometry; nullptr if it may be.
template <class T>
[[nodiscard]] const char* reason_against(const ConvAlgorithm<T>& algorithm, const ConvGeometry& g) {
  if (const char* const reason = algorithm.accepts(g)) return reason;
  return algorithm.loses != nullptr ? algorithm.loses(g) : nullptr;
}

}  // namespace mien::inline v0::kernels
