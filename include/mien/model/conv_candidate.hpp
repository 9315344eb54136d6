#pragma once
// One algorithm of a convolution, timed.

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <vector>

#include <mien/core/memory.hpp>
#include <mien/kernels/conv/algorithm.hpp>

namespace mien::inline v0::detail {

/// Memory for one pass of a convolution, filled with small numbers: pages never written would all be one page in cache.
template <class T>
class ConvOperands {
 public:
  ConvOperands(const kernels::ConvGeometry& g, kernels::ConvPass pass) {
    using kernels::ConvPass;
    const std::int64_t x = g.n * g.h * g.w * g.c, y = kernels::output_pixels(g) * g.k, w = kernels::patch_size(g) * g.k;
    left = filled(pass == ConvPass::backward_input ? y : x);
    right = filled(pass == ConvPass::backward_kernel ? y : w);
    result = filled(pass == ConvPass::forward ? y : pass == ConvPass::backward_input ? x : w);
  }

  Buffer left, right, result;  ///< as ConvCall has them

 private:
  [[nodiscard]] static Buffer filled(std::int64_t size) {
    Buffer buffer(static_cast<std::size_t>(size) * sizeof(T));
    T* const values = reinterpret_cast<T*>(buffer.data());
    for (std::int64_t i = 0; i < size; ++i) values[i] = static_cast<T>(i % 7 - 3);
    return buffer;
  }
};

/// One algorithm ready to be run on some operands, and the seconds that its runs took.
template <class T>
class ConvCandidate {
 public:
  ConvCandidate(const kernels::ConvAlgorithm<T>& algorithm, const kernels::ConvGeometry& g,
                const ConvOperands<T>& operands, int threads)
      : algorithm_(&algorithm), workspace_(algorithm.workspace(g, threads)) {
    const auto at = [](const Buffer& buffer) { return reinterpret_cast<T*>(buffer.data()); };
    call_ = {g, at(operands.left), at(operands.right), at(operands.result), {}, threads, workspace_.data()};
    if (!g.kernel_prepared || algorithm.prepare == nullptr) return;
    form_ = Buffer(static_cast<std::size_t>(algorithm.prepared_size(g)) * sizeof(T));
    kernels::ConvCall<T> preparation = call_;
    preparation.result = at(form_);
    algorithm.prepare(preparation);
    call_.right = at(form_);
  }

  void run() {
    const auto start = std::chrono::steady_clock::now();
    algorithm_->run(call_);
    seconds_.push_back(std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
  }
  /// What the first runs took says little: caches and pages were cold.
  void forget_runs() { seconds_.clear(); }
  /// What else the machine does only ever makes a run longer: on a busy one medians chose the slower of two.
  [[nodiscard]] double shortest() const { return *std::min_element(seconds_.begin(), seconds_.end()); }
  [[nodiscard]] const char* name() const { return algorithm_->name; }

 private:
  const kernels::ConvAlgorithm<T>* algorithm_;
  Buffer workspace_, form_;
  kernels::ConvCall<T> call_{};
  std::vector<double> seconds_;
};

}  // namespace mien::inline v0::detail
