// The vocabulary of the kernels, once per instruction set: a vector of T, and what the compilers' vector extension does
// not spell. Arithmetic is plain: a * x + y on vectors is one FMA where the set has it (contraction is the compilers'
// default).

template <class T>
struct VecOf {
  typedef T type __attribute__((vector_size(MIEN_VECTOR_BYTES)));
  typedef T unaligned __attribute__((vector_size(MIEN_VECTOR_BYTES), aligned(sizeof(T)), may_alias));
};

/// lanes<T> elements of T in one register.
template <class T>
using Vec = typename VecOf<T>::type;

template <class T>
inline constexpr int lanes = MIEN_VECTOR_BYTES / static_cast<int>(sizeof(T));

/// The number of architectural vector registers.
inline constexpr int register_count = MIEN_REGISTERS;

template <class T>
__attribute__((always_inline)) inline Vec<T> load(const T* p) {
  return *reinterpret_cast<const typename VecOf<T>::unaligned*>(p);
}

template <class T>
__attribute__((always_inline)) inline void store(T* p, Vec<T> v) {
  *reinterpret_cast<typename VecOf<T>::unaligned*>(p) = v;
}

/// A store that passes the caches by, for a large array that is not read soon; p is aligned to the vector. Other
/// threads see it after the parallel_for that it is part of.
template <class T>
__attribute__((always_inline)) inline void store_past_caches(T* p, Vec<T> v) {
#if defined(__clang__)
  __builtin_nontemporal_store(v, reinterpret_cast<Vec<T>*>(p));
#elif defined(__x86_64__) && MIEN_VECTOR_BYTES == 64
  if constexpr (sizeof(T) == sizeof(float)) return __builtin_ia32_movntps512(p, v);
#elif defined(__x86_64__) && MIEN_VECTOR_BYTES == 32
  if constexpr (sizeof(T) == sizeof(float)) return __builtin_ia32_movntps256(p, v);
#elif defined(__x86_64__)
  if constexpr (sizeof(T) == sizeof(float)) return __builtin_ia32_movntps(p, v);
#endif
#if !defined(__clang__)
  store(p, v);
#endif
}

/// load and store for Value = Vec<T> or, one element, Value = T: lets the text of a loop serve its last elements too.
template <class Value, class T>
__attribute__((always_inline)) inline Value load_as(const T* p) {
  if constexpr (sizeof(Value) == sizeof(T))
    return *p;
  else
    return load(p);
}

template <class Value, class T>
__attribute__((always_inline)) inline void store_as(T* p, Value v) {
  if constexpr (sizeof(Value) == sizeof(T))
    *p = v;
  else
    store(p, v);
}

template <class T>
__attribute__((always_inline)) inline Vec<T> broadcast(T x) {
  return Vec<T>{} + x;
}

/// Lane by lane; where a lane of a is NaN the result is b's, as the machine's max does.
template <class T>
__attribute__((always_inline)) inline Vec<T> max(Vec<T> a, Vec<T> b) {
  return a > b ? a : b;
}

template <class T>
__attribute__((always_inline)) inline Vec<T> min(Vec<T> a, Vec<T> b) {
  return a < b ? a : b;
}

/// The sum of the lanes, in a tree that depends on the number of lanes alone.
template <class T>
__attribute__((always_inline)) inline T sum_of_lanes(Vec<T> v) {
  T partial[lanes<T>];
  store(partial, v);
  for (int width = lanes<T> / 2; width > 0; width /= 2)
    for (int i = 0; i < width; ++i) partial[i] += partial[i + width];
  return partial[0];
}
