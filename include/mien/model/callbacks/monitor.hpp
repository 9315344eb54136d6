#pragma once
// When a monitored number has improved, once for all callbacks.

#include <limits>
#include <optional>
#include <string_view>

#include <mien/core/error.hpp>
#include <mien/model/callbacks/callback.hpp>

namespace mien::inline v0 {

/// Which way a monitored number is better. `automatic`: losses down, metrics as they declare.
enum class MonitorMode : int { automatic, min, max };

namespace detail {

/// Whether larger values of `monitor` are better. Without a training that knows its metrics, or for a name that it does
/// not know, the end of the name decides. Throws OptionError if that says nothing.
[[nodiscard]] inline bool higher_is_better(std::string_view who, std::string_view monitor, MonitorMode mode,
                                           const TrainingControl* control = nullptr) {
  if (mode != MonitorMode::automatic) return mode == MonitorMode::max;
  const std::string_view metric = monitor.substr(monitor.starts_with("val_") ? 4 : 0);
  const std::optional<bool> declared = control ? control->higher_is_better(metric) : std::nullopt;
  if (declared) return *declared;
  if (metric.ends_with("accuracy") || metric.ends_with("acc") || metric.ends_with("auc")) return true;
  for (const std::string_view down : {"loss", "error", "crossentropy"})
    if (metric.ends_with(down)) return false;
  throw OptionError(text(who, ": whether '", monitor, "' should rise or fall is not known: give MonitorMode::min or ",
                         "MonitorMode::max"));
}

/// The value that every number improves on.
[[nodiscard]] constexpr double worst(bool higher_is_better) {
  constexpr double infinity = std::numeric_limits<double>::infinity();
  return higher_is_better ? -infinity : infinity;
}

/// Whether `value` is better than `best` by more than min_delta. NaN never is.
[[nodiscard]] constexpr bool improves(double value, double best, bool higher_is_better, double min_delta = 0) {
  const double margin = min_delta < 0 ? -min_delta : min_delta;
  return higher_is_better ? value - margin > best : value + margin < best;
}

/// The number that a callback monitors. Throws OptionError if the logs do not have it.
[[nodiscard]] inline double monitored(std::string_view who, std::string_view monitor, const Logs& logs) {
  if (const std::optional<double> value = logs.get(monitor)) return *value;
  throw OptionError(text(who, ": monitor '", monitor, "' is not in the logs, there are: ", join(logs.names()),
                         monitor.starts_with("val_") ? "; val_ ones need validation_data or validation_split" : ""));
}

}  // namespace detail

}  // namespace mien::inline v0
