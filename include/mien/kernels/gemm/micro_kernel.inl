// The micro-kernels' vector text, once per instruction set. The contract is in micro_kernel.hpp.

template <class T, int Rows>
__attribute__((always_inline)) inline void start_tile(Vec<T> (&sum)[Rows][2], const TileOutput<T>& out) {
  Vec<T> first{}, second{};
  if (out.bias != nullptr) first = load(out.bias), second = load(out.bias + lanes<T>);
#pragma GCC unroll 16
  for (int i = 0; i < Rows; ++i) sum[i][0] = first, sum[i][1] = second;
  if (out.accumulate) {
#pragma GCC unroll 16
    for (int i = 0; i < Rows; ++i) {
      const T* c = out.c[i] + out.c_offset;
      sum[i][0] = load(c), sum[i][1] = load(c + lanes<T>);
    }
    if (out.bias != nullptr) {  // else C goes on as it is: to add zero would make a plus of minus zero
#pragma GCC unroll 16
      for (int i = 0; i < Rows; ++i) sum[i][0] += first, sum[i][1] += second;
    }
  } else if (out.fetch && !out.past_caches) {  // 67712 x 64 x 27, through the caches: 64 instead of 54
#pragma GCC unroll 16
    for (int i = 0; i < Rows; ++i) {
      const T* c = out.c[i] + out.c_offset;
      __builtin_prefetch(c, 1), __builtin_prefetch(c + lanes<T>, 1);
    }
  }
}

template <class T, int Rows>
__attribute__((always_inline)) inline void finish_tile(Vec<T> (&sum)[Rows][2], const TileOutput<T>& out) {
  const Vec<T> zero{};
  if (out.activation == InRegisters::relu) {
#pragma GCC unroll 16
    for (int i = 0; i < Rows; ++i) {
      sum[i][0] = max<T>(zero, sum[i][0]), sum[i][1] = max<T>(zero, sum[i][1]);  // this order keeps a NaN
    }
  } else if (out.activation == InRegisters::leaky_relu) {
#pragma GCC unroll 16
    for (int i = 0; i < Rows; ++i) {
      sum[i][0] = sum[i][0] > zero ? sum[i][0] : out.slope * sum[i][0];
      sum[i][1] = sum[i][1] > zero ? sum[i][1] : out.slope * sum[i][1];
    }
  }
  if (out.past_caches) {
#pragma GCC unroll 16
    for (int i = 0; i < Rows; ++i) {
      T* c = out.c[i] + out.c_offset;
      store_past_caches(c, sum[i][0]), store_past_caches(c + lanes<T>, sum[i][1]);
    }
    return;
  }
  T* const* const c = out.c;  // read before the stores, behind which the compiler would read them again
  const std::int64_t offset = out.c_offset;
  T* rows[Rows];
#pragma GCC unroll 16
  for (int i = 0; i < Rows; ++i) rows[i] = c[i] + offset;
#pragma GCC unroll 16
  for (int i = 0; i < Rows; ++i) store(rows[i], sum[i][0]), store(rows[i] + lanes<T>, sum[i][1]);
}

/// Adds the products of one row of B, and fetches what lies so far behind it.
template <class T, int Rows>
__attribute__((always_inline)) inline void multiply_row(Vec<T> (&sum)[Rows][2], const T* const* a, std::int64_t p,
                                                        const T* b, std::int64_t fetch_first,
                                                        std::int64_t fetch_second) {
  __builtin_prefetch(b + fetch_first);
  if constexpr (2 * MIEN_VECTOR_BYTES > 64) __builtin_prefetch(b + fetch_second);  // else it is the same line
  const Vec<T> first = load(b), second = load(b + lanes<T>);
#pragma GCC unroll 16
  for (int i = 0; i < Rows; ++i) {
    const T x = a[i][p];
    sum[i][0] += x * first, sum[i][1] += x * second;
  }
}

