// The vector text of strip_kernel.hpp, once per instruction set. Tiles begin and end as a matrix product's do
// (micro_kernel.inl).

/// Adds the products of one row of the kernel and of what neighbouring pixels read, `distance` apart.
template <class T, int Rows>
__attribute__((always_inline)) inline void multiply_neighbours(Vec<T> (&sum)[Rows][2], const T* a,
                                                               std::int64_t distance, const T* b) {
  const Vec<T> first = load(b), second = load(b + lanes<T>);
#pragma GCC unroll 16
  for (int i = 0; i < Rows; ++i) {
    const T x = a[i * distance];
    sum[i][0] += x * first, sum[i][1] += x * second;
  }
}

template <class T, int Rows>
__attribute__((noinline)) void multiply_strips(const StripOperand<T>& operand, const TileOutput<T>& first) {
  TileOutput<T> out = first;
  const std::int64_t distance = operand.distance, runs = operand.runs, length = operand.length;
  const T* const* const a = operand.a;
  const std::int64_t offset = operand.a_offset;
  const T* panel = operand.b;
  for (std::int64_t left = operand.panels; left > 0; --left) {
    Vec<T> sum[Rows][2];
    start_tile(sum, out);
    const T* b = panel;
    for (std::int64_t run = 0; run < runs; ++run) {
      const T* values = a[run] + offset;
      for (const T* const end = values + length; values < end; ++values, b += 2 * lanes<T>)
        multiply_neighbours(sum, values, distance, b);
    }
    finish_tile(sum, out);
    panel += operand.panel_size;
    out.c_offset += 2 * lanes<T>;
    if (out.bias != nullptr) out.bias += 2 * lanes<T>;
  }
}

template <class T>
constexpr kernels::StripKernels<T> make_strip_kernels() {
  kernels::StripKernels<T> all{{&multiply_strips<T, 1>, &multiply_strips<T, 2>, &multiply_strips<T, 3>,
                                &multiply_strips<T, 4>, &multiply_strips<T, 5>, &multiply_strips<T, 6>}};
  if constexpr (tallest_tile == 14) {
    all.heights[6] = &multiply_strips<T, 7>, all.heights[7] = &multiply_strips<T, 8>;
    all.heights[8] = &multiply_strips<T, 9>, all.heights[9] = &multiply_strips<T, 10>;
    all.heights[10] = &multiply_strips<T, 11>, all.heights[11] = &multiply_strips<T, 12>;
    all.heights[12] = &multiply_strips<T, 13>, all.heights[13] = &multiply_strips<T, 14>;
  }
  return all;
}

template <class T>
inline constexpr StripKernels<T> strip_kernels = make_strip_kernels<T>();
