# The warnings that our own code is held to. An internal target: nobody who links mien::mien gets them.
add_library(mien_warnings INTERFACE)
target_compile_options(mien_warnings INTERFACE -Wall -Wextra -Wpedantic -Wshadow -Wconversion)
if(MIEN_WERROR)
  target_compile_options(mien_warnings INTERFACE -Werror)
endif()
