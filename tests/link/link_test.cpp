#include <doctest/doctest.h>

#include <cstdlib>
#include <string>

#include <link/sample.hpp>
#include <mien/kernels/isa/isa.hpp>

using mien::Isa;

TEST_CASE("files with different -m flags compute the same bits with each instruction set") {
  const Isa before = mien::active_isa();
  for (const Isa isa : {Isa::portable, Isa::avx2, Isa::avx512}) {
    if (isa > mien::best_isa()) continue;
    CAPTURE(std::string(mien::to_string(isa)));
    mien::set_isa(isa);
    const Sample plain = sample_of_plain_file(), flagged = sample_of_flagged_file();
    CHECK(plain.sums == flagged.sums);
    CHECK(plain.wide == flagged.wide);
    CHECK(plain.weights == flagged.weights);
    const int bytes = isa == Isa::avx512 ? 64 : isa == Isa::avx2 ? 32 : 16;
    CHECK(plain.vector_bytes == bytes);
    CHECK(flagged.vector_bytes == bytes);
  }
  mien::set_isa(before);
}

TEST_CASE("the instruction set that MIEN_ISA names is the one that runs") {
  const char* forced = std::getenv("MIEN_ISA");
  const std::string expected = forced != nullptr ? forced : mien::to_string(mien::best_isa());
  CHECK(mien::to_string(mien::active_isa()) == expected);
  const int bytes = expected == "avx512" ? 64 : expected == "avx2" ? 32 : 16;
  CHECK(sample_of_plain_file().vector_bytes == bytes);
  CHECK(sample_of_flagged_file().vector_bytes == bytes);
}
