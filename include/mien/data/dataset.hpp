#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <mien/core/error.hpp>
#include <mien/core/tensor.hpp>
#include <mien/data/stratified_split.hpp>

namespace mien::inline v0 {

/// A file that a reader of folders could not use, and why.
struct UnreadableFile {
  std::string file;
  std::string reason;
};

/// Samples and their targets, all in memory: a cheap handle by value. Copies, subsets and splits share the samples,
/// which never change; so any number of threads may read.
///
/// A sample is a picture of uint8 (H, W, C), values 0 ... 255, or a float tensor of any shape. A target is the index
/// of a class, read as a one-hot vector, or a float tensor of any shape.
///
///     Dataset faces = synthetic_faces(4000, 7);
///     auto [train, validation] = faces.split(0.2, 1);
///     train.class_weights();                             // for fit(..., {.class_weight = ...})
class Dataset {
 public:
  /// No samples.
  Dataset() : Dataset(Storage{}) {}

  /// Pictures (sample_shape is (H, W, C)), one after the other, with the index of each one's class.
  /// `files` and `identities` (who is in the picture; negative: unknown) are empty or one per sample; `unreadable`
  /// is what was left out. Throws ShapeError or OptionError on sizes and labels that do not fit.
  [[nodiscard]] static Dataset from_pictures(std::vector<std::uint8_t> pixels, const Shape& sample_shape,
                                             std::vector<int> labels, std::vector<std::string> class_names,
                                             std::vector<std::string> files = {},
                                             std::vector<std::int64_t> identities = {},
                                             std::vector<UnreadableFile> unreadable = {});

  /// Float samples x (N, ...) with labels in 0 ... classes-1; the classes are named "0", "1", ...
  [[nodiscard]] static Dataset from_tensors(Tensor<float> x, std::vector<int> labels, int classes);

  /// Float samples x (N, ...) with float targets y (N, ...).
  [[nodiscard]] static Dataset from_tensors(Tensor<float> x, Tensor<float> y);

  [[nodiscard]] std::int64_t size() const { return static_cast<std::int64_t>(indices_->size()); }
  [[nodiscard]] bool empty() const { return size() == 0; }
  /// A sample's shape, without the batch: (H, W, C) for pictures.
  [[nodiscard]] const Shape& sample_shape() const { return storage_->sample_shape; }
  /// A target's shape, without the batch: (classes,) for labels.
  [[nodiscard]] const Shape& target_shape() const { return storage_->target_shape; }

  [[nodiscard]] bool has_labels() const { return storage_->labelled; }
  /// Empty for float targets.
  [[nodiscard]] const std::vector<std::string>& class_names() const { return storage_->class_names; }
  /// The class of sample i. Throws OptionError without labels.
  [[nodiscard]] int label(std::int64_t i) const {
    require_labels("label");
    return storage_->labels[at(i)];
  }
  /// The file that sample i came from; empty if it came from none.
  [[nodiscard]] std::string file(std::int64_t i) const {
    return storage_->files.empty() ? std::string() : storage_->files[at(i)];
  }
  /// Who is in sample i; -1: unknown.
  [[nodiscard]] std::int64_t identity(std::int64_t i) const {
    return storage_->identities.empty() ? -1 : storage_->identities[at(i)];
  }
  /// The files that the source of this data could not read; the same list for all its subsets.
  [[nodiscard]] const std::vector<UnreadableFile>& unreadable() const { return storage_->unreadable; }

  /// Samples of each class. Throws OptionError without labels.
  [[nodiscard]] std::vector<std::int64_t> class_counts() const;
  /// n / (classes * count) for each class: rare ones weigh more, and the mean over the samples is 1 when no class is
  /// absent; 0 for an absent class. Throws OptionError without labels.
  [[nodiscard]] std::vector<double> class_weights() const;

  /// Writes sample i to x[0 ... sample_shape().size()-1], uint8 as 0 ... 255. Allocates nothing.
  template <class T>
  void read(std::int64_t i, T* x) const;
  /// Writes target i to y[0 ... target_shape().size()-1], a label as a one-hot vector. Allocates nothing.
  template <class T>
  void read_target(std::int64_t i, T* y) const;

