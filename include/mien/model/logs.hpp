#pragma once

#include <cstddef>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace mien::inline v0 {

/// Named numbers in the order in which they were first set: loss, the metrics, then val_loss, ...
class Logs {
 public:
  using Entry = std::pair<std::string, double>;

  Logs() = default;
  Logs(std::initializer_list<Entry> entries) {
    for (const Entry& entry : entries) set(entry.first, entry.second);
  }

  /// The number of that name, or nothing.
  [[nodiscard]] std::optional<double> get(std::string_view name) const {
    for (const Entry& entry : entries_)
      if (entry.first == name) return entry.second;
    return std::nullopt;
  }

  /// Overwrites the number of that name, or appends it.
  void set(std::string_view name, double value) {
    for (Entry& entry : entries_)
      if (entry.first == name) {
        entry.second = value;
        return;
      }
    entries_.emplace_back(name, value);
  }

  [[nodiscard]] std::vector<std::string> names() const {
    std::vector<std::string> names;
    for (const Entry& entry : entries_) names.push_back(entry.first);
    return names;
  }

  [[nodiscard]] auto begin() const { return entries_.begin(); }
  [[nodiscard]] auto end() const { return entries_.end(); }
  [[nodiscard]] std::size_t size() const { return entries_.size(); }
  [[nodiscard]] bool empty() const { return entries_.empty(); }
  friend bool operator==(const Logs&, const Logs&) = default;

 private:
  std::vector<Entry> entries_;
};

}  // namespace mien::inline v0
