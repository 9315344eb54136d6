#pragma once

#include <algorithm>
#include <cstdint>
#include <initializer_list>

#include <mien/core/error.hpp>
#include <mien/core/shape.hpp>
#include <mien/graph/node.hpp>
#include <mien/graph/options.hpp>

namespace mien::inline v0::detail {

/// Throws OptionError on rows, columns or sizes of windows beyond 2^30: sums and products of two of them, which a file
/// may ask for, then fit 63 bits.
template <class Options>
void check_extents(const Options& options, const Shape& x, std::initializer_list<std::int64_t> sizes) {
  constexpr std::int64_t limit = std::int64_t{1} << 30;
  const auto beyond = [](std::int64_t size) { return size > limit; };
  if (x[0] > limit || x[1] > limit || std::any_of(sizes.begin(), sizes.end(), beyond))
    throw OptionError(text(layer_title(options), " expected no number beyond ", limit, ", got ", join(sizes),
                           " for an input of shape ", x));
}

}  // namespace mien::inline v0::detail
