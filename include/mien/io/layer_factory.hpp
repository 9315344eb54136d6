#pragma once
// The one place that makes layers from names.

#include <string>
#include <string_view>

#include <mien/core/compiled.hpp>
#include <mien/core/error.hpp>
#include <mien/io/custom_objects.hpp>

namespace mien::inline v0::io {

/// All layers that mien has.
[[nodiscard]] MIEN_INLINE const CustomObjects& known_layers();

/// The maker of that type, the user's own first. Throws FileError.
[[nodiscard]] inline const LayerMaker& find_layer(std::string_view type, const CustomObjects& custom,
                                                  const std::string& who) {
  for (const CustomObjects* objects : {&custom, &known_layers()}) {
    const auto found = objects->makers().find(type);
    if (found != objects->makers().end()) return found->second;
  }
  throw FileError(text(who, ": unknown layer type '", type, "'; a layer of your own is loaded with .custom_objects = ",
                       "CustomObjects{}.add<YourOptions>()"));
}

}  // namespace mien::inline v0::io

#if MIEN_DEFINES
#  include <mien/io/layer_factory_impl.hpp>
#endif
