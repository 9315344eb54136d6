#pragma once

#include <atomic>
#include <deque>
#include <mutex>

#include <mien/kernels/conv/algorithm.hpp>

namespace mien::inline v0::kernels {

/// The algorithms that were measured to be the fastest, by geometry and pass; select_conv asks here before it judges
/// itself. Of the batch only whether it is one picture or more counts. What stands here never changes: a plan whose
/// workspaces were sized by it, or a predictor in another thread, finds the same as long as it lives.
class ConvChoices {
 public:
  struct Entry {
    ConvGeometry key;
    ConvPass pass;
    const char* algorithm;  ///< the name of a row of select.hpp
    const Entry* before;    ///< the one that was added before; null: none
  };

  /// What a geometry is looked up by: n is 1 for one picture, else 0.
  [[nodiscard]] static constexpr ConvGeometry key(ConvGeometry g) {
    g.n = g.n == 1 ? 1 : 0;
    g.choices = nullptr;
    return g;
  }

  /// The algorithm's name, or null. Takes no lock; other threads may add meanwhile.
  [[nodiscard]] const char* find(const ConvGeometry& g, ConvPass pass) const {
    const ConvGeometry own = key(g);
    for (const Entry* entry = newest(); entry != nullptr; entry = entry->before)
      if (entry->pass == pass && entry->key == own) return entry->algorithm;
    return nullptr;
  }

  /// What is there already stays. `algorithm` outlives the object.
  void add(const ConvGeometry& g, ConvPass pass, const char* algorithm) {
    const std::scoped_lock lock(adding_);
    if (find(g, pass) != nullptr) return;
    newest_.store(&entries_.emplace_back(Entry{key(g), pass, algorithm, newest()}), std::memory_order_release);
  }

  [[nodiscard]] const Entry* newest() const { return newest_.load(std::memory_order_acquire); }

 private:
  std::mutex adding_;
  std::deque<Entry> entries_;  // elements stay where they are
  std::atomic<const Entry*> newest_{nullptr};
};

}  // namespace mien::inline v0::kernels