  /// These samples, in this order; one may occur more than once.
  [[nodiscard]] Dataset subset(std::span<const std::int64_t> indices) const;
  [[nodiscard]] Dataset subset(std::initializer_list<std::int64_t> indices) const {
    return subset(std::span(indices.begin(), indices.size()));
  }
  /// The first n samples, or all if there are fewer.
  [[nodiscard]] Dataset take(std::int64_t n) const;
  /// Training and validation part; `fraction` (0 < fraction < 1) goes to validation. Class shares are kept, and where
  /// identities are known, each is in one part only. A function of the data's order and the seed alone.
  /// Throws OptionError if a part would be empty.
  [[nodiscard]] std::pair<Dataset, Dataset> split(double fraction, std::uint64_t seed = 0) const;

 private:
  struct Storage {
    bool labelled = false;
    Shape sample_shape{0}, target_shape{0};
    std::vector<std::uint8_t> pixels;  // or x
    Tensor<float> x;
    std::vector<int> labels;  // or y
    Tensor<float> y;
    std::vector<std::string> class_names, files;
    std::vector<std::int64_t> identities;
    std::vector<UnreadableFile> unreadable;
  };
  using Indices = std::vector<std::int64_t>;

  explicit Dataset(Storage storage, std::int64_t n = 0);
  Dataset(std::shared_ptr<const Storage> storage, Indices indices)
      : storage_(std::move(storage)), indices_(std::make_shared<const Indices>(std::move(indices))) {}

  static void check_labels(const std::vector<int>& labels, std::size_t classes);
  [[nodiscard]] std::size_t at(std::int64_t i) const {
    if (i < 0 || i >= size()) throw OptionError(text("Dataset: there is no sample ", i, ", it has ", size()));
    return static_cast<std::size_t>((*indices_)[static_cast<std::size_t>(i)]);
  }
  void require_labels(const char* who) const {
    if (!has_labels())
      throw OptionError(text("Dataset: ", who, " needs labels, but the targets are tensors of shape ", target_shape()));
  }

