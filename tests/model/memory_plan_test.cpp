#include <doctest/doctest.h>

#include <vector>

#include <mien/core/random.hpp>
#include <mien/model/memory_plan.hpp>

using namespace mien;

TEST_CASE("blocks that live at one time never overlap, others share") {
  struct Block {
    std::size_t bytes;
    int first, last, number;
  };
  for (std::uint64_t seed = 0; seed < 50; ++seed) {
    Random random({.seed = seed});
    MemoryPlan plan;
    std::vector<Block> blocks;
    std::size_t sum = 0;
    for (int i = 0; i < 60; ++i) {
      const int first = static_cast<int>(random.below(40)), last = first + static_cast<int>(random.below(12));
      const std::size_t bytes = 1 + random.below(5000);
      blocks.push_back({bytes, first, last, plan.add(bytes, first, last)});
      sum += bytes;
    }
    plan.extend(blocks[0].number, 60);
    blocks[0].last = 60;
    plan.place();
    CHECK(plan.bytes() < sum);
    for (const Block& a : blocks) {
      CHECK(plan.offset(a.number) % cache_line == 0);
      CHECK(plan.offset(a.number) + a.bytes <= plan.bytes());
      for (const Block& b : blocks) {
        if (&a == &b || a.last < b.first || b.last < a.first) continue;
        const bool apart = plan.offset(a.number) + a.bytes <= plan.offset(b.number) ||
                           plan.offset(b.number) + b.bytes <= plan.offset(a.number);
        CHECK(apart);
      }
    }
  }
}

TEST_CASE("an arena is as large as what lives at once") {
  MemoryPlan plan;
  const int a = plan.add(640, 0, 1), b = plan.add(640, 1, 2), c = plan.add(640, 2, 3);
  CHECK(plan.add(0, 0, 9) == MemoryPlan::none);
  plan.place();
  CHECK(plan.bytes() == 1280);
  CHECK(plan.offset(a) == plan.offset(c));
  CHECK(plan.offset(a) != plan.offset(b));
}
