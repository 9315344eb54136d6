#include <doctest/doctest.h>

#include <cstdlib>
#include <string>

#include <every_isa.hpp>
#include <link/sample.hpp>
#include <mien/kernels/isa/isa.hpp>

TEST_CASE("files with different -m flags compute the same bits with each instruction set") {
  for_each_isa([] {
    const Sample plain = sample_of_plain_file(), flagged = sample_of_flagged_file();
    CHECK(plain.sums == flagged.sums);
    CHECK(plain.wide == flagged.wide);
    CHECK(plain.weights == flagged.weights);
    const mien::Isa isa = mien::active_isa();
    const int bytes = isa == mien::Isa::avx512 ? 64 : isa == mien::Isa::avx2 ? 32 : 16;
    CHECK(plain.vector_bytes == bytes);
    CHECK(flagged.vector_bytes == bytes);
  });
}

TEST_CASE("the files differ in what they would do by themselves") {
  for (const Sample& sample : {sample_of_plain_file(), sample_of_flagged_file()})
    CHECK(sample.fuses == sample.ought_to_fuse);
}

TEST_CASE("the instruction set that MIEN_ISA names is the one that runs") {
  const char* forced = std::getenv("MIEN_ISA");
  const std::string expected = forced != nullptr ? forced : mien::to_string(mien::best_isa());
  CHECK(mien::to_string(mien::active_isa()) == expected);
  const int bytes = expected == "avx512" ? 64 : expected == "avx2" ? 32 : 16;
  CHECK(sample_of_plain_file().vector_bytes == bytes);
  CHECK(sample_of_flagged_file().vector_bytes == bytes);
}
