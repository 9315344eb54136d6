template <class T>
void add_arrays(std::int64_t n, const T* a, const T* b, T* y) {
  const std::int64_t whole = n - n % lanes<T>;
  for (std::int64_t i = 0; i < whole; i += lanes<T>) store(y + i, load(a + i) + load(b + i));
  for (std::int64_t i = whole; i < n; ++i) y[i] = a[i] + b[i];
}
