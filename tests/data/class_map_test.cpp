#include <string>
#include <vector>

#include <doctest/doctest.h>

#include <mien/data/class_map.hpp>

using namespace mien;

TEST_CASE("parse_classes keeps order, renames and merges") {
  const auto classes = parse_classes({"angry", "relaxed=neutral", "negative=sad", "happy=happy", "negative=fear"});
  REQUIRE(classes.size() == 4);
  CHECK(classes[0].name == "angry");
  CHECK(classes[0].folders == std::vector<std::string>{"angry"});
  CHECK(classes[1].name == "relaxed");
  CHECK(classes[1].folders == std::vector<std::string>{"neutral"});
  CHECK(classes[2].folders == std::vector<std::string>{"sad", "fear"});
  CHECK(classes[3].folders == std::vector<std::string>{"happy"});
  CHECK(parse_classes({}).empty());
}

TEST_CASE("parse_classes refuses entries without a name and folders taken twice") {
  for (const char* entry : {"", "=", "a=", "=a"})
    CHECK_THROWS_WITH_AS(static_cast<void>(parse_classes({entry})), doctest::Contains("names no class"), OptionError);
  CHECK_THROWS_WITH_AS(static_cast<void>(parse_classes({"a", "b=a"})), doctest::Contains("\"a\" is taken twice"),
                       OptionError);
}
