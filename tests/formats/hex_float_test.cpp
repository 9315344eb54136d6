#include <doctest/doctest.h>

#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>

#include <mien/core/random.hpp>
#include <mien/io/formats/hex_float.hpp>

using namespace mien;

TEST_CASE("hex_float writes what Python's float.fromhex reads") {
  CHECK(hex_float(3) == "0x1.8p+1");
  CHECK(hex_float(-0.0) == "-0x0p+0");
  CHECK(hex_float(0.1) == "0x1.999999999999ap-4");
  CHECK(hex_float(std::numeric_limits<double>::infinity()) == "inf");
  CHECK(hex_float(-std::numeric_limits<double>::infinity()) == "-inf");
  CHECK(hex_float(std::nan("")) == "nan");
}

TEST_CASE("every double reads back to the same bits") {
  const auto bits = [](double x) { return std::bit_cast<std::uint64_t>(x); };
  using Limits = std::numeric_limits<double>;
  for (const double x : {0.0, -0.0, 1.0, -1.5, Limits::max(), Limits::lowest(), Limits::min(), Limits::denorm_min(),
                         -Limits::denorm_min(), Limits::epsilon(), Limits::infinity(), -Limits::infinity()})
    CHECK(bits(parse_hex_float(hex_float(x))) == bits(x));
  CHECK(std::isnan(parse_hex_float("nan")));

  Random random(RandomKey{.seed = 1});
  for (int i = 0; i < 20000; ++i) {
    const auto x = std::bit_cast<double>(std::uint64_t{random.bits()} << 32U | random.bits());
    if (std::isnan(x)) continue;
    REQUIRE(bits(parse_hex_float(hex_float(x))) == bits(x));
  }
}

TEST_CASE("any other text is refused") {
  for (const char* wrong : {"", "-", "0x", "1.8p+1", "0x1.8p+1 ", " 0x1p+0", "0x1p+0x", "--0x1p+0", "0x-1p+0", "0xinf",
                            "0xnan", "infinity", "INF", "nan(1)", "0x1p+99999", "3,5", "0x1.8g"})
    CHECK_THROWS_AS(static_cast<void>(parse_hex_float(wrong)), FileError);
}
