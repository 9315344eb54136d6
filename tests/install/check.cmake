# Builds and runs the program beside this file against mien, WAY package: installed to a prefix that is then moved; WAY
# subdirectory: by add_subdirectory. Run by ctest.
cmake_minimum_required(VERSION 3.22)
set(scratch ${BUILD_DIR}/consumer/${WAY})
file(REMOVE_RECURSE ${scratch})

set(where "")
if(WAY STREQUAL "package")
  execute_process(COMMAND ${CMAKE_COMMAND} --install ${BUILD_DIR} --prefix ${scratch}/first OUTPUT_QUIET
                          COMMAND_ERROR_IS_FATAL ANY)
  file(RENAME ${scratch}/first ${scratch}/moved)
  set(where -D CMAKE_PREFIX_PATH=${scratch}/moved)
else()
  set(where -D MIEN_SOURCE_DIR=${SOURCE_DIR})
endif()

execute_process(COMMAND ${CMAKE_COMMAND} -S ${CMAKE_CURRENT_LIST_DIR} -B ${scratch}/build -G ${GENERATOR}
                        -D CMAKE_CXX_COMPILER=${COMPILER} -D Eigen3_DIR=${EIGEN_DIR} ${where} COMMAND_ERROR_IS_FATAL ANY)
execute_process(COMMAND ${CMAKE_COMMAND} --build ${scratch}/build COMMAND_ERROR_IS_FATAL ANY)
execute_process(COMMAND ${scratch}/build/consumer COMMAND_ERROR_IS_FATAL ANY)
if(EXISTS ${scratch}/build/consumer_trains)
  execute_process(COMMAND ${scratch}/build/consumer_trains ${scratch}/model.safetensors COMMAND_ERROR_IS_FATAL ANY)
elseif(WAY STREQUAL "package" AND COMPILED)
  message(FATAL_ERROR "the installed package has no mien::compiled")
endif()
