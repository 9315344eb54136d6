#pragma once

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <limits>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <mien/core/error.hpp>
#include <mien/model/callbacks/callback.hpp>
#include <mien/model/callbacks/monitor.hpp>

namespace mien::inline v0 {

/// The logs of each epoch that was trained, as fit returns them:
///
///     history["val_loss"].back()        history.best_epoch("val_accuracy")        history.to_csv()
struct History {
  struct Column {
    std::string name;
    std::vector<double> values;  ///< one per epoch; NaN where the epoch's logs did not have it
  };

  std::vector<int> epoch{};       ///< counted from 0
  std::vector<Column> columns{};  ///< in the order of the logs: loss, the metrics, val_loss, ...

  /// The values of one column. Throws OptionError if there is none of that name.
  [[nodiscard]] const std::vector<double>& operator[](std::string_view name) const {
    for (const Column& column : columns)
      if (column.name == name) return column.values;
    throw OptionError(text("History: there is no '", name, "', there are: ", join(names())));
  }

  [[nodiscard]] std::vector<std::string> names() const {
    std::vector<std::string> names;
    for (const Column& column : columns) names.push_back(column.name);
    return names;
  }

  /// The epoch, counted from 0, with the best value of a column; the first of several; NaN is never best. Throws
  /// OptionError if there is no such column, if it has no number, or if `automatic` does not know the direction.
  [[nodiscard]] int best_epoch(std::string_view name, MonitorMode mode = MonitorMode::automatic) const {
    const std::vector<double>& values = (*this)[name];
    const bool up = detail::higher_is_better("History::best_epoch", name, mode);
    double best = detail::worst(up);
    int result = -1;
    for (std::size_t i = 0; i < values.size(); ++i)
      if (detail::improves(values[i], best, up)) best = values[i], result = epoch[i];
    if (result < 0) throw OptionError(text("History::best_epoch: '", name, "' has no finite value"));
    return result;
  }

  /// Adds the logs of an epoch. A name that comes later has NaN in the epochs before.
  void append(int number, const Logs& logs) {
    for (const auto& [name, value] : logs) {
      const auto same = [&n = name](const Column& column) { return column.name == n; };
      if (std::none_of(columns.begin(), columns.end(), same))
        columns.push_back({name, std::vector<double>(epoch.size(), std::numeric_limits<double>::quiet_NaN())});
    }
    for (Column& column : columns)
      column.values.push_back(logs.get(column.name).value_or(std::numeric_limits<double>::quiet_NaN()));
    epoch.push_back(number);
  }

  /// A header and a line per epoch. Numbers are the shortest text that reads back to the same bits.
  [[nodiscard]] std::string to_csv(char separator = ',') const {
    std::string csv = "epoch";
    for (const Column& column : columns) csv += separator + column.name;
    for (std::size_t i = 0; i < epoch.size(); ++i) {
      csv += text('\n', epoch[i]);
      for (const Column& column : columns) csv += text(separator, column.values[i]);
    }
    return csv + '\n';
  }

  void visit_state(StateVisitor& visit) {
    std::string header = join(names(), "\n");
    visit("history/columns", header);
    if (header != join(names(), "\n")) {
      columns.clear();
      for (std::size_t begin = 0, end = 0; begin < header.size(); begin = end + 1) {
        end = std::min(header.find('\n', begin), header.size());
        columns.push_back({header.substr(begin, end - begin), {}});
      }
    }
    visit_array(visit, "history/epoch", epoch);
    for (Column& column : columns) {
      visit_array(visit, "history/" + column.name, column.values);
      if (column.values.size() != epoch.size())
        throw OptionError(text("History: '", column.name, "' has ", column.values.size(), " values for ", epoch.size(),
                               " epochs: the checkpoint is damaged"));
    }
  }

 private:
  template <class X>
  static void visit_array(StateVisitor& visit, const std::string& name, std::vector<X>& values) {
    std::vector<std::byte> bytes(values.size() * sizeof(X));
    if (!bytes.empty()) std::memcpy(bytes.data(), values.data(), bytes.size());
    visit(name.c_str(), bytes);
    values.resize(bytes.size() / sizeof(X));
    if (!bytes.empty()) std::memcpy(values.data(), bytes.data(), values.size() * sizeof(X));
  }
};

}  // namespace mien::inline v0
