# Two files of one program, the second compiled with other -m flags. Only where this processor runs them: code outside the
# kernels' regions follows the flags, and the linker keeps one copy of each inline function of either file.
include(CheckCXXSourceRuns)

# The file without flags is the same in each of the programs.
add_library(mien_link_plain OBJECT ${CMAKE_CURRENT_LIST_DIR}/plain.cpp)
target_include_directories(mien_link_plain PRIVATE ${CMAKE_CURRENT_SOURCE_DIR})
target_link_libraries(mien_link_plain PRIVATE mien::mien mien_warnings)

function(mien_add_link_test set cpu_check)
  string(MAKE_C_IDENTIFIER MIEN_PROCESSOR_HAS_${set} runs)
  check_cxx_source_runs("int main() { return ${cpu_check} ? 0 : 1; }" ${runs})
  if(NOT ${runs})
    return()
  endif()
  mien_add_link_program(${set} mien::mien)
  target_compile_options(mien_link_${set} PRIVATE ${ARGN})
endfunction()

function(mien_add_link_program name library)
  add_library(mien_link_${name} OBJECT ${CMAKE_CURRENT_FUNCTION_LIST_DIR}/flagged.cpp)
  target_include_directories(mien_link_${name} PRIVATE ${CMAKE_CURRENT_SOURCE_DIR})
  target_link_libraries(mien_link_${name} PRIVATE ${library} mien_warnings)
  mien_add_test_group(link_${name} ${CMAKE_CURRENT_FUNCTION_LIST_DIR}/link_test.cpp)
  target_link_libraries(mien_test_link_${name} PRIVATE mien_link_plain mien_link_${name})
endfunction()

mien_add_link_test(avx2 "__builtin_cpu_supports(\"avx2\") && __builtin_cpu_supports(\"fma\")" -mavx2 -mfma)
mien_add_link_test(avx512 "__builtin_cpu_supports(\"avx512f\") && __builtin_cpu_supports(\"avx512vl\") && \
__builtin_cpu_supports(\"avx512dq\") && __builtin_cpu_supports(\"avx512bw\")" -march=x86-64-v4)

# A header-only file beside one that takes its definitions from mien::compiled.
mien_add_link_program(compiled mien::compiled)
