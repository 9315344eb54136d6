#pragma once

#include <cstdint>
#include <functional>

#include <mien/model/callbacks/callback.hpp>

namespace mien::inline v0 {

/// A callback on the spot. Epochs and batches count from 0.
///
///     LambdaCallback{.on_epoch_end = [&](int epoch, const Logs& logs, TrainingControl&) { plot(epoch, logs); }}
struct LambdaCallback {
  static constexpr const char* type = "LambdaCallback";

  std::function<void(int, TrainingControl&)> on_epoch_begin = [](int, TrainingControl&) {};
  std::function<void(int, const Logs&, TrainingControl&)> on_epoch_end = [](int, const Logs&, TrainingControl&) {};
  std::function<void(TrainingControl&)> on_train_begin = [](TrainingControl&) {};
  std::function<void(TrainingControl&)> on_train_end = [](TrainingControl&) {};
  std::function<void(std::int64_t, TrainingControl&)> on_batch_begin = [](std::int64_t, TrainingControl&) {};
  std::function<void(std::int64_t, const Logs&, TrainingControl&)> on_batch_end = [](std::int64_t, const Logs&,
                                                                                     TrainingControl&) {};
};

}  // namespace mien::inline v0
