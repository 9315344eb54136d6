# torchvision's networks, written by PyTorch while the test runs.
add_executable(mien_test_torchvision torchvision/torchvision_test.cpp)
target_link_libraries(mien_test_torchvision PRIVATE mien_test_main mien::compiled)
mien_add_test(torchvision "${CMAKE_CURRENT_LIST_DIR}/check.sh;$<TARGET_FILE:mien_test_torchvision>" project)
