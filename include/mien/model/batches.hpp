#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <exception>
#include <semaphore>
#include <span>
#include <thread>
#include <vector>

#include <mien/core/memory.hpp>
#include <mien/core/tensor.hpp>
#include <mien/data/dataset.hpp>
#include <mien/model/preprocessing.hpp>

namespace mien::inline v0 {

/// Samples side by side, ready for the first layer.
template <class T>
struct Batch {
  std::int64_t size = 0;
  T* x = nullptr;       ///< size x sample, preprocessed
  T* y = nullptr;       ///< size x target
  T* weight = nullptr;  ///< size, or null where every sample counts alike
};

/// What a dataset is read as.
struct BatchOptions {
  std::int64_t batch_size = 32;
  bool class_indices = false;          ///< labels as one number per sample, not as one-hot vectors
  std::vector<double> class_weight{};  ///< of each class: what its samples weigh in the loss; empty: 1
  Preprocessing preprocessing{};
};

/// Memory for a batch, and the filling of it.
template <class T>
class BatchBuffer {
 public:
  BatchBuffer(const Dataset& data, const BatchOptions& options)
      : sample_(data.sample_shape().size()), target_(options.class_indices ? 1 : data.target_shape().size()) {
    const std::size_t x = round_to_cache_line(elements(options.batch_size * sample_)),
                      y = round_to_cache_line(elements(options.batch_size * target_)),
                      weight = options.class_weight.empty() ? 0 : elements(options.batch_size);
    memory_ = Buffer(x + y + weight);
    batch_.x = reinterpret_cast<T*>(memory_.data());
    batch_.y = reinterpret_cast<T*>(memory_.data() + x);
    if (weight > 0) batch_.weight = reinterpret_cast<T*>(memory_.data() + x + y);
  }

  /// Reads these samples, at most batch_size of them. Allocates nothing.
  void fill(const Dataset& data, const BatchOptions& options, std::span<const std::int64_t> indices) {
    batch_.size = static_cast<std::int64_t>(indices.size());
    for (std::int64_t n = 0; n < batch_.size; ++n) {
      const std::int64_t i = indices[static_cast<std::size_t>(n)];
      data.read(i, batch_.x + n * sample_);
      if (options.class_indices && data.has_labels())
        batch_.y[n] = static_cast<T>(data.label(i));
      else
        data.read_target(i, batch_.y + n * target_);
      if (batch_.weight != nullptr)
        batch_.weight[n] = static_cast<T>(options.class_weight[static_cast<std::size_t>(data.label(i))]);
    }
    preprocess(options.preprocessing, data.sample_shape()[-1], batch_.size * sample_, batch_.x);
  }

  [[nodiscard]] const Batch<T>& batch() const { return batch_; }

 private:
  [[nodiscard]] static std::size_t elements(std::int64_t n) { return static_cast<std::size_t>(n) * sizeof(T); }

  std::int64_t sample_, target_;
  Buffer memory_;
  Batch<T> batch_;
};

/// Reads a dataset batch by batch in a given order, one batch ahead, in a thread of its own.
template <class T>
class BatchLoader {
 public:
  /// `order` is of all samples to read; the last batch may be smaller.
  BatchLoader(Dataset data, const BatchOptions& options, std::vector<std::int64_t> order)
      : data_(std::move(data)),
        options_(options),
        order_(std::move(order)),
        slots_{{data_, options}, {data_, options}} {
    batches_ = (static_cast<std::int64_t>(order_.size()) + options_.batch_size - 1) / options_.batch_size;
    worker_ = std::thread([this] { work(); });
  }
  BatchLoader(const BatchLoader&) = delete;
  BatchLoader& operator=(const BatchLoader&) = delete;
  ~BatchLoader() {
    stop_ = true;
    free_.release();
    worker_.join();
  }

  [[nodiscard]] std::int64_t batches() const { return batches_; }

  /// The next batch, or null after the last; the one before is given back. Rethrows what reading threw.
  [[nodiscard]] const Batch<T>* next() {
    if (taken_ > 0) free_.release();
    if (taken_ == batches_) return nullptr;
    ready_.acquire();
    const auto slot = taken_++ % 2;
    if (errors_[slot]) std::rethrow_exception(errors_[slot]);
    return &slots_[slot].batch();
  }

 private:
  void work() {
    for (std::int64_t b = 0; b < batches_; ++b) {
      free_.acquire();
      if (stop_) return;
      const auto first = static_cast<std::size_t>(b * options_.batch_size);
      const std::size_t count = std::min(static_cast<std::size_t>(options_.batch_size), order_.size() - first);
      try {
        slots_[b % 2].fill(data_, options_, std::span(order_).subspan(first, count));
      } catch (...) {
        errors_[b % 2] = std::current_exception();
      }
      ready_.release();
    }
  }

  Dataset data_;
  BatchOptions options_;
  std::vector<std::int64_t> order_;
  BatchBuffer<T> slots_[2];
  std::int64_t batches_ = 0, taken_ = 0;
  std::counting_semaphore<> free_{2}, ready_{0};
  std::atomic<bool> stop_ = false;
  std::exception_ptr errors_[2];  // of each slot's batch
  std::thread worker_;
};

}  // namespace mien::inline v0
