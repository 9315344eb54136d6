#pragma once

#include <doctest/doctest.h>

#include <string>

#include <mien/kernels/isa/isa.hpp>

/// Runs a test with every instruction set that the processor has, and leaves the one it found, also when it throws.
template <class Test>
void for_each_isa(const Test& test) {
  const struct Restore {
    mien::Isa before = mien::active_isa();
    ~Restore() { mien::set_isa(before); }
  } restore;
  for (const mien::Isa isa : {mien::Isa::portable, mien::Isa::avx2, mien::Isa::avx512}) {
    if (isa > mien::best_isa()) continue;
    const std::string set = mien::to_string(isa);
    CAPTURE(set);
    mien::set_isa(isa);
    REQUIRE(mien::active_isa() == isa);
    test();
  }
}
