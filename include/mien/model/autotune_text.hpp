#pragma once
// Measured algorithms as text, for checkpoints: a line each with pass, algorithm and geometry.

#include <algorithm>
#include <array>
#include <cstdint>
#include <iterator>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

#include <mien/kernels/conv/select.hpp>

namespace mien::inline v0::detail {

/// Every number of a geometry, in the order of a line.
template <class Geometry>
[[nodiscard]] auto numbers_of(Geometry& g) {
  return std::array{&g.n,        &g.h,          &g.w,         &g.c,          &g.k,          &g.r,
                    &g.s,        &g.stride_h,   &g.stride_w,  &g.dilation_h, &g.dilation_w, &g.pad_top,
                    &g.pad_left, &g.pad_bottom, &g.pad_right, &g.groups,     &g.oh,         &g.ow};
}

/// "forward winograd fast given 0 48 48 ...": the oldest entry first.
[[nodiscard]] inline std::string to_text(const kernels::ConvChoices& choices) {
  std::string lines;
  for (auto* entry = choices.newest(); entry != nullptr; entry = entry->before) {
    const kernels::ConvGeometry& g = entry->key;
    std::string line =
        text(to_string(entry->pass), ' ', entry->algorithm, g.arithmetic == Arithmetic::strict ? " strict" : " fast",
             g.kernel_prepared ? " prepared" : " given");
    for (const std::int64_t* number : numbers_of(g)) line += text(' ', *number);
    lines = line + '\n' + lines;
  }
  return lines;
}

/// The row of that name. Throws OptionError listing the rows that there are.
template <class T>
[[nodiscard]] const kernels::ConvAlgorithm<T>& algorithm_named(const std::string& name, kernels::ConvPass pass) {
  std::vector<std::string> names;
  for (const kernels::ConvAlgorithm<T>& algorithm : kernels::conv_algorithms<T>(pass)) {
    if (name == algorithm.name) return algorithm;
    names.emplace_back(algorithm.name);
  }
  throw OptionError(text("autotune: an algorithm '", name, "' was measured as the fastest for a convolution's pass ",
                         to_string(pass), ", and this version of mien has only: ", join(names),
                         "; go on with the version that measured it, or start afresh"));
}

/// What to_text wrote. Throws OptionError on anything else.
template <class T>
[[nodiscard]] std::unique_ptr<kernels::ConvChoices> choices_from(const std::string& lines) {
  auto choices = std::make_unique<kernels::ConvChoices>();
  std::istringstream in(lines);
  for (std::string line; std::getline(in, line);) {
    std::istringstream words(line);
    std::string pass_name, algorithm, arithmetic, kernel, rest;
    kernels::ConvGeometry g;
    words >> pass_name >> algorithm >> arithmetic >> kernel;
    for (std::int64_t* number : numbers_of(g)) words >> *number;
    const auto* pass = std::find_if(std::begin(kernels::conv_passes), std::end(kernels::conv_passes),
                                    [&](kernels::ConvPass p) { return pass_name == to_string(p); });
    if (!words || words >> rest || pass == std::end(kernels::conv_passes) ||
        (arithmetic != "fast" && arithmetic != "strict") || (kernel != "given" && kernel != "prepared"))
      throw OptionError(text("autotune: no measured algorithm can be read from '", line, "'"));
    g.arithmetic = arithmetic == "strict" ? Arithmetic::strict : Arithmetic::fast;
    g.kernel_prepared = kernel == "prepared";
    choices->add(g, *pass, algorithm_named<T>(algorithm, *pass).name);
  }
  return choices;
}

}  // namespace mien::inline v0::detail
