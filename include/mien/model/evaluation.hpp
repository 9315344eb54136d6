#pragma once
// What a model makes of a whole dataset: means of the loss and the metrics, and predictions.

#include <algorithm>
#include <cstdint>
#include <numeric>
#include <string>
#include <vector>

#include <mien/model/model.hpp>

namespace mien::inline v0 {

namespace detail {

/// Sums of a loss and metrics over batches of different sizes.
class RunningMeans {
 public:
  explicit RunningMeans(const CompileOptions& options) : names_{"loss"} {
    for (const Metric& metric : options.metrics) names_.emplace_back(metric->name());
    sums_.resize(names_.size());
  }
  void add(const BatchResult& result, std::int64_t samples) {
    sums_[0] += result.loss * static_cast<double>(samples);
    for (std::size_t i = 0; i < result.metrics.size(); ++i)
      sums_[i + 1] += result.metrics[i] * static_cast<double>(samples);
    samples_ += samples;
  }
  /// The means so far, under their names.
  void write(Logs& logs) const {
    for (std::size_t i = 0; i < names_.size(); ++i) logs.set(names_[i], sums_[i] / static_cast<double>(samples_));
  }

 private:
  std::vector<std::string> names_;
  std::vector<double> sums_;
  std::int64_t samples_ = 0;
};

/// Throws unless the data can be given to the model.
template <class T>
void require_fits(const Model<T>& model, const Dataset& data, std::int64_t batch_size, const char* what) {
  if (data.size() == 0) throw OptionError(text(what, ": the dataset is empty"));
  if (batch_size < 1) throw OptionError(text(what, ": batch_size is at least 1, got ", batch_size));
  if (data.sample_shape() != model.input_shape())
    throw ShapeError(text(what, ": model '", model.name(), "' takes samples ", model.input_shape(),
                          ", the dataset has ", data.sample_shape()));
  const std::int64_t width = model.trainer().target_width();
  // A class read as one number: the outputs are one for each class, or a single one.
  const bool as_index = width == 1 && data.has_labels();
  const std::int64_t expected = as_index ? model.output_shape().size() : width;
  if (!(as_index && expected == 1) && data.target_shape().size() != expected)
    throw ShapeError(text(what, ": model '", model.name(), "' is trained on targets of ", expected,
                          " numbers, the dataset has ", data.target_shape(),
                          data.has_labels() ? text(" (classes: ", join(data.class_names()), ")") : ""));
}

template <class T>
[[nodiscard]] BatchOptions batch_options(const Model<T>& model, const Dataset& data, std::int64_t batch_size) {
  return {.batch_size = batch_size,
          .class_indices = data.has_labels() && model.trainer().target_width() == 1,
          .preprocessing = model.preprocessing()};
}

[[nodiscard]] inline std::vector<std::int64_t> in_order(std::int64_t n) {
  std::vector<std::int64_t> order(static_cast<std::size_t>(n));
  std::iota(order.begin(), order.end(), std::int64_t{0});
  return order;
}

}  // namespace detail

template <class T>
Logs Model<T>::evaluate(const Dataset& data, const EvaluateOptions& options) {
  detail::require_fits(*this, data, options.batch_size, "evaluate");
  BatchLoader<T> loader(data, detail::batch_options(*this, data, options.batch_size), detail::in_order(data.size()));
  detail::RunningMeans means(trainer().options());
  while (const Batch<T>* batch = loader.next()) means.add(test(*batch), batch->size);
  Logs logs;
  means.write(logs);
  return logs;
}

template <class T>
Tensor<T> Model<T>::predict(const Dataset& data, const EvaluateOptions& options) {
  if (data.size() == 0 || data.sample_shape() != input_shape() || options.batch_size < 1)
    throw ShapeError(text("predict: model '", name(), "' takes samples ", input_shape(),
                          " in batches of at least 1; got ", data.size(), " samples ", data.sample_shape(),
                          " in batches of ", options.batch_size));
  const Predictor<T> predict_batch = predictor({.max_batch = options.batch_size});
  Tensor<T> result(output_shape().with_batch(data.size())), x(input_shape().with_batch(options.batch_size));
  for (std::int64_t first = 0; first < data.size(); first += options.batch_size) {
    const std::int64_t count = std::min(options.batch_size, data.size() - first);
    for (std::int64_t i = 0; i < count; ++i) data.read(first + i, x.data() + i * input_shape().size());
    predict_batch.predict_into(TensorView<const T>(x.data(), input_shape().with_batch(count)),
                               result.span().subspan(static_cast<std::size_t>(first * output_shape().size()),
                                                     static_cast<std::size_t>(count * output_shape().size())));
  }
  return result;
}

}  // namespace mien::inline v0
