// The limit of arithmetic, once per instruction set: more independent chains of multiply-adds than latency times units,
// alone and with a store of a vector beside each.

inline constexpr int chains = 12;

/// `stored`: where two steps' vectors go, by turns, so that no compiler keeps a step's back for the next; or null.
template <class T, bool Storing>
__attribute__((noinline)) T multiply_add_chains(std::int64_t steps, T* stored) {
  Vec<T> sum[chains];
  // From numbers that the compiler does not know: clang sees that 2 stays 2, and leaves that chain out.
  for (int i = 0; i < chains; ++i) sum[i] = Vec<T>{} + static_cast<T>(steps + i);
  const Vec<T> factor = Vec<T>{} + T(0.5), summand = Vec<T>{} + T(1);
  for (std::int64_t step = 0; step < steps; ++step) {
    T* const to = Storing ? stored + step % 2 * chains * lanes<T> : nullptr;
#pragma GCC unroll 12
    for (int i = 0; i < chains; ++i) {
      sum[i] = sum[i] * factor + summand;
      if constexpr (Storing) store(to + i * lanes<T>, factor);
    }
  }
  Vec<T> total{};
  for (int i = 0; i < chains; ++i) total += sum[i];
  return sum_of_lanes<T>(total);
}

template <class T>
inline constexpr PeakKernel<T> peak_kernel{&multiply_add_chains<T, false>, &multiply_add_chains<T, true>,
                                           chains* lanes<T>};
