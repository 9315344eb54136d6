#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <limits>
#include <vector>

#include <mien/kernels/epilogue.hpp>

namespace mien::inline v0::testing {

/// Copies each row of a result when its last value has been reported: after reports that come too early, twice or not
/// at all, the copies are not the result. Its rows of `columns` values lie `ld` apart.
template <class T>
class RowSnapshot final : public kernels::RowReader {
 public:
  RowSnapshot(std::int64_t rows, std::int64_t columns, const T* result, std::int64_t ld)
      : columns_(columns),
        ld_(ld),
        result_(result),
        left_(static_cast<std::size_t>(rows), columns),
        copy_(static_cast<std::size_t>(rows * columns), std::numeric_limits<T>::quiet_NaN()) {}

  void finished(std::int64_t first, std::int64_t rows, std::int64_t columns) override {
    for (std::int64_t row = first; row < first + rows; ++row) {
      std::int64_t& left = left_.at(static_cast<std::size_t>(row));
      if (std::atomic_ref(left).fetch_sub(columns) == columns)
        std::copy_n(result_ + row * ld_, columns_, copy_.begin() + row * columns_);
    }
  }
  /// Whether every value has been reported once, as it now stands.
  [[nodiscard]] bool complete() const {
    bool same = true;
    const T* result = result_;
    auto copy = copy_.begin();
    for (const std::int64_t left : left_) {
      same = same && left == 0 && std::equal(result, result + columns_, copy);
      result += ld_, copy += columns_;
    }
    return same;
  }

 private:
  std::int64_t columns_, ld_;
  const T* result_;
  std::vector<std::int64_t> left_;  ///< values of each row that have not been reported
  std::vector<T> copy_;
};

}  // namespace mien::inline v0::testing
