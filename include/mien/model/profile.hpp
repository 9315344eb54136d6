#pragma once
// Where the time of a training step and of a prediction goes, as data and as a table.

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include <mien/core/error.hpp>
#include <mien/model/number_format.hpp>

namespace mien::inline v0 {

/// One layer in one pass, or the loss, the metrics, the optimizer.
struct ProfileRow {
  std::string layer;                ///< its name; "loss", "metrics", "optimizer"
  std::vector<std::string> merged;  ///< layers that have no step of their own: this one does their work
  std::string pass;                 ///< "forward", "backward", or "" for what is no layer
  double seconds = 0;               ///< of the clock on the wall: the median over the repetitions
  double kernel_seconds = 0;        ///< of these, inside the bodies of parallel loops (of the thread with most to do)
  double balance = 1;  ///< in the kernels, the threads' mean time over that of the one with most to do: 1 is best
  double regions = 0;  ///< parallel regions started
  double flop = 0;     ///< floating-point operations, counted as a direct convolution has them; 0: not counted
  double bytes = 0;    ///< of the tensors and parameters that are read and written, each once: what cannot be avoided

  [[nodiscard]] double outside_seconds() const { return seconds - kernel_seconds; }
};

/// The rows of one training step or one prediction, in the order in which they ran.
struct PassProfile {
  std::vector<ProfileRow> rows;

  [[nodiscard]] double seconds() const { return sum(&ProfileRow::seconds); }
  [[nodiscard]] double kernel_seconds() const { return sum(&ProfileRow::kernel_seconds); }
  /// The time in which no kernel ran: starting and joining threads, sums of partial results, views, the plan.
  [[nodiscard]] double outside_seconds() const { return seconds() - kernel_seconds(); }
  [[nodiscard]] bool empty() const { return rows.empty(); }

 private:
  [[nodiscard]] double sum(double ProfileRow::*member) const {
    double total = 0;
    for (const ProfileRow& row : rows) total += row.*member;
    return total;
  }
};

/// What Model::profile() returns.
struct Profile {
  std::int64_t batch_size = 0;
  int threads = 1;
  PassProfile training;  ///< a training step; empty before compile()
  PassProfile prediction;

  /// Both as tables.
  [[nodiscard]] std::string to_string() const;
};

namespace detail {

/// Fields side by side, the first to the left, the others to the right.
class ProfileTable {
 public:
  explicit ProfileTable(std::string& out, std::size_t first) : out_(out), first_(first) {}

  void row(const std::string& name, const std::vector<std::string>& numbers) {
    std::string line = name;
    line.resize(std::max(first_, line.size()), ' ');
    for (const std::string& number : numbers)
      line += std::string(width > number.size() ? width - number.size() : 1, ' ') + number;
    out_ += line + "\n";
  }

 private:
  static constexpr std::size_t width = 11;
  std::string& out_;
  std::size_t first_;
};

[[nodiscard]] inline std::string profile_name(const ProfileRow& row) {
  std::string name = row.layer;
  for (const std::string& merged : row.merged) name += " + " + merged;
  return row.pass.empty() ? name : name + ", " + row.pass;
}

[[nodiscard]] inline std::string profile_rate(double amount, double seconds) {
  return amount > 0 && seconds > 0 ? with_digits(amount / seconds * 1e-9, 1) : "-";
}

[[nodiscard]] inline std::vector<std::string> profile_fields(const ProfileRow& row, double total) {
  return {with_digits(row.seconds * 1e3, 3),
          with_digits(total > 0 ? row.seconds / total * 100 : 0, 1),
          profile_rate(row.flop, row.seconds),
          profile_rate(row.bytes, row.seconds),
          with_digits(row.outside_seconds() * 1e6, 1),
          with_digits(row.regions, 0),
          with_digits(row.balance, 2)};
}

inline void append_table(std::string& out, const std::string& title, const PassProfile& profile) {
  std::size_t first = title.size();
  for (const ProfileRow& row : profile.rows) first = std::max(first, profile_name(row).size());
  ProfileTable table(out, first);
  table.row(title, {"ms", "%", "GFLOP/s", "GB/s", "outside/us", "regions", "balance"});
  const double total = profile.seconds(), outside = profile.outside_seconds();
  for (const ProfileRow& row : profile.rows) table.row(profile_name(row), profile_fields(row, total));
  out += text("total ", with_digits(total * 1e3, 3), " ms, of which ", with_digits(outside * 1e3, 3),
              " ms outside the kernels (", with_digits(total > 0 ? outside / total * 100 : 0, 1), " %)\n");
}

}  // namespace detail

inline std::string Profile::to_string() const {
  std::string out = text("batch ", batch_size, ", ", threads, threads == 1 ? " thread" : " threads", "\n");
  if (!training.empty()) detail::append_table(out, "training step", training);
  detail::append_table(out, "prediction", prediction);
  return out;
}

}  // namespace mien::inline v0
