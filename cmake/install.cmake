# Headers, the compiled library and a package config, found by find_package(mien) wherever the prefix is moved to.
include(CMakePackageConfigHelpers)
include(GNUInstallDirs)

set(mien_cmake_dir ${CMAKE_INSTALL_DATADIR}/cmake/mien)
install(DIRECTORY include/mien DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} FILES_MATCHING PATTERN "*.hpp" PATTERN "*.inl")
install(FILES LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR})
install(TARGETS mien EXPORT mien INCLUDES DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
if(MIEN_BUILD_COMPILED)
  install(TARGETS mien_compiled EXPORT mien)
endif()
install(EXPORT mien NAMESPACE mien:: FILE mien-targets.cmake DESTINATION ${mien_cmake_dir})

configure_package_config_file(cmake/mien-config.cmake.in mien-config.cmake INSTALL_DESTINATION ${mien_cmake_dir})
# Headers alone serve any machine; the compiled library one.
set(mien_arch ARCH_INDEPENDENT)
if(MIEN_BUILD_COMPILED)
  set(mien_arch "")
endif()
# 0.x: a new minor version may change the interface.
write_basic_package_version_file(mien-config-version.cmake COMPATIBILITY SameMinorVersion ${mien_arch})
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/mien-config.cmake ${CMAKE_CURRENT_BINARY_DIR}/mien-config-version.cmake
        DESTINATION ${mien_cmake_dir})
