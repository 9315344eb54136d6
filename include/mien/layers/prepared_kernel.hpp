#pragma once

#include <algorithm>
#include <cstddef>
#include <initializer_list>
#include <memory>
#include <utility>
#include <vector>

#include <mien/core/memory.hpp>
#include <mien/kernels/conv/conv.hpp>
#include <mien/layers/layer.hpp>

namespace mien::inline v0::detail {

/// A convolution's kernel in the forms that the algorithms of its forward pass read. Which these are depends on the
/// batch, and so there may be more than one.
template <class T>
class PreparedKernel final : public PreparedParameters {
 public:
  /// For the algorithms that these geometries choose; null if none of them has a form of its own.
  [[nodiscard]] static std::unique_ptr<const PreparedKernel> make(
      std::initializer_list<kernels::ConvGeometry> geometries, const T* kernel, int threads) {
    auto prepared = std::make_unique<PreparedKernel>();
    prepared->isa_ = active_isa();
    for (const kernels::ConvGeometry& g : geometries) {
      const auto& algorithm = kernels::select_conv<T>(g, kernels::ConvPass::forward);
      if (algorithm.prepare == nullptr || prepared->find(algorithm) != nullptr) continue;
      Buffer values(static_cast<std::size_t>(algorithm.prepared_size(g)) * sizeof(T));
      Buffer workspace(algorithm.workspace(g, threads));
      algorithm.prepare({g, nullptr, kernel, reinterpret_cast<T*>(values.data()), {}, threads, workspace.data()});
      prepared->forms_.push_back({&algorithm, std::move(values)});
    }
    return prepared->forms_.empty() ? nullptr : std::move(prepared);
  }

  /// Runs the call, whose geometry says kernel_prepared, if there is the form that its algorithm reads: forms are laid
  /// out for one instruction set.
  [[nodiscard]] bool forward(kernels::ConvCall<T> call) const {
    if (active_isa() != isa_) return false;
    const auto& algorithm = kernels::select_conv<T>(call.geometry, kernels::ConvPass::forward);
    const Form* const form = find(algorithm);
    if (form == nullptr) return false;
    call.right = reinterpret_cast<const T*>(form->values.data());
    algorithm.run(call);
    return true;
  }

 private:
  struct Form {
    const kernels::ConvAlgorithm<T>* algorithm;
    Buffer values;
  };
  [[nodiscard]] const Form* find(const kernels::ConvAlgorithm<T>& algorithm) const {
    const auto found =
        std::find_if(forms_.begin(), forms_.end(), [&](const Form& form) { return form.algorithm == &algorithm; });
    return found == forms_.end() ? nullptr : &*found;
  }

  std::vector<Form> forms_;
  Isa isa_ = Isa::portable;
};

}  // namespace mien::inline v0::detail
