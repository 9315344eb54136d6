// For float: x = k ln 2 + r with |r| <= ln(2) / 2, e^x = 2^k (1 + r + r^2 q(r)), where q is the polynomial of degree 4 whose largest
// error in r^2 q(r) / r is least (weighted least squares, reweighted until the errors were level: 1.3e-8, a quarter of an ulp). For
// double, which checks gradients, the standard library's functions.

typedef int IntVec __attribute__((vector_size(MIEN_VECTOR_BYTES)));

/// 2^k for -126 <= k <= 127.
__attribute__((always_inline)) inline Vec<float> power_of_two(IntVec k) {
  return reinterpret_cast<Vec<float>>((k + 127) << 23);
}

/// x = k ln 2 + r; `less_1` is e^r - 1.
struct ReducedExponent {
  IntVec k;
  Vec<float> less_1;
};

__attribute__((always_inline)) inline ReducedExponent reduce_exponent(Vec<float> x) {
  const Vec<float> rounder = broadcast(0x1.8p23F);  // after this sum the low bits of the mantissa are the integer k
  const Vec<float> shifted = x * 0x1.715476p0F + rounder, k = shifted - rounder;
  const Vec<float> r = (x - k * 0x1.63p-1F) - k * -0x1.bd0106p-13F;  // ln 2 in two parts; k times the first is exact
  Vec<float> q = broadcast(0x1.6d9a86p-10F);
  q = q * r + 0x1.12290ep-7F;
  q = q * r + 0x1.555486p-5F;
  q = q * r + 0x1.5554aep-3F;
  q = q * r + 0.5F;
  return {reinterpret_cast<IntVec>(shifted) - reinterpret_cast<IntVec>(rounder), (r * r) * q + r};
}

/// e^x; infinity, 0 and NaN where e^x is. The scale goes in two halves: 2^128 and 2^-140 are no floats, their halves are.
template <class T>
__attribute__((always_inline)) inline Vec<T> exponential(Vec<T> x) {
  if constexpr (sizeof(T) == sizeof(float)) {
    x = min<T>(broadcast(89.0F), max<T>(broadcast(-104.0F), x));  // this order keeps a NaN
    const ReducedExponent e = reduce_exponent(x);
    const IntVec half = e.k >> 1;
    return (1.0F + e.less_1) * power_of_two(half) * power_of_two(e.k - half);
  } else {
    for (int i = 0; i < lanes<T>; ++i) x[i] = __builtin_exp(x[i]);
    return x;
  }
}

/// e^x - 1 for x <= 0, without cancellation near 0.
template <class T>
__attribute__((always_inline)) inline Vec<T> exponential_minus_1(Vec<T> x) {
  if constexpr (sizeof(T) == sizeof(float)) {
    const ReducedExponent e = reduce_exponent(max<T>(broadcast(-30.0F), x));  // e^-30 is lost beside 1
    const Vec<float> scale = power_of_two(e.k);
    return scale * e.less_1 + (scale - 1.0F);
  } else {
    for (int i = 0; i < lanes<T>; ++i) x[i] = __builtin_expm1(x[i]);
    return x;
  }
}
