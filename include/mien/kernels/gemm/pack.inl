// Copies that bring an operand into the order in which a micro-kernel reads it, once per instruction set.

/// to[i * ld_to + j] = scale * from[i * ld_from + j] for j < columns, 0 for columns <= j < width.
template <class T>
void copy_rows(const T* from, std::int64_t ld_from, std::int64_t rows, std::int64_t columns, T scale, T* to,
               std::int64_t ld_to, std::int64_t width) {
  for (std::int64_t i = 0; i < rows; ++i, from += ld_from, to += ld_to) {
    std::int64_t j = 0;
    for (; j + lanes<T> <= columns; j += lanes<T>) store(to + j, scale * load(from + j));
    for (; j < columns; ++j) to[j] = scale * from[j];
    for (; j < width; ++j) to[j] = 0;
  }
}

/// Rows of B that go into all panels before the next ones do. A panel's rows alone would read B in pieces of a cache
/// line or two, a row apart, which no prefetcher follows. 1024 x 1024 floats in the third cache, panels of 16 / 32,
/// GB/s of B: 8 rows 40 / 42, 4 rows 27 / 43, 16 rows 36 / 37, panel after panel 12 / 32.
inline constexpr std::int64_t rows_at_once = 8;

/// Fetches a block of memory that is read soon; beyond the end of B that does nothing. The 46 MB of ResNet50's widest
/// 1x1 kernels, out of memory, two threads, medians of three in turns: copied 3.9 and with it 3.4 ms, transposed 5.4
/// and 3.2.
template <class T>
__attribute__((always_inline)) inline void fetch_rows(const T* from, std::int64_t ld, std::int64_t rows,
                                                      std::int64_t columns) {
  for (std::int64_t i = 0; i < rows; ++i)
    for (std::int64_t j = 0; j < columns; j += 64 / static_cast<std::int64_t>(sizeof(T)))
      __builtin_prefetch(from + i * ld + j);
}

/// copy_rows into one panel after the other: column j of row i goes to to[j / width * panel_size + i * width + j %
/// width].
template <class T>
void copy_into_panels(const T* from, std::int64_t ld_from, std::int64_t rows, std::int64_t columns, T scale, T* to,
                      std::int64_t panel_size, std::int64_t width) {
  for (std::int64_t i = 0; i < rows; i += rows_at_once) {
    const std::int64_t count = rows - i < rows_at_once ? rows - i : rows_at_once;
    T* panel = to + i * width;
    for (std::int64_t j = 0; j < columns; j += width, panel += panel_size) {
      fetch_rows(from + (i + rows_at_once) * ld_from + j, ld_from, rows_at_once, width);
      copy_rows(from + i * ld_from + j, ld_from, count, columns - j < width ? columns - j : width, scale, panel, width,
                width);
    }
  }
}

template <class T>
struct QuadOf {
  typedef T type __attribute__((vector_size(4 * sizeof(T))));
  typedef T unaligned __attribute__((vector_size(4 * sizeof(T)), aligned(sizeof(T)), may_alias));
};

/// Four rows of four, transposed in registers: from[j * ld_from + p] goes to to[p * ld_to + j].
template <class T>
__attribute__((always_inline)) inline void transpose_quads(const T* from, std::int64_t ld_from, T scale, T* to,
                                                           std::int64_t ld_to) {
  using Quad = typename QuadOf<T>::type;
  using Unaligned = typename QuadOf<T>::unaligned;
  const Quad a = *reinterpret_cast<const Unaligned*>(from) * scale;
  const Quad b = *reinterpret_cast<const Unaligned*>(from + ld_from) * scale;
  const Quad c = *reinterpret_cast<const Unaligned*>(from + 2 * ld_from) * scale;
  const Quad d = *reinterpret_cast<const Unaligned*>(from + 3 * ld_from) * scale;
  const Quad ab_low = __builtin_shufflevector(a, b, 0, 4, 1, 5), ab_high = __builtin_shufflevector(a, b, 2, 6, 3, 7);
  const Quad cd_low = __builtin_shufflevector(c, d, 0, 4, 1, 5), cd_high = __builtin_shufflevector(c, d, 2, 6, 3, 7);
  *reinterpret_cast<Unaligned*>(to) = __builtin_shufflevector(ab_low, cd_low, 0, 1, 4, 5);
  *reinterpret_cast<Unaligned*>(to + ld_to) = __builtin_shufflevector(ab_low, cd_low, 2, 3, 6, 7);
  *reinterpret_cast<Unaligned*>(to + 2 * ld_to) = __builtin_shufflevector(ab_high, cd_high, 0, 1, 4, 5);
  *reinterpret_cast<Unaligned*>(to + 3 * ld_to) = __builtin_shufflevector(ab_high, cd_high, 2, 3, 6, 7);
}

/// What a transposition fetches of its rows, ahead of the line that it reads.
inline constexpr std::int64_t lines_ahead = 4;

/// to[p * width + j] = scale * from[j * ld_from + p] for p < depth and j < columns, 0 for columns <= j < width. Four
/// rows at a time, a cache line of each: rows often lie a multiple of 4096 bytes apart, and more of them would push
/// each other out of the first cache before their lines are used up. 512 rows 8192 bytes apart, ns a
/// value: 0.19, and 0.58 with all rows four values at a time.
template <class T>
void transpose_into_panel(const T* from, std::int64_t ld_from, std::int64_t depth, std::int64_t columns, T scale, T* to,
                          std::int64_t width) {
  constexpr std::int64_t line = 64 / sizeof(T);
  const std::int64_t quad_columns = columns / 4 * 4, quad_depth = depth / 4 * 4;
  for (std::int64_t begin = 0; begin < quad_depth; begin += line) {
    const std::int64_t end = quad_depth - begin < line ? quad_depth : begin + line;
    for (std::int64_t j = 0; j < quad_columns; j += 4) {
      fetch_rows(from + j * ld_from + begin + lines_ahead * line, ld_from, 4, line);
      for (std::int64_t p = begin; p < end; p += 4)
        transpose_quads(from + j * ld_from + p, ld_from, scale, to + p * width + j, width);
    }
  }
  for (std::int64_t p = 0; p < depth; ++p) {
    for (std::int64_t j = p < quad_depth ? quad_columns : 0; j < columns; ++j)
      to[p * width + j] = scale * from[j * ld_from + p];
    for (std::int64_t j = columns; j < width; ++j) to[p * width + j] = 0;
  }
}

template <class T>
inline constexpr PackKernels<T> pack_kernels{&copy_rows<T>, &copy_into_panels<T>, &transpose_into_panel<T>};
