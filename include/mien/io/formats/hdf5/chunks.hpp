#pragma once
// Datasets in chunks: a B-tree leads to pieces of equal extents, each perhaps compressed.

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <iterator>
#include <map>
#include <span>
#include <vector>

#include <mien/io/formats/hdf5/dataset.hpp>
#include <mien/io/formats/hdf5/filters.hpp>
#include <mien/io/formats/hdf5/symbol_table.hpp>
#include <mien/io/formats/inflate.hpp>

namespace mien::inline v0::hdf5 {

/// Reads the chunks of one dataset to where their elements belong.
class ChunkReader {
 public:
  ChunkReader(const Region& region, const Dataset& dataset, std::span<std::byte> to)
      : region_(region), metadata_(region), dataset_(dataset), to_(to), element_(size_of(dataset.dtype)) {
    chunk_bytes_ = element_;
    for (std::size_t axis = 0; axis < rank(); ++axis) {
      chunk_bytes_ *= dataset.chunk[axis];
      const auto extent = static_cast<std::uint64_t>(dataset.shape[static_cast<int>(axis)]);
      most_chunks_ *= (extent + dataset.chunk[axis] - 1) / dataset.chunk[axis];
    }
  }

  void read() { read_node(dataset_.address, -1); }

 private:
  using Offsets = std::array<std::uint64_t, Shape::max_rank>;

  [[nodiscard]] std::size_t rank() const { return dataset_.chunk.size(); }
  [[nodiscard]] std::uint64_t extent(std::size_t axis) const {
    return static_cast<std::uint64_t>(dataset_.shape[static_cast<int>(axis)]);
  }

  void read_node(std::uint64_t address, int level) {
    const TreeNode node = read_tree_node(metadata_, address, 1, level);
    const std::uint64_t key = 8 + 8 * (rank() + 1);
    const auto bytes = metadata_.read("a node of chunks", address + tree_node_head, node.children * (key + 8));
    Cursor cursor = metadata_.cursor("the node of chunks", address, bytes);
    for (int i = 0; i < node.children; ++i) {
      const std::uint32_t size = cursor.u32(), skipped_filters = cursor.u32();
      Offsets at{};
      for (std::size_t axis = 0; axis < rank(); ++axis) at[axis] = cursor.u64();
      cursor.skip(8);  // the offset inside an element
      const std::uint64_t child = cursor.u64();
      if (node.level > 0) {
        read_node(child, node.level - 1);
      } else {
        check(cursor, at);
        claim(cursor, child, size);
        load(cursor, child, size, skipped_filters);
        place(at);
      }
    }
  }

  void check(const Cursor& cursor, const Offsets& at) {
    for (std::size_t axis = 0; axis < rank(); ++axis)
      if (at[axis] >= extent(axis) || at[axis] % dataset_.chunk[axis] != 0)
        cursor.fail("has a chunk at ", at[axis], " on axis ", axis, " of ", dataset_.shape, ", whose chunks have ",
                    dataset_.chunk[axis], "; the file is damaged");
    if (chunks_++ == most_chunks_) cursor.fail("has more than the ", most_chunks_, " chunks of ", dataset_.shape);
  }

  /// Bytes of the file belong to one chunk: a small file could otherwise make many of the same few.
  void claim(const Cursor& cursor, std::uint64_t address, std::uint64_t size) {
    const auto after = claimed_.upper_bound(address);
    const bool before_ends = after == claimed_.begin() || std::prev(after)->second <= address;
    const bool ends_before = after == claimed_.end() || size <= after->first - address;
    if (!before_ends || !ends_before || size == 0)
      cursor.fail("has two chunks that share bytes, or one without any, at address ", address, "; the file is damaged");
    claimed_.emplace_hint(after, address, address + size);
  }

  /// Reads a chunk and undoes its filters, the last one first: its bytes are then in chunk_.
  void load(const Cursor& cursor, std::uint64_t address, std::uint32_t size, std::uint32_t skipped_filters) {
    if (size > chunk_bytes_ + chunk_bytes_ / 8 + 1024 || !region_.holds(address, size))
      cursor.fail("says that a chunk of ", chunk_bytes_, " bytes takes ", size, " at address ", address,
                  "; the file is truncated or damaged");
    chunk_.resize(size);
    region_.read(address, chunk_);
    for (std::size_t i = dataset_.filters.size(); i-- > 0;) {
      if ((skipped_filters >> i & 1U) != 0) continue;
      other_.resize(static_cast<std::size_t>(chunk_bytes_));
      if (dataset_.filters[i] == Filter::deflate) {
        inflate(cursor);
      } else {
        if (chunk_.size() != chunk_bytes_) break;
        unshuffle(chunk_, element_, other_);
      }
      chunk_.swap(other_);
    }
    if (chunk_.size() != chunk_bytes_)
      cursor.fail("has a chunk of ", chunk_.size(), " bytes where ", chunk_bytes_, " were expected");
  }

  void inflate(const Cursor& cursor) {
    try {
      mien::detail::inflate_zlib(chunk_, other_);
    } catch (const FileError& error) {
      cursor.fail("has a damaged chunk: ", error.what());
    }
  }

  /// Copies the rows of the chunk at these offsets that lie inside the dataset.
  void place(const Offsets& at) {
    const std::size_t last = rank() - 1;
    const std::uint64_t row = std::min<std::uint64_t>(dataset_.chunk[last], extent(last) - at[last]);
    Offsets index{};  // of a row inside the chunk; its last entry stays 0
    for (std::size_t from = 0; from < chunk_.size(); from += dataset_.chunk[last] * element_) {
      bool inside = true;
      std::uint64_t to = 0;
      for (std::size_t axis = 0; axis < rank(); ++axis) {
        inside = inside && at[axis] + index[axis] < extent(axis);
        to = to * extent(axis) + at[axis] + index[axis];
      }
      if (inside) std::memcpy(&to_[to * element_], &chunk_[from], row * element_);
      for (std::size_t axis = last; axis-- > 0;) {
        if (++index[axis] < dataset_.chunk[axis]) break;
        index[axis] = 0;
      }
    }
  }

  const Region& region_;
  Metadata metadata_;
  const Dataset& dataset_;
  std::span<std::byte> to_;
  std::size_t element_;
  std::uint64_t chunk_bytes_ = 0, chunks_ = 0, most_chunks_ = 1;
  std::map<std::uint64_t, std::uint64_t> claimed_;  ///< where each chunk's bytes begin and end
  std::vector<std::byte> chunk_, other_;
};

}  // namespace mien::inline v0::hdf5
