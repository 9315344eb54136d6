# Checks of the project rather than of its functions.
set(scripts ${PROJECT_SOURCE_DIR}/scripts)

add_test(NAME layering COMMAND ${scripts}/check_layering.sh)
add_test(NAME layering.self_test COMMAND ${scripts}/check_layering.sh --self-test)
get_target_property(eigen Eigen3::Eigen INTERFACE_INCLUDE_DIRECTORIES)
set(check_headers ${scripts}/check_headers.py --compiler ${CMAKE_CXX_COMPILER} --eigen ${eigen})
add_test(NAME headers_alone COMMAND ${check_headers})
add_test(NAME headers_alone.self_test COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/check_headers_test.sh ${check_headers})
add_test(NAME docs.blocks COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/docs/check_blocks.sh ${CMAKE_CXX_COMPILER} ${eigen})
set_tests_properties(layering layering.self_test headers_alone headers_alone.self_test docs.blocks PROPERTIES LABELS project TIMEOUT 600)

# The installed package, after its prefix was moved, and the source tree inside another project.
foreach(way IN ITEMS package subdirectory)
  add_test(NAME consumer.${way}
           COMMAND ${CMAKE_COMMAND} -D WAY=${way} -D BUILD_DIR=${PROJECT_BINARY_DIR} -D SOURCE_DIR=${PROJECT_SOURCE_DIR}
                   -D COMPILER=${CMAKE_CXX_COMPILER} -D GENERATOR=${CMAKE_GENERATOR} -D EIGEN_DIR=${Eigen3_DIR}
                   -D COMPILED=${MIEN_BUILD_COMPILED}
                   -P ${CMAKE_CURRENT_SOURCE_DIR}/install/check.cmake)
  set_tests_properties(consumer.${way} PROPERTIES LABELS project TIMEOUT 600)
endforeach()
if(NOT MIEN_INSTALL)
  set_tests_properties(consumer.package PROPERTIES DISABLED TRUE)
endif()
