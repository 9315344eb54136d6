# mien::compiled: mien's definitions compiled once (include/mien/core/compiled.hpp), for programs that are to compile quickly.
# Built when something links it; with MIEN_BUILD_COMPILED also by itself, and installed.
set(mien_exclude EXCLUDE_FROM_ALL)
if(MIEN_BUILD_COMPILED)
  set(mien_exclude "")
endif()
add_library(mien_compiled ${mien_exclude} cmake/compiled/layers.cpp cmake/compiled/model.cpp)
add_library(mien::compiled ALIAS mien_compiled)
set_target_properties(mien_compiled PROPERTIES EXPORT_NAME compiled POSITION_INDEPENDENT_CODE ON)
target_link_libraries(mien_compiled PUBLIC mien::mien)
target_compile_definitions(mien_compiled PUBLIC MIEN_COMPILED PRIVATE MIEN_COMPILING)

# What its own headers need beside the compiler is left out where it is missing, as it is without the library.
find_path(MIEN_STB_INCLUDE_DIR NAMES stb/stb_image.h stb_image.h)
mark_as_advanced(MIEN_STB_INCLUDE_DIR)
if(nlohmann_json_FOUND AND MIEN_STB_INCLUDE_DIR)
  target_sources(mien_compiled PRIVATE cmake/compiled/io.cpp)
endif()
if(MIEN_STB_INCLUDE_DIR)
  target_sources(mien_compiled PRIVATE cmake/compiled/images.cpp)
endif()