  std::shared_ptr<const Storage> storage_;
  std::shared_ptr<const Indices> indices_;
};

inline Dataset::Dataset(Storage storage, std::int64_t n) : storage_(std::make_shared<Storage>(std::move(storage))) {
  Indices all(static_cast<std::size_t>(n));
  for (std::int64_t i = 0; i < n; ++i) all[static_cast<std::size_t>(i)] = i;
  indices_ = std::make_shared<const Indices>(std::move(all));
}

inline void Dataset::check_labels(const std::vector<int>& labels, std::size_t classes) {
  for (std::size_t i = 0; i < labels.size(); ++i)
    if (labels[i] < 0 || static_cast<std::size_t>(labels[i]) >= classes)
      throw OptionError(text("Dataset: the label of sample ", i, " is ", labels[i], ", expected 0 to ", classes,
                             " exclusive, one of the ", classes, " classes"));
}

inline Dataset Dataset::from_pictures(std::vector<std::uint8_t> pixels, const Shape& sample_shape,
                                      std::vector<int> labels, std::vector<std::string> class_names,
                                      std::vector<std::string> files, std::vector<std::int64_t> identities,
                                      std::vector<UnreadableFile> unreadable) {
  const std::size_t n = labels.size();
  if (sample_shape.rank() != 3)
    throw ShapeError(text("Dataset: a picture's shape is (height, width, channels), got ", sample_shape));
  if (pixels.size() != n * static_cast<std::size_t>(sample_shape.size()))
    throw ShapeError(text("Dataset: ", n, " labels and pictures of shape ", sample_shape, " need ",
                          n * static_cast<std::size_t>(sample_shape.size()), " bytes of pixels, got ", pixels.size()));
  const auto one_each = [n](std::size_t count, const char* what) {
    if (count != 0 && count != n)
      throw OptionError(text("Dataset: ", what, " must be empty or one per sample: ", n, " samples, got ", count));
  };
  one_each(files.size(), "files");
  one_each(identities.size(), "identities");
  check_labels(labels, class_names.size());
  const Shape target_shape{static_cast<std::int64_t>(class_names.size())};
  return Dataset(Storage{.labelled = true,
                         .sample_shape = sample_shape,
                         .target_shape = target_shape,
                         .pixels = std::move(pixels),
                         .x = {},
                         .labels = std::move(labels),
                         .y = {},
                         .class_names = std::move(class_names),
                         .files = std::move(files),
                         .identities = std::move(identities),
                         .unreadable = std::move(unreadable)},
                 static_cast<std::int64_t>(n));
}

inline Dataset Dataset::from_tensors(Tensor<float> x, std::vector<int> labels, int classes) {
  if (classes < 1) throw OptionError(text("Dataset: at least one class is needed, got ", classes));
  if (x.shape().empty() || x.shape()[0] != static_cast<std::int64_t>(labels.size()))
    throw ShapeError(
        text("Dataset: ", labels.size(), " labels need samples of shape (", labels.size(), ", ...), got ", x.shape()));
  check_labels(labels, static_cast<std::size_t>(classes));
  Storage storage;
  storage.labelled = true;
  storage.sample_shape = x.shape().without_batch();
  storage.target_shape = {classes};
  for (int c = 0; c < classes; ++c) storage.class_names.push_back(text(c));
  storage.x = std::move(x);
  storage.labels = std::move(labels);
  const auto n = static_cast<std::int64_t>(storage.labels.size());
  return Dataset(std::move(storage), n);
}

inline Dataset Dataset::from_tensors(Tensor<float> x, Tensor<float> y) {
  if (x.shape().empty() || y.shape().empty() || x.shape()[0] != y.shape()[0])
    throw ShapeError(
        text("Dataset: samples and targets need the same first extent, got ", x.shape(), " and ", y.shape()));
  Storage storage;
  storage.sample_shape = x.shape().without_batch();
  storage.target_shape = y.shape().without_batch();
  storage.x = std::move(x);
  storage.y = std::move(y);
  const std::int64_t n = storage.x.shape()[0];
  return Dataset(std::move(storage), n);
}

inline std::vector<std::int64_t> Dataset::class_counts() const {
  require_labels("class_counts");
  std::vector<std::int64_t> counts(class_names().size());
  for (std::int64_t i = 0; i < size(); ++i) ++counts[static_cast<std::size_t>(label(i))];
  return counts;
}

inline std::vector<double> Dataset::class_weights() const {
  require_labels("class_weights");
  std::vector<double> weights;
  for (const std::int64_t count : class_counts())
    weights.push_back(count == 0 ? 0.0
                                 : static_cast<double>(size()) /
                                       (static_cast<double>(class_names().size()) * static_cast<double>(count)));
  return weights;
}

template <class T>
void Dataset::read(std::int64_t i, T* x) const {
  const std::int64_t n = sample_shape().size(), start = static_cast<std::int64_t>(at(i)) * n;
  const auto copy = [&](const auto* from) {
    for (std::int64_t j = 0; j < n; ++j) x[j] = static_cast<T>(from[j]);
  };
  storage_->pixels.empty() ? copy(storage_->x.data() + start) : copy(storage_->pixels.data() + start);
}

template <class T>
void Dataset::read_target(std::int64_t i, T* y) const {
  const std::size_t sample = at(i);
  const std::int64_t n = target_shape().size();
  if (has_labels()) {
    std::fill(y, y + n, T{0});
    y[storage_->labels[sample]] = T{1};
  } else {
    const float* from = storage_->y.data() + static_cast<std::int64_t>(sample) * n;
    for (std::int64_t j = 0; j < n; ++j) y[j] = static_cast<T>(from[j]);
  }
}

inline Dataset Dataset::subset(std::span<const std::int64_t> indices) const {
  Indices chosen;
  chosen.reserve(indices.size());
  for (const std::int64_t i : indices) chosen.push_back(static_cast<std::int64_t>(at(i)));
  return {storage_, std::move(chosen)};
}

inline Dataset Dataset::take(std::int64_t n) const {
  if (n < 0) throw OptionError(text("Dataset: take needs a number of samples, got ", n));
  return {storage_, Indices(indices_->begin(), indices_->begin() + std::min(n, size()))};
}

inline std::pair<Dataset, Dataset> Dataset::split(double fraction, std::uint64_t seed) const {
  if (!(fraction > 0 && fraction < 1))
    throw OptionError(text("Dataset: split takes the validation part's fraction, between 0 and 1, got ", fraction));
  std::vector<int> labels;
  std::vector<std::int64_t> identities;
  for (std::int64_t i = 0; i < size(); ++i) {
    labels.push_back(has_labels() ? label(i) : 0);
    identities.push_back(identity(i));
  }
  const int classes = has_labels() ? static_cast<int>(class_names().size()) : 1;
  const auto [train, validation] = detail::stratified_split(labels, identities, classes, fraction, seed);
  if (train.empty() || validation.empty())
    throw OptionError(text("Dataset: split(", fraction, ") of ", size(),
                           " samples leaves a part empty; take another fraction, or more samples (or identities: one "
                           "is never in both parts)"));
  return {subset(train), subset(validation)};
}

}  // namespace mien::inline v0
