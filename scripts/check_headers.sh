#!/usr/bin/env bash
# Every header compiles alone, and twice in one file, without a warning. Those whose definitions are in a NAME_impl.hpp are compiled as users
# of mien::compiled see them, and NAME_impl.hpp by itself: together what others see, without parsing every definition for every header above it.
#
#   scripts/check_headers.sh [COMPILER [EIGEN_INCLUDE_DIR]]      default: g++, Debian's Eigen
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

export compiler=${1:-g++} eigen=${2:-/usr/include/eigen3}
cd "$root/include"
check() {
  local mode=-DMIEN_COMPILED
  [[ $1 != *_impl.hpp && $1 == */*/* ]] || mode=  # and the umbrellas as they are
  printf '#include <%s>\n#include <%s>\n' "$1" "$1" |
    "$compiler" -x c++ -std=c++20 -fopenmp -fsyntax-only -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Werror $mode \
      -I. -isystem "$eigen" - || { echo "$1 does not compile alone with $compiler" >&2 && return 1; }
}
export -f check
find mien -name '*.hpp' | sort | xargs -P "$(default_jobs)" -I{} bash -c 'check {}' ||
  fail "each header must compile alone"
say "$(find mien -name '*.hpp' | wc -l) headers compile alone with $compiler"
