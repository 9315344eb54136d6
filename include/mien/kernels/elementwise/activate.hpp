#pragma once
// Activations: the function, its gradient, over an array or over the rows of a matrix. All of them work in place.

#include <algorithm>
#include <cstdint>

#include <mien/activations/activation.hpp>
#include <mien/kernels/elementwise/chunks.hpp>
#include <mien/kernels/elementwise/exponential.hpp>
#include <mien/kernels/isa/registers.hpp>

#define MIEN_KERNEL_TEXT <mien/kernels/elementwise/activate.inl>
#include <mien/kernels/isa/for_each_isa.inl>

namespace mien::inline v0::kernels {

/// y = f(x) for n elements, on the caller's thread; softmax takes them as one row. y may be x.
template <class T>
void activate(const ActivationFunction& f, std::int64_t n, const T* x, T* y) {
  MIEN_SELECT_ISA(T, activate_any)(f, n, x, y);
}

/// dx = dy f'(x) for n elements, on the caller's thread; softmax takes them as one row. Reads y = f(x) where f is
/// differentiable_from_output, else x; the other one may be null. dx may be dy.
template <class T>
void activate_backward(const ActivationFunction& f, std::int64_t n, const T* x, const T* y, const T* dy, T* dx) {
  MIEN_SELECT_ISA(T, activate_any_backward)(f, n, x, y, dy, dx);
}

/// Calls body(first element, elements) for the pieces of a matrix that f may be applied to one by one: rows if f is
/// softmax, else stretches of any kind.
template <class Body>
void for_each_activated_piece(const ActivationFunction& f, std::int64_t rows, std::int64_t columns, int threads,
                              const Body& body) {
  if (f.kind != ActivationFunction::Kind::softmax)
    return for_each_chunk(rows * columns, elementwise_chunk, threads, body);
  const std::int64_t step = std::max<std::int64_t>(1, elementwise_chunk / std::max<std::int64_t>(1, columns));
  for_each_chunk(rows, step, threads, [&](std::int64_t first, std::int64_t count) {
    for (std::int64_t row = first; row < first + count; ++row) body(row * columns, columns);
  });
}

/// y = f(x) for a matrix (rows, columns); softmax is over each row.
template <class T>
void activate(const ActivationFunction& f, std::int64_t rows, std::int64_t columns, const T* x, T* y, int threads) {
  if (f == linear && x == y) return;
  for_each_activated_piece(f, rows, columns, threads,
                           [&](std::int64_t i, std::int64_t n) { activate(f, n, x + i, y + i); });
}

/// dx = dy f'(x) for a matrix (rows, columns), from x or y as above.
template <class T>
void activate_backward(const ActivationFunction& f, std::int64_t rows, std::int64_t columns, const T* x, const T* y,
                       const T* dy, T* dx, int threads) {
  if (f == linear && dx == dy) return;
  const auto at = [](const T* p, std::int64_t i) { return p == nullptr ? nullptr : p + i; };
  for_each_activated_piece(f, rows, columns, threads, [&](std::int64_t i, std::int64_t n) {
    activate_backward(f, n, at(x, i), at(y, i), dy + i, dx + i);
  });
}

}  // namespace mien::inline v0::kernels
