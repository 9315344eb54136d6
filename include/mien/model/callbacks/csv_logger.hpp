#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <system_error>

#include <mien/core/error.hpp>
#include <mien/model/callbacks/callback.hpp>

namespace mien::inline v0 {

/// Writes a row per epoch: the epoch, counted from `first_epoch`, and the logs in their order. The columns are those of
/// the first epoch; a number that is missing later is NA. Each row is in the file when its epoch ends; numbers are the
/// shortest text that reads back to the same bits; lines end with \n. A resumed run cuts off the rows that it writes
/// again.
///
///     CSVLogger{.filename = "training.csv"}
struct CSVLogger {
  static constexpr const char* type = "CSVLogger";

  std::string filename{};
  char separator = ',';
  bool append = false;       ///< keeps what the file has; no second header then
  int first_epoch = 0;       ///< the number of the first epoch: 0 as Keras writes it, or 1 as people count
  std::string label_name{};  ///< of a column behind the epoch that holds `label` in every row; empty: there is none
  std::string label{};       ///< for runs in stages that share a file

  // State, set by training.
  std::string columns{};      ///< names with the separator between them; empty: no row is written yet
  std::int64_t written = -1;  ///< size of the file in bytes after the last row; -1: no row is written yet

  void on_train_begin(TrainingControl&) {
    if (filename.empty()) throw OptionError(text(type, ": filename is empty"));
    columns.clear();
    written = -1;
  }

  /// Throws FileError if the file cannot be written.
  void on_epoch_end(int epoch, const Logs& logs, TrainingControl&) {
    if (columns.empty()) columns = join(logs.names(), std::string_view(&separator, 1));
    std::int64_t kept = file_size();
    if (written >= 0)
      kept = std::min(kept, written);
    else if (!append)
      kept = 0;
    const auto labelled = [this](const auto& first, const std::string& own) {
      return label_name.empty() ? text(first) : text(first, separator, own);
    };
    std::string rows = kept == 0 ? text(labelled("epoch", label_name), separator, columns, '\n') : "";
    rows += labelled(epoch + first_epoch, label);
    for (std::size_t begin = 0, end = 0; end < columns.size(); begin = end + 1) {
      end = std::min(columns.find(separator, begin), columns.size());
      const auto value = logs.get(std::string_view(columns).substr(begin, end - begin));
      rows += value ? text(separator, *value) : text(separator, "NA");
    }
    write_at(kept, rows + '\n');
  }

  void visit_state(StateVisitor& visit) {
    visit("columns", columns);
    visit("written", written);
  }

 private:
  /// Bytes that the file has; 0 if there is none.
  [[nodiscard]] std::int64_t file_size() const {
    std::error_code error;
    const auto size = std::filesystem::file_size(filename, error);
    return error ? 0 : static_cast<std::int64_t>(size);
  }

  /// Cuts the file to its first `kept` bytes and adds rows.
  void write_at(std::int64_t kept, const std::string& rows) {
    std::error_code error;
    if (kept > 0) std::filesystem::resize_file(filename, static_cast<std::uintmax_t>(kept), error);
    const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(filename.c_str(), kept > 0 ? "ab" : "wb"),
                                                               std::fclose);
    if (error || !file || std::fwrite(rows.data(), 1, rows.size(), file.get()) != rows.size() ||
        std::fflush(file.get()) != 0)
      throw FileError(text(type, ": cannot write to '", filename, "'"));
    written = kept + static_cast<std::int64_t>(rows.size());
  }
};

}  // namespace mien::inline v0
