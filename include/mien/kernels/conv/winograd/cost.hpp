#pragma once
// When fewer multiplications are worth the transforms. Everything is counted in multiplications of a product that runs
// at the processor's peak, so that one set of constants serves all instruction sets: they are ratios.

#include <algorithm>
#include <cstdint>

#include <mien/kernels/conv/winograd/problem.hpp>

namespace mien::inline v0::kernels::winograd {

/// What one value of V, M or U costs beside the products. Measured on a Zen 4, AVX-512, one thread, as the time beyond
/// the products' at 57 multiplications a nanosecond: v48.1_2 (V and M rule) 5.1 ms for 21 million values, 14 each;
/// v48.5_x (U rules) 2.6 ms for 6.6 million, 23 each.
inline constexpr std::int64_t cost_of_value = 14, cost_of_kernel_value = 25;

/// Multiplications of the implicit product, which leaves out taps that fall on padding.
[[nodiscard]] constexpr std::int64_t axis_taps(std::int64_t outputs, std::int64_t cells, std::int64_t pad) {
  std::int64_t sum = 0;
  for (std::int64_t t = 0; t < taps; ++t) {  // of the outputs, those with 0 <= o - pad + t < cells
    const std::int64_t first = std::max<std::int64_t>(0, pad - t), end = std::min(outputs, cells + pad - t);
    sum += std::max<std::int64_t>(0, end - first);
  }
  return sum;
}

/// What packing one value of the kernel costs the implicit product, as far as it shows: rn.5.2 forward, two threads,
/// 2.21 ms against 1.72 of Winograd's nine products.
inline constexpr std::int64_t cost_of_packed_value = 14;

/// What reading one value of a prepared kernel from memory costs: two threads of a Zen 4 read 10 values a nanosecond
/// and make 115 multiplications. A kernel that is prepared in the call is still in a cache.
inline constexpr std::int64_t cost_of_prepared_value = 11;

/// Of the implicit product, for each pair of channel and filter: its multiplications.
[[nodiscard]] inline std::int64_t direct_products(const Problem& p) {
  return p.pictures * axis_taps(p.out_h, p.in_h, p.pad_top) * axis_taps(p.out_w, p.in_w, p.pad_left);
}

[[nodiscard]] inline std::int64_t direct_cost(const Problem& p) {
  const std::int64_t kernel_value = p.kernel_prepared ? cost_of_prepared_value : cost_of_packed_value;
  return (direct_products(p) + kernel_value * taps * taps) * p.depth * p.columns;
}

/// Of all tiles: their products, and the transforms beside them.
[[nodiscard]] inline std::int64_t tiles_cost(const Problem& p) {
  const std::int64_t points = p.pictures * p.down.total_points() * p.across.total_points();
  return points * p.depth * p.columns + cost_of_value * points * (p.depth + p.columns);
}

[[nodiscard]] inline std::int64_t winograd_cost(const Problem& p) {
  const std::int64_t kernel_value = p.kernel_prepared ? cost_of_prepared_value : cost_of_kernel_value;
  return tiles_cost(p) + kernel_value * p.points() * p.depth * p.columns;
}

/// The same of the gradient of the kernel: what gathering one value of dU into dw costs, beyond what the implicit
/// product's writing of dw costs. v48.4_2, one thread: 1.5 ms for 6.6 million, which would be 13; but two threads wait
/// for memory, and pictures of 2x2 (rn.5.2) take 1.67 ms where the implicit product takes 1.37.
inline constexpr std::int64_t cost_of_sum = 25;

[[nodiscard]] inline std::int64_t kernel_gradient_cost(const Problem& p) {
  return tiles_cost(p) + cost_of_sum * p.points() * p.depth * p.columns;
}

/// Why a row of Winograd's algorithm loses.
inline constexpr const char* transforms_cost_more = "its transforms would cost more than the products that it saves";
inline constexpr const char* smaller_tiles_cost_less = "tiles of up to 4 outputs cost less";

}  // namespace mien::inline v0::kernels::winograd
