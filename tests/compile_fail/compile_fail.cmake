# Each file here is compiled twice: as it stands it must compile; with MIEN_MUST_FAIL it must not, and the compiler's message
# must match the regular expression in the file's first line, so that it fails for the right reason.
file(GLOB cases CONFIGURE_DEPENDS ${CMAKE_CURRENT_LIST_DIR}/*.cpp)
foreach(case IN LISTS cases)
  cmake_path(GET case STEM name)
  file(STRINGS ${case} first_line LIMIT_COUNT 1)
  string(REGEX REPLACE "^// must fail with: " "" message "${first_line}")
  set(compile ${CMAKE_CXX_COMPILER} -std=c++20 -Wall -Wextra -Wpedantic -Werror -fsyntax-only
              -I${PROJECT_SOURCE_DIR}/include ${case})
  add_test(NAME compile_fail.${name} COMMAND ${compile} -DMIEN_MUST_FAIL)
  set_tests_properties(compile_fail.${name} PROPERTIES LABELS project ENVIRONMENT LC_ALL=C
                                                          PASS_REGULAR_EXPRESSION "error: [^\n]*(${message})")
  add_test(NAME compile_fail.${name}.twin COMMAND ${compile})
  set_tests_properties(compile_fail.${name}.twin PROPERTIES LABELS project)
endforeach()
