#pragma once
// The classical way, forward and for the gradient of the kernel: rows of patches times the kernel. The rows are made a
// block at a time and never leave the second cache. Any geometry. It serves gradients of kernels that see few channels,
// for which the implicit way's runs are too short.

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include <mien/core/parallel.hpp>
#include <mien/kernels/conv/algorithm.hpp>
#include <mien/kernels/conv/im2col.hpp>
#include <mien/kernels/conv/kernel_pieces.hpp>
#include <mien/kernels/gemm/gemm.hpp>

namespace mien::inline v0::kernels::im2col_gemm {

inline const char* accepts(const ConvGeometry&) { return nullptr; }

/// The distance of the rows: an odd number of cache lines for long rows, so that they do not collide in the cache.
template <class T>
std::int64_t row_distance(const ConvGeometry& g) {
  const std::int64_t line = 64 / static_cast<std::int64_t>(sizeof(T)), lines = ceil_div(patch_size(g), line);
  return (lines > 4 && lines % 2 == 0 ? lines + 1 : lines) * line;
}

/// Rows at a time: half of a second cache of 1 MB, so that the product's operands have room beside them.
template <class T>
std::int64_t block_rows(const ConvGeometry& g) {
  const std::int64_t fitting = (std::int64_t{1} << 19) / static_cast<std::int64_t>(sizeof(T)) / row_distance<T>(g);
  return std::clamp<std::int64_t>(fitting, 32, 512);
}

/// A block's products for one group of channels. Their workspace grows with the rows.
template <class T>
struct BlockProducts {
  const ConvCall<T>& call;
  std::int64_t group, begin, rows;
  T* columns;

  [[nodiscard]] std::int64_t filter() const { return group * group_filters(call.geometry); }
  /// y = columns w
  [[nodiscard]] Gemm<T> forward() const {
    const ConvGeometry& g = call.geometry;
    Epilogue<T> epilogue = call.epilogue;
    epilogue.reader = nullptr;  // counts the picture's rows, not the block's
    if (epilogue.bias != nullptr) epilogue.bias += filter();
    return {.m = rows,
            .n = group_filters(g),
            .k = patch_size(g),
            .a = columns,
            .lda = row_distance<T>(g),
            .b = call.right + filter(),
            .ldb = g.k,
            .c = call.result + begin * g.k + filter(),
            .ldc = g.k,
            .epilogue = epilogue};
  }
  /// dw = columns' dy, or dw += it
  [[nodiscard]] Gemm<T> backward_kernel(T* dw, bool first) const {
    const ConvGeometry& g = call.geometry;
    return {.transpose_a = Transpose::yes,
            .m = patch_size(g),
            .n = group_filters(g),
            .k = rows,
            .a = columns,
            .lda = row_distance<T>(g),
            .b = call.right + begin * g.k + filter(),
            .ldb = g.k,
            .beta = first ? T(0) : T(1),
            .c = dw + filter(),
            .ldc = g.k};
  }
};

/// One thread's memory.
template <class T>
struct ThreadScratch {
  T* columns;
  std::byte* gemm;
  ThreadScratch(const ConvGeometry& g, std::size_t gemm_bytes, Scratch scratch)
      : columns(scratch.array<T>(block_rows<T>(g) * row_distance<T>(g))),
        gemm(scratch.array<std::byte>(static_cast<std::int64_t>(gemm_bytes))),
        bytes(scratch.bytes()) {}
  std::size_t bytes;
};

template <class T>
std::size_t gemm_bytes(const ConvGeometry& g, ConvPass pass) {
  const ConvCall<T> call{g, nullptr, nullptr, nullptr, {}, 1, nullptr};
  const BlockProducts<T> block{call, 0, 0, block_rows<T>(g), nullptr};
  return gemm_serial_workspace(pass == ConvPass::forward ? block.forward() : block.backward_kernel(nullptr, true));
}

template <class T>
ThreadScratch<T> thread_scratch(const ConvCall<T>& call, ConvPass pass, std::byte* first, int thread) {
  const std::size_t bytes = gemm_bytes<T>(call.geometry, pass);
  const std::size_t each = ThreadScratch<T>(call.geometry, bytes, Scratch()).bytes;
  return {call.geometry, bytes, Scratch(first + static_cast<std::size_t>(thread) * each)};
}

template <class T, ConvPass pass>
std::size_t workspace(const ConvGeometry& g, int threads) {
  static_assert(pass != ConvPass::backward_input, "col2im_gemm.hpp computes it");
  Scratch pieces;
  if (pass == ConvPass::backward_kernel) static_cast<void>(pieces.array<T>((kernel_pieces(g) - 1) * kernel_size(g)));
  return pieces.bytes() +
         static_cast<std::size_t>(threads) * ThreadScratch<T>(g, gemm_bytes<T>(g, pass), Scratch()).bytes;
}

template <class T>
void forward(const ConvCall<T>& call) {
  const ConvGeometry& g = call.geometry;
  const std::int64_t pixels = output_pixels(g);
  const std::int64_t tasks = std::max(ceil_div(pixels, block_rows<T>(g)), std::min(wanted_tasks, ceil_div(pixels, 32)));
  parallel_for(call.threads, tasks, [&](std::int64_t task, int thread) {
    const ThreadScratch<T> own = thread_scratch(call, ConvPass::forward, call.workspace, thread);
    const std::int64_t begin = part_begin(pixels, tasks, task), end = part_begin(pixels, tasks, task + 1);
    for (std::int64_t group = 0; group < g.groups; ++group) {
      im2col(g, call.left, group, begin, end, own.columns, row_distance<T>(g));
      gemm_serial(BlockProducts<T>{call, group, begin, end - begin, own.columns}.forward(), own.gemm);
    }
    call.epilogue.finished(begin, end - begin, g.k);
  });
}

template <class T>
void backward_kernel(const ConvCall<T>& call) {
  const ConvGeometry& g = call.geometry;
  const std::int64_t pieces = kernel_pieces(g), pixels = output_pixels(g);
  Scratch scratch(call.workspace);
  T* const others = scratch.array<T>((pieces - 1) * kernel_size(g));
  std::byte* const first_thread = call.workspace + scratch.bytes();
  parallel_for(call.threads, pieces, [&](std::int64_t piece, int thread) {
    const ThreadScratch<T> own = thread_scratch(call, ConvPass::backward_kernel, first_thread, thread);
    T* const dw = kernel_piece(g, call.result, others, piece);
    const std::int64_t piece_begin = part_begin(pixels, pieces, piece),
                       piece_end = part_begin(pixels, pieces, piece + 1);
    for (std::int64_t begin = piece_begin; begin == piece_begin || begin < piece_end; begin += block_rows<T>(g)) {
      const std::int64_t end = std::min(piece_end, begin + block_rows<T>(g));
      for (std::int64_t group = 0; group < g.groups; ++group) {
        im2col(g, call.left, group, begin, end, own.columns, row_distance<T>(g));
        const BlockProducts<T> block{call, group, begin, end - begin, own.columns};
        gemm_serial(block.backward_kernel(dw, begin == piece_begin), own.gemm);
      }
    }
  });
  add_kernel_pieces(g, pieces, call.result, others, call.threads);
}

}  // namespace mien::inline v0::kernels::im2col_gemm
