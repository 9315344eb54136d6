#pragma once
// Few pixels and a kernel of many taps, as at the end of a network that looks at one picture. In regions nearly every
// pixel is one of its own: a product of one row, and each reads its taps' part of the kernel again. Here one tap's part
// is multiplied by all pixels that read it, then the next tap's: the kernel, which comes out of memory, is read once.
//
// A pixel's sum goes through its taps in the same order, so it has the same bits as in regions.

#include <algorithm>
#include <cstdint>

#include <mien/core/parallel.hpp>
#include <mien/kernels/conv/implicit_gemm_plan.hpp>

namespace mien::inline v0::kernels::implicit_gemm {

/// Up to so many pixels go tap by tap, if some see fewer taps than others.
inline constexpr std::int64_t most_few_pixels = 64;

[[nodiscard]] constexpr bool few_pixels(const Problem& p) {
  return p.groups == 1 && p.taps() > 1 && p.result_pixels() <= most_few_pixels;
}

/// Whether a call goes tap by tap, once the plan has found its regions: with fewer panels some threads had nothing to
/// do.
template <class T>
[[nodiscard]] bool goes_tap_by_tap(const Problem& p, const Plan<T>& plan, int threads) {
  return few_pixels(p) && plan.region_count > 1 && plan.panels >= threads;
}

/// The pixels that read one tap, what they read and where their sums are.
template <class T>
struct TapPixels {
  const T** sources;
  T** results;
  std::int64_t count;
};

/// The lists of all taps, and a list of all pixels.
template <class T>
struct TapLists {
  TapPixels<T>* taps;
  T** results;
  std::int64_t pixels;

  TapLists(const Problem& p, Scratch& scratch) : pixels(p.result_pixels()) {
    taps = scratch.array<TapPixels<T>>(p.taps());
    results = scratch.array<T*>(pixels);
    const T** const sources = scratch.array<const T*>(p.taps() * pixels);
    T** const sums = scratch.array<T*>(p.taps() * pixels);
    if (taps == nullptr) return;  // only measured
    for (std::int64_t t = 0; t < p.taps(); ++t) taps[t] = {sources + t * pixels, sums + t * pixels, 0};
  }

  void fill(const ConvCall<T>& call, const Problem& p, const Plan<T>& plan) {
    pixels = 0;
    for (const Region* region = plan.regions; region < plan.regions + plan.region_count; ++region)
      for (std::int64_t n = 0; n < p.pictures; ++n)
        for (std::int64_t i = 0; i < region->rows.count; ++i)
          for (std::int64_t j = 0; j < region->columns.count; ++j) add_pixel(call, p, *region, n, i, j);
  }

 private:
  void add_pixel(const ConvCall<T>& call, const Problem& p, const Region& region, std::int64_t n, std::int64_t i,
                 std::int64_t j) {
    const AxisSegment &down = region.rows, &across = region.columns;
    const std::int64_t row = n * p.rows.outputs + down.first + i * down.step;
    T* const result = call.result + (row * p.columns_axis.outputs + across.first + j * across.step) * p.columns;
    results[pixels++] = result;
    const std::int64_t source_row = n * p.rows.cells + down.cell + i * down.cell_step;
    const T* const source =
        call.left + (source_row * p.columns_axis.cells + across.cell + j * across.cell_step) * p.depth;
    for (std::int64_t r = 0; r < down.taps; ++r)
      for (std::int64_t s = 0; s < across.taps; ++s) {
        TapPixels<T>& tap =
            taps[(down.tap + r * down.tap_step) * p.columns_axis.taps + across.tap + s * across.tap_step];
        tap.sources[tap.count] = source + (r * down.tap_cells * p.columns_axis.cells + s * across.tap_cells) * p.depth;
        tap.results[tap.count++] = result;
      }
  }
};

template <class T>
[[nodiscard]] std::size_t lists_bytes(const Problem& p) {
  Scratch measured;
  static_cast<void>(TapLists<T>(p, measured));
  return measured.bytes();
}

/// One panel of filters: all taps.
template <class T>
void multiply_taps(const ConvCall<T>& call, const Problem& p, const Plan<T>& plan, const TapLists<T>& lists,
                   std::int64_t panel) {
  const std::int64_t height = plan.kernels->rows(), width = plan.kernels->columns;
  const std::int64_t column = panel * width, columns = std::min(width, p.columns - column);
  for (std::int64_t i = 0; i < lists.pixels; ++i)
    if (call.epilogue.bias != nullptr)
      std::copy_n(call.epilogue.bias + column, columns, lists.results[i] + column);
    else
      std::fill_n(lists.results[i] + column, columns, T(0));
  const T* b = (p.kernel_prepared ? call.right : plan.packed) + panel * p.taps() * p.depth * width;
  TileOutput<T> out{};
  out.accumulate = true, out.c_offset = column;
  for (std::int64_t t = 0; t < p.taps(); ++t, b += p.depth * width)
    for (std::int64_t i = 0; i < lists.taps[t].count; i += height) {
      out.c = lists.taps[t].results + i;
      const RowOperand<T> operand{lists.taps[t].sources + i,     0, &b, 0, width, 1, p.depth,
                                  fetch_in_panel(p.depth, width)};
      multiply_tile(*plan.kernels, operand, out, std::min(height, lists.taps[t].count - i), columns);
    }
  if (call.epilogue.activation != linear)
    for (std::int64_t i = 0; i < lists.pixels; ++i)
      activate(call.epilogue.activation, columns, lists.results[i] + column, lists.results[i] + column);
  call.epilogue.finished(0, lists.pixels, columns);  // the lists hold all pixels of the result
}

template <class T>
void run_tap_by_tap(const ConvCall<T>& call, const Problem& p, const Plan<T>& plan) {
  Scratch scratch(call.workspace + plan.shared_bytes);
  TapLists<T> lists(p, scratch);
  lists.fill(call, p, plan);
  parallel_for(call.threads, plan.panels, [&](std::int64_t panel, int) { multiply_taps(call, p, plan, lists, panel); });
}

}  // namespace mien::inline v0::kernels::implicit_gemm