template <class T, int Rows>
__attribute__((noinline)) void multiply_rows(const RowOperand<T>& operand, const TileOutput<T>& out) {
  Vec<T> sum[Rows][2];
  start_tile(sum, out);
  const std::int64_t length = operand.length, ldb = operand.ldb;
  const std::int64_t fetch_first = operand.fetch.first, fetch_second = operand.fetch.second;
  for (std::int64_t run = 0; run < operand.runs; ++run) {
    const T* b = operand.b[run] + operand.b_offset;
    const T* const* a = operand.a + run * operand.a_step;
    if constexpr (register_count == 32) {
      for (std::int64_t p = 0; p < length; ++p, b += ldb) multiply_row(sum, a, p, b, fetch_first, fetch_second);
    } else {
      // A low tile has few products to hide the loop's own instructions behind. Zen 3 with a busy neighbour on the
      // core, AVX2, one thread, GFLOP/s, 256 cubed, 4608 x 256 x 64, 1152 x 512 x 128: four rows a turn and no line
      // fetched twice 75, 57, 66; two rows 70, 56, 65; one row, each line twice 64, 51, 62.
#pragma GCC unroll 4
      for (std::int64_t p = 0; p < length; ++p, b += ldb) multiply_row(sum, a, p, b, fetch_first, fetch_second);
    }
  }
  finish_tile(sum, out);
}

/// Adds the products of one column of A and one row of B.
template <class T, int Rows>
__attribute__((always_inline)) inline void multiply_column(Vec<T> (&sum)[Rows][2], const T* a, const T* b) {
  // Makes a[i] a distance in the instruction. Else g++ keeps every offset + i in a register of its own and, with 14
  // rows, in vector registers: 94 instead of 97 % of the peak.
  __asm__("" : "+r"(a));
  const Vec<T> first = load(b), second = load(b + lanes<T>);
#pragma GCC unroll 16
  for (int i = 0; i < Rows; ++i) {
    const T x = a[i];
    sum[i][0] += x * first, sum[i][1] += x * second;
  }
}

template <class T, int Rows>
__attribute__((noinline)) void multiply_columns(const ColumnOperand<T>& operand, const TileOutput<T>& out) {
  Vec<T> sum[Rows][2];
  start_tile(sum, out);
  const std::int64_t a_offset = operand.a_offset, b_offset = operand.b_offset, depth = operand.depth;
  constexpr std::int64_t line = 64 / sizeof(T);
  const T* const ahead = operand.ahead;
  if constexpr (register_count == 32) {
    for (std::int64_t p = 0; p < depth; ++p) {
      if (ahead != nullptr) __builtin_prefetch(ahead + p * line, 0, 2);
      multiply_column(sum, operand.a[p] + a_offset, operand.b[p] + b_offset);
    }
  } else {  // as by rows; the same machine, 64 x 64 x 4608 and 128 x 512 x 1152: 57, 50; one column a turn 43, 40
#pragma GCC unroll 4
    for (std::int64_t p = 0; p < depth; ++p) {
      if (ahead != nullptr) __builtin_prefetch(ahead + p * line, 0, 2);
      multiply_column(sum, operand.a[p] + a_offset, operand.b[p] + b_offset);
    }
  }
  finish_tile(sum, out);
}

/// Adds the products of one row of B and of values `distance` apart.
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

template <class T, int Rows>
inline constexpr MicroKernel<T> micro_kernel{&multiply_rows<T, Rows>, &multiply_columns<T, Rows>,
                                             &multiply_strips<T, Rows>};

/// Rows x two vectors of sums, two vectors of B and a broadcast fit the registers.
inline constexpr int tallest_tile = register_count == 32 ? 14 : 6;

template <class T>
constexpr kernels::MicroKernels<T> make_micro_kernels() {
  constexpr Isa isa = register_count == 32 ? Isa::avx512 : (MIEN_VECTOR_BYTES == 32 ? Isa::avx2 : Isa::portable);
  kernels::MicroKernels<T> all{isa,
                               2 * lanes<T>,
                               tallest_tile,
                               {micro_kernel<T, 1>, micro_kernel<T, 2>, micro_kernel<T, 3>, micro_kernel<T, 4>,
                                micro_kernel<T, 5>, micro_kernel<T, 6>}};
  if constexpr (tallest_tile == 14) {
    all.heights[6] = micro_kernel<T, 7>, all.heights[7] = micro_kernel<T, 8>;
    all.heights[8] = micro_kernel<T, 9>, all.heights[9] = micro_kernel<T, 10>;
    all.heights[10] = micro_kernel<T, 11>, all.heights[11] = micro_kernel<T, 12>;
    all.heights[12] = micro_kernel<T, 13>, all.heights[13] = micro_kernel<T, 14>;
  }
  return all;
}

template <class T>
inline constexpr MicroKernels<T> micro_kernels = make_micro_kernels<T>();
