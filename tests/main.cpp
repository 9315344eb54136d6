// The main function of every test program. With MIEN_ISA set to an instruction set that this processor lacks, the
// program says so and ends with status 77, which ctest reports as skipped.

#define DOCTEST_CONFIG_IMPLEMENT
#include <doctest/doctest.h>

#include <cstdio>
#include <cstdlib>
#include <string_view>

#include <mien/kernels/isa/isa.hpp>

int main(int argc, char** argv) {
  if (const char* forced = std::getenv("MIEN_ISA"); forced != nullptr) {
    for (const mien::Isa isa : {mien::Isa::portable, mien::Isa::avx2, mien::Isa::avx512}) {
      if (std::string_view(forced) != mien::to_string(isa) || isa <= mien::best_isa()) continue;
      std::printf("skipped: MIEN_ISA=%s, but this processor has only %s\n", forced, mien::to_string(mien::best_isa()));
      return 77;
    }
    std::printf("MIEN_ISA=%s: running with %s\n", forced, mien::to_string(mien::active_isa()));
  }
  return doctest::Context(argc, argv).run();
}
