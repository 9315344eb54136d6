#pragma once
// Which samples go to validation: class shares are kept, and an identity never falls on both sides.

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <map>
#include <span>
#include <utility>
#include <vector>

#include <mien/core/error.hpp>
#include <mien/core/random.hpp>

namespace mien::inline v0::detail {

/// The positions of two parts of a data set, each in ascending order.
using SplitPositions = std::pair<std::vector<std::int64_t>, std::vector<std::int64_t>>;

/// Positions grouped by identity, in order of first appearance; a negative identity is a group of its own.
[[nodiscard]] inline std::vector<std::vector<std::int64_t>> group_by_identity(
    std::span<const std::int64_t> identities) {
  std::vector<std::vector<std::int64_t>> groups;
  std::map<std::int64_t, std::size_t> group_of;
  for (std::size_t i = 0; i < identities.size(); ++i) {
    const auto position = static_cast<std::int64_t>(i);
    if (identities[i] < 0) {
      groups.push_back({position});
      continue;
    }
    const auto [found, is_new] = group_of.try_emplace(identities[i], groups.size());
    if (is_new) groups.emplace_back();
    groups[found->second].push_back(position);
  }
  return groups;
}

/// Visits the groups in a random order and moves each to validation that brings the class counts nearer to
/// round(fraction * count), distances weighted by 1 / count. With groups of one sample the counts are met exactly.
/// All arithmetic on the way to a decision is in integers: the same split on every machine.
[[nodiscard]] inline SplitPositions stratified_split(std::span<const int> labels,
                                                     std::span<const std::int64_t> identities, int classes,
                                                     double fraction, std::uint64_t seed) {
  const auto n = static_cast<std::int64_t>(labels.size());
  std::vector<std::int64_t> weight(static_cast<std::size_t>(classes)), missing(weight), members(weight);
  for (const int label : labels) ++missing[static_cast<std::size_t>(label)];
  for (std::size_t c = 0; c < weight.size(); ++c) {
    weight[c] = missing[c] == 0 ? 0 : n / missing[c];
    missing[c] = std::llround(fraction * static_cast<double>(missing[c]));
  }
  const auto groups = group_by_identity(identities);
  std::vector<bool> held_out(labels.size());
  for (const std::int64_t g :
       permutation(static_cast<std::int64_t>(groups.size()), {.seed = seed, .purpose = random_purpose::split})) {
    const auto& group = groups[static_cast<std::size_t>(g)];
    std::fill(members.begin(), members.end(), 0);
    for (const std::int64_t i : group) ++members[static_cast<std::size_t>(labels[static_cast<std::size_t>(i)])];
    std::int64_t change = 0;  // of the sum of weight * missing^2
    for (std::size_t c = 0; c < weight.size(); ++c) change += weight[c] * members[c] * (members[c] - 2 * missing[c]);
    if (change >= 0) continue;
    for (std::size_t c = 0; c < weight.size(); ++c) missing[c] -= members[c];
    for (const std::int64_t i : group) held_out[static_cast<std::size_t>(i)] = true;
  }
  SplitPositions parts;
  for (std::size_t i = 0; i < held_out.size(); ++i)
    (held_out[i] ? parts.second : parts.first).push_back(static_cast<std::int64_t>(i));
  return parts;
}

}  // namespace mien::inline v0::detail
