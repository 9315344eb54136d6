#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <mien/core/error.hpp>
#include <mien/core/log.hpp>
#include <mien/model/logs.hpp>
#include <mien/model/number_format.hpp>

namespace mien::inline v0 {

struct ProgressOptions {
  bool bar = false;     ///< a line that is drawn again and again, for terminals; otherwise one line per epoch
  bool silent = false;  ///< nothing at all
  int columns = 0;      ///< of the terminal; 0: it is asked at each drawing
  std::function<void(std::string_view)> sink = [](std::string_view text) { write_to(stdout, text); };
};

/// How training goes, in the words of Keras:
///
///     Epoch 1/12                                                                                     with a bar
///      12/501 [>.............................] - ETA: 12s - loss: 0.1234 - accuracy: 0.5000
///     501/501 [==============================] - 13s 25ms/step - loss: 0.1234 - accuracy: 0.5000 - val_loss: 0.1101
///
///     Epoch 1/12 - 13s - loss: 0.1234 - accuracy: 0.5000 - val_loss: 0.1101                          without
///
/// Times come as seconds since the epoch began. The time per step leaves out the first step and validation. A line that
/// is drawn again fits the terminal: the bar gets shorter, then the last metrics are left out; the finished line is
/// whole.
class Progress {
 public:
  explicit Progress(ProgressOptions options = {}) : options_(std::move(options)) {}

  /// Epochs count from 0.
  void begin_epoch(int epoch, int epochs, std::int64_t steps) {
    title_ = text("Epoch ", epoch + 1, '/', epochs);
    steps_ = steps;
    step_ = 0;
    drawn_ = 0;
    if (options_.bar) write(title_ + '\n');
  }

  /// After each step: `done` steps took `seconds`. Draws at most every 0.05 s.
  void update(std::int64_t done, const Logs& logs, double seconds) {
    constexpr double interval = 0.05;
    step_ = done;
    step_seconds_ = seconds;
    if (done == 1) first_step_seconds_ = seconds;
    if (!options_.bar || (done > 1 && done < steps_ && seconds - drawn_seconds_ < interval)) return;
    drawn_seconds_ = seconds;
    const double left = time_per_step() * static_cast<double>(steps_ - done);
    draw(fitting_line(" - ETA: " + detail::format_eta(left), logs));
  }

  void end_epoch(const Logs& logs, double seconds) {
    std::string took = " - " + detail::with_digits(seconds, 0) + 's';
    if (options_.bar) {
      took += ' ' + detail::format_step_time(time_per_step());
      draw(head(30) + took + join(metrics(logs), ""));
      end_line();
    } else {
      write(title_ + took + join(metrics(logs), "") + '\n');
    }
  }

  /// A line of its own; a bar goes on below it.
  void message(std::string_view line) {
    end_line();
    write(text(line, '\n'));
  }

 private:
  [[nodiscard]] double time_per_step() const {
    if (step_ > 1) return (step_seconds_ - first_step_seconds_) / static_cast<double>(step_ - 1);
    return step_ == 1 ? step_seconds_ : 0;
  }

  /// The count and the bar of that many cells.
  [[nodiscard]] std::string head(std::int64_t cells) const {
    const std::string total = text(steps_), count = text(step_);
    const std::int64_t full = steps_ > 0 ? cells * step_ / steps_ : cells;
    std::string bar(static_cast<std::size_t>(full), '=');
    if (full > 0 && step_ < steps_) bar.back() = '>';
    bar.resize(static_cast<std::size_t>(cells), '.');
    return std::string(total.size() - std::min(total.size(), count.size()), ' ') + count + '/' + total + " [" + bar +
           ']';
  }

  /// What fit adds for the record, the time and the learning rate, is not shown.
  [[nodiscard]] static std::vector<std::string> metrics(const Logs& logs) {
    std::vector<std::string> parts;
    for (const auto& [name, value] : logs)
      if (name != "seconds" && name != "learning_rate")
        parts.push_back(text(" - ", name, ": ", detail::format_metric(value)));
    return parts;
  }

  /// As much of the line as fits; the last column stays free, for terminals that wrap when it is filled.
  [[nodiscard]] std::string fitting_line(const std::string& time, const Logs& logs) const {
    const int columns = options_.columns > 0 ? options_.columns : terminal_columns();
    const auto room = static_cast<std::size_t>(columns - 1);
    const std::vector<std::string> parts = metrics(logs);
    for (const int cells : {30, 20, 10})
      if (std::string line = head(cells) + time + join(parts, ""); line.size() <= room) return line;
    std::string line = (head(10) + time).substr(0, room);
    for (const std::string& part : parts) {
      if (line.size() + part.size() > room) break;
      line += part;
    }
    return line;
  }

  /// Puts a line in the place of the one drawn before.
  void draw(const std::string& line) {
    write('\r' + line + std::string(drawn_ - std::min(drawn_, line.size()), ' '));
    drawn_ = line.size();
  }

  void end_line() {
    if (drawn_ > 0) write("\n");
    drawn_ = 0;
  }

  void write(std::string_view text) const {
    if (!options_.silent) options_.sink(text);
  }

  ProgressOptions options_;
  std::string title_;
  std::int64_t steps_ = 0, step_ = 0;
  double first_step_seconds_ = 0, step_seconds_ = 0, drawn_seconds_ = 0;
  std::size_t drawn_ = 0;  // characters of the open line
};

}  // namespace mien::inline v0
