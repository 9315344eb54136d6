#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include <mien/data/dataset.hpp>
#include <mien/model/callbacks/callback.hpp>

namespace mien::inline v0 {

/// What fit prints: nothing, a redrawn bar, one line per epoch; automatic is a bar on a terminal and lines elsewhere.
enum class Verbose : int { silent, bar, lines, automatic };

/// Where a run is stored after every epoch, and taken up again. <mien/io.hpp> has the one for files.
class CheckpointStore {
 public:
  virtual ~CheckpointStore() = default;
  /// Called at the end of every epoch: `visit` shows all that the run consists of.
  virtual void save(const std::function<void(StateVisitor&)>& visit) = 0;
  /// Called once before training: returns false if there is nothing to take up, else lets `visit` set everything.
  virtual bool restore(const std::function<void(StateVisitor&)>& visit) = 0;
};

/// The arguments of fit, in Keras's order with its defaults.
struct FitOptions {
  std::int64_t batch_size = 32;
  int epochs = 1;  ///< to be trained in all; a resumed run makes those that are missing
  Verbose verbose = Verbose::automatic;
  std::vector<Callback> callbacks{};
  double validation_split = 0;  ///< the last part of the data is for validation; unused beside validation_data
  std::optional<Dataset> validation_data{};
  bool shuffle = true;                     ///< a new order every epoch, a function of the model's seed and the epoch
  std::vector<double> class_weight{};      ///< of each class, in the training loss alone; see Dataset::class_weights()
  std::int64_t validation_batch_size = 0;  ///< 0: batch_size
  std::shared_ptr<CheckpointStore> checkpoint{};  ///< null: the run is not stored
};

/// The arguments of evaluate and of predict on a dataset.
struct EvaluateOptions {
  std::int64_t batch_size = 32;
};

}  // namespace mien::inline v0
