#pragma once
// The optimizers' arithmetic on one stretch of one parameter: everything in a single pass over memory.

#include <cstdint>

#include <mien/kernels/isa/registers.hpp>

#if defined(__has_builtin)
#  if __has_builtin(__builtin_elementwise_sqrt)  // clang 17
#    define MIEN_ELEMENTWISE_SQRT
#  endif
#endif

namespace mien::inline v0::kernels {

/// The gradient that a rule sees: clamp(scale (g + l1 sign(w) + two_l2 w), -limit, limit); and the decay of the value
/// that comes before the rule: w -= decay w.
template <class T>
struct GradientTerms {
  T l1, two_l2;
  T scale;
  T limit;  ///< infinity: no limit
  T decay;
};

/// momentum == nullptr: w -= rate g. Else v = momentum v - rate g, and w += v, or for Nesterov w += momentum v - rate
/// g.
template <class T>
struct SgdTerms {
  GradientTerms<T> gradient;
  T rate, momentum;
  bool nesterov;
};

/// m += (g - m) one_minus_beta_1;  v += (g^2 - v) one_minus_beta_2;  w -= rate m / (sqrt(v) + epsilon), where `rate`
/// holds the corrections of the bias. With v_max (AMSGrad) v_max = max(v_max, v) stands for v in the last formula.
template <class T>
struct AdamTerms {
  GradientTerms<T> gradient;
  T one_minus_beta_1, one_minus_beta_2;
  T rate, epsilon;
};

}  // namespace mien::inline v0::kernels

#define MIEN_KERNEL_TEXT <mien/kernels/optimizer/update.inl>
#include <mien/kernels/isa/for_each_isa.inl>

namespace mien::inline v0::kernels {

/// `velocity` may be null: no momentum.
template <class T>
void sgd_update(const SgdTerms<T>& terms, std::int64_t n, T* w, const T* g, T* velocity) {
  MIEN_SELECT_ISA(T, sgd_update)(terms, n, w, g, velocity);
}

/// `v_max` may be null: no AMSGrad.
template <class T>
void adam_update(const AdamTerms<T>& terms, std::int64_t n, T* w, const T* g, T* m, T* v, T* v_max) {
  MIEN_SELECT_ISA(T, adam_update)(terms, n, w, g, m, v, v_max);
}

/// sum_i (g_i + l1 sign(w_i) + two_l2 w_i)^2: short sums in T, these in double.
template <class T>
[[nodiscard]] double squared_gradient_norm(T l1, T two_l2, std::int64_t n, const T* w, const T* g) {
  return MIEN_SELECT_ISA(T, squared_gradient_norm)(l1, two_l2, n, w, g);
}

}  // namespace mien::inline v0::kernels
