#pragma once
// Which algorithm computes a pass: the measured one, or the first row of its list that accepts the geometry. A new
// algorithm is a new row.

#include <array>
#include <span>
#include <string>
#include <string_view>

#include <mien/core/error.hpp>
#include <mien/kernels/conv/algorithm.hpp>
#include <mien/kernels/conv/choices.hpp>
#include <mien/kernels/conv/col2im_gemm.hpp>
#include <mien/kernels/conv/depthwise.hpp>
#include <mien/kernels/conv/depthwise_kernel_gradient.hpp>
#include <mien/kernels/conv/gemm_1x1.hpp>
#include <mien/kernels/conv/im2col_gemm.hpp>
#include <mien/kernels/conv/implicit_gemm.hpp>
#include <mien/kernels/conv/implicit_gemm_kernel.hpp>
#include <mien/kernels/conv/reference.hpp>
#include <mien/kernels/conv/strips.hpp>
#include <mien/kernels/conv/strips_forward.hpp>
#include <mien/kernels/conv/winograd/kernel_gradient.hpp>
#include <mien/kernels/conv/winograd/winograd.hpp>

namespace mien::inline v0::kernels {

template <class T>
inline constexpr std::array<ConvAlgorithm<T>, 8> forward_algorithms{{
    {"depthwise", depthwise::accepts, depthwise::workspace<T, ConvPass::forward>, depthwise::forward<T>},
    {"gemm_1x1", gemm_1x1::accepts, gemm_1x1::workspace<T, ConvPass::forward>, gemm_1x1::run<T, ConvPass::forward>,
     gemm_1x1::loses_forward},
    {"winograd_6x6", winograd::accepts<T, ConvPass::forward, true>, winograd::workspace<T, false, true>,
     winograd::run<T, false, true>, winograd::loses<false, true>, false, winograd::prepared_size<T, true>,
     winograd::prepare<T, true>},
    {"winograd", winograd::accepts<T, ConvPass::forward, false>, winograd::workspace<T, false, false>,
     winograd::run<T, false, false>, winograd::loses<false, false>, false, winograd::prepared_size<T, false>,
     winograd::prepare<T, false>},
    {"strips", strips::accepts, strips::forward_workspace<T>, strips::forward<T>, strips::loses_forward, true,
     strips::prepared_size<T>, strips::prepare<T>},
    {"implicit_gemm", implicit_gemm::accepts_forward, implicit_gemm::workspace<T, false>, implicit_gemm::run<T, false>,
     nullptr, true, implicit_gemm::prepared_size<T>, implicit_gemm::prepare<T>},
    {"im2col", im2col_gemm::accepts, im2col_gemm::workspace<T, ConvPass::forward>, im2col_gemm::forward<T>},
    {"reference", reference::accepts, reference::workspace, reference::forward<T>},
}};

template <class T>
inline constexpr std::array<ConvAlgorithm<T>, 7> backward_input_algorithms{{
    {"depthwise", depthwise::accepts, depthwise::workspace<T, ConvPass::backward_input>, depthwise::backward_input<T>,
     nullptr, true, nullptr, nullptr, false},
    {"gemm_1x1", gemm_1x1::accepts, gemm_1x1::workspace<T, ConvPass::backward_input>,
     gemm_1x1::run<T, ConvPass::backward_input>},
    {"winograd_6x6", winograd::accepts<T, ConvPass::backward_input, true>, winograd::workspace<T, true, true>,
     winograd::run<T, true, true>, winograd::loses<true, true>, false},
    {"winograd", winograd::accepts<T, ConvPass::backward_input, false>, winograd::workspace<T, true, false>,
     winograd::run<T, true, false>, winograd::loses<true, false>, false},
    {"implicit_gemm", implicit_gemm::accepts_backward_input, implicit_gemm::workspace<T, true>,
     implicit_gemm::run<T, true>},
    {"col2im", col2im_gemm::accepts, col2im_gemm::workspace<T>, col2im_gemm::backward_input<T>},
    {"reference", reference::accepts, reference::workspace, reference::backward_input<T>, nullptr, true, nullptr,
     nullptr, false},
}};

template <class T>
inline constexpr std::array<ConvAlgorithm<T>, 8> backward_kernel_algorithms{{
    {"depthwise", depthwise::accepts, depthwise::workspace<T, ConvPass::backward_kernel>,
     depthwise::backward_kernel<T>},
    {"gemm_1x1", gemm_1x1::accepts, gemm_1x1::workspace<T, ConvPass::backward_kernel>,
     gemm_1x1::run<T, ConvPass::backward_kernel>, gemm_1x1::loses_backward_kernel},
    {"winograd_6x6", winograd::accepts<T, ConvPass::backward_kernel, true>,
     winograd::kernel_gradient_workspace<T, true>, winograd::kernel_gradient<T, true>,
     winograd::kernel_gradient_loses<true>, false},
    {"winograd", winograd::accepts<T, ConvPass::backward_kernel, false>, winograd::kernel_gradient_workspace<T, false>,
     winograd::kernel_gradient<T, false>, winograd::kernel_gradient_loses<false>, false},
    {"implicit_gemm", implicit_gemm::accepts_backward_kernel, implicit_gemm::kernel_workspace<T>,
     implicit_gemm::backward_kernel<T>},
    {"strips", strips::accepts, strips::workspace<T>, strips::backward_kernel<T>},
    {"im2col", im2col_gemm::accepts, im2col_gemm::workspace<T, ConvPass::backward_kernel>,
     im2col_gemm::backward_kernel<T>},
    {"reference", reference::accepts, reference::workspace, reference::backward_kernel<T>},
}};

/// A pass's algorithms, the best first. The last accepts everything.
template <class T>
[[nodiscard]] std::span<const ConvAlgorithm<T>> conv_algorithms(ConvPass pass) {
  if (pass == ConvPass::forward) return forward_algorithms<T>;
  if (pass == ConvPass::backward_input) return backward_input_algorithms<T>;
  return backward_kernel_algorithms<T>;
}

/// The algorithm that the geometry's choices name for the pass; empty if nothing was measured.
[[nodiscard]] inline std::string_view measured_choice(const ConvGeometry& g, ConvPass pass) {
  const char* const name = g.choices == nullptr ? nullptr : g.choices->find(g, pass);
  return name == nullptr ? std::string_view{} : name;
}

/// The algorithm of that name if it is in the pass's list and accepts the geometry; without a name, the measured one;
/// if there is none, the first that accepts the geometry. The number of threads has no say, so that it cannot change a
/// result.
template <class T>
[[nodiscard]] const ConvAlgorithm<T>& select_conv(const ConvGeometry& g, ConvPass pass, std::string_view name = {}) {
  if (name.empty()) name = measured_choice(g, pass);
  const std::span<const ConvAlgorithm<T>> list = conv_algorithms<T>(pass);
  for (const ConvAlgorithm<T>& algorithm : list)
    if (name == algorithm.name && algorithm.accepts(g) == nullptr) return algorithm;
  for (const ConvAlgorithm<T>& algorithm : list)
    if (reason_against(algorithm, g) == nullptr) return algorithm;
  return list.back();
}

/// One pass of a convolution in words.
[[nodiscard]] inline std::string describe(const ConvGeometry& g, ConvPass pass) {
  return text("convolution ", g.n, "x", g.h, "x", g.w, "x", g.c, ", kernel ", g.r, "x", g.s, "x", group_channels(g),
              "x", g.k, ", ", to_string(pass), g.kernel_prepared ? ", kernel prepared" : "");
}

/// Which algorithm a pass takes: that it was measured, or why the rows before it were passed over.
template <class T = float>
[[nodiscard]] std::string explain_choice(const ConvGeometry& g, ConvPass pass) {
  std::string line = text(describe(g, pass), ": ", select_conv<T>(g, pass).name);
  if (!measured_choice(g, pass).empty()) return line + "; measured";
  for (const ConvAlgorithm<T>& algorithm : conv_algorithms<T>(pass)) {
    const char* reason = reason_against(algorithm, g);
    if (reason == nullptr) break;
    line += text("; not ", algorithm.name, ": ", reason);
  }
  return line;
}

}  // namespace mien::inline v0::kernels
