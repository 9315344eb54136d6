#pragma once

#include <algorithm>
#include <cstdint>
#include <span>
#include <vector>

#include <mien/core/tensor.hpp>
#include <mien/model/parameters.hpp>

namespace mien::inline v0 {

/// Where backward writes the gradients of parameters. An optimizer that follows each gradient by itself need not wait
/// for all of them: it moves the parameters of some layers as soon as backward has passed them, and the next layers'
/// gradients are written over theirs. (Lv and others, "Full Parameter Fine-tuning for Large Language Models with
/// Limited Resources", 2023, do so layer by layer.)
template <class T>
class GradientWindow {
 public:
  /// Parameters [first, last) of the layout, whose gradients are in the window at the same time: those of whole layers,
  /// one behind the other.
  struct Slice {
    std::size_t first, last;
  };

  /// Elements of the window, if no layer has more: what saves memory in large networks and still has left the caches
  /// when the optimizer reads it. With 2^20 or 2^22 the optimizer takes the gradients out of the other core's cache,
  /// which is slower than memory where the two cores do not share their last level: VGG16's update 14.2 or 11.1 ms
  /// instead of 4.4, with 2^23 5.3 (medians of 5 to 7, Zen 4, 2 threads; all the same where they do share it).
  static constexpr std::int64_t enough = std::int64_t{1} << 23;

  /// The largest layer fits in any case; `wanted` at least layout.gradient_size(): all gradients are there at once.
  GradientWindow(const ParameterLayout<T>& layout, std::int64_t wanted)
      : offsets_(layout.all().size(), -1),
        values_(Shape{place(layout, wanted)}),
        views_(layout, [&](std::size_t i) { return offsets_[i] < 0 ? nullptr : values_.data() + offsets_[i]; }) {}

  /// In the order in which backward fills them: the last layers first.
  [[nodiscard]] std::span<const Slice> slices() const { return slices_; }
  /// The slice of a node's gradients, 0 for one that has no parameters and stands behind all that have.
  [[nodiscard]] std::size_t slice_of(int node) const {
    return static_cast<std::size_t>(node) < slice_of_.size() ? slice_of_[static_cast<std::size_t>(node)] : 0;
  }

  /// A node's gradients, in the order of its parameters; views of statistics have no data.
  [[nodiscard]] std::span<const TensorView<T>> of(int node) const { return views_.of(node); }
  /// The gradient by parameter i of the layout's all().
  [[nodiscard]] const TensorView<T>& operator[](std::size_t i) const { return views_[i]; }
  [[nodiscard]] std::size_t bytes() const { return static_cast<std::size_t>(values_.size()) * sizeof(T); }

 private:
  /// Cuts the layers into slices and gives every gradient its place; returns the elements that they need.
  std::int64_t place(const ParameterLayout<T>& layout, std::int64_t wanted) {
    const std::vector<Parameter>& all = layout.all();
    if (all.empty()) return 0;
    const std::int64_t size = std::max(std::min(wanted, layout.gradient_size()), largest_layer(layout));
    slice_of_.resize(static_cast<std::size_t>(all.back().node) + 1);
    slices_.push_back({all.size(), all.size()});
    std::int64_t used = 0;
    for (std::size_t last = all.size(); last > 0;) {
      const std::size_t first = first_of_node(all, last);
      if (used + room_of(all, first, last) > size) {
        slices_.push_back({last, last});
        used = 0;
      }
      for (std::size_t i = first; i < last; ++i) {
        if (all[i].statistic) continue;
        offsets_[i] = used;
        used += layout.room(all[i]);
      }
      slices_.back().first = first;
      // Nodes without parameters between this one and the next belong to its slice: they wait for nobody.
      const int above = first == 0 ? -1 : all[first - 1].node;
      for (int node = all[first].node; node > above; --node)
        slice_of_[static_cast<std::size_t>(node)] = slices_.size() - 1;
      last = first;
    }
    return size;
  }

  static std::size_t first_of_node(const std::vector<Parameter>& all, std::size_t last) {
    std::size_t first = last - 1;
    while (first > 0 && all[first - 1].node == all[last - 1].node) --first;
    return first;
  }

  static std::int64_t room_of(const std::vector<Parameter>& all, std::size_t first, std::size_t last) {
    std::int64_t room = 0;
    for (std::size_t i = first; i < last; ++i) room += all[i].statistic ? 0 : ParameterLayout<T>::room(all[i]);
    return room;
  }

  static std::int64_t largest_layer(const ParameterLayout<T>& layout) {
    std::int64_t largest = 0;
    for (std::size_t last = layout.all().size(); last > 0;) {
      const std::size_t first = first_of_node(layout.all(), last);
      largest = std::max(largest, room_of(layout.all(), first, last));
      last = first;
    }
    return largest;
  }

  std::vector<Slice> slices_;
  std::vector<std::size_t> slice_of_;  // of each node
  std::vector<std::int64_t> offsets_;  // of each parameter; -1: none
  Tensor<T> values_;
  ParameterViews<T> views_;
};

}  // namespace mien::inline v0
