// What memory gives to plain loops, once per instruction set. They read and write as the library's kernels do, and
// compute next to nothing.

template <class T>
T read_stream(std::int64_t n, const T* a) {
  Vec<T> sum[4] = {};
  for (std::int64_t i = 0; i + 4 * lanes<T> <= n; i += 4 * lanes<T>)
    for (int j = 0; j < 4; ++j) sum[j] += load(a + i + j * lanes<T>);
  return sum_of_lanes<T>(sum[0] + sum[1] + sum[2] + sum[3]);
}

template <class T>
void copy_stream(std::int64_t n, const T* a, T* to) {
  for (std::int64_t i = 0; i + lanes<T> <= n; i += lanes<T>) store(to + i, load(a + i));
}

template <class T>
void add_stream(std::int64_t n, const T* a, const T* b, T* to) {
  for (std::int64_t i = 0; i + lanes<T> <= n; i += lanes<T>) store(to + i, load(a + i) + load(b + i));
}

/// Four arrays read, three of them written: what Adam does to memory.
template <class T>
void update_stream(std::int64_t n, const T* g, T* w, T* m, T* v) {
  for (std::int64_t i = 0; i + lanes<T> <= n; i += lanes<T>) {
    const Vec<T> x = load(g + i);
    store(w + i, load(w + i) + x), store(m + i, load(m + i) + x), store(v + i, load(v + i) + x);
  }
}

template <class T>
inline constexpr StreamKernels<T> stream_kernels{&read_stream<T>, &copy_stream<T>, &add_stream<T>, &update_stream<T>};
