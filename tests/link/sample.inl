// A kernel for the link test, with what compilers are tempted to change: products followed by sums, in vectors and in the
// scalar remainder.

/// The sum over i of p(x_i), p(x) = ((x + 1/3) x - 1/7) x + 0.1, in an order that depends on n and the set alone.
template <class T>
T polynomial_sum(const T* x, int n) {
  const T a = T(1) / T(3), b = T(-1) / T(7), c = T(0.1);
  Vec<T> total{};
  int i = 0;
  for (; i + lanes<T> <= n; i += lanes<T>) {
    const Vec<T> v = load(x + i);
    total += ((v + a) * v + b) * v + c;
  }
  T sum = sum_of_lanes<T>(total);
  for (; i < n; ++i) sum += ((x[i] + a) * x[i] + b) * x[i] + c;
  return sum;
}

/// How wide the set's vectors are, in bytes: says which set ran.
template <class T>
int vector_bytes() {
  return MIEN_VECTOR_BYTES;
}
