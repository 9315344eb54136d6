# The example programs, run, and a run that is killed and resumed. Longer: scripts/kill_test.sh PROGRAM 10
find_package(CLI11 QUIET)
if(MIEN_BUILD_EXAMPLES AND CLI11_FOUND)
  add_test(NAME examples COMMAND ${CMAKE_CURRENT_LIST_DIR}/check.sh $<TARGET_FILE_DIR:emotions_train>)
  add_test(NAME examples.kill COMMAND ${PROJECT_SOURCE_DIR}/scripts/kill_test.sh $<TARGET_FILE:emotions_train> 2)
  set_tests_properties(examples examples.kill PROPERTIES LABELS project TIMEOUT 600)
endif()
