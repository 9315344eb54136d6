# What mien writes in Keras's formats, read by h5py where it is installed.
add_executable(mien_write_keras_files ${CMAKE_CURRENT_LIST_DIR}/write_files.cpp)
target_link_libraries(mien_write_keras_files PRIVATE mien::compiled mien_warnings)
add_test(NAME keras_files COMMAND ${CMAKE_CURRENT_LIST_DIR}/check.sh $<TARGET_FILE:mien_write_keras_files>)
set_tests_properties(keras_files PROPERTIES LABELS unit SKIP_RETURN_CODE 77 TIMEOUT 120)
