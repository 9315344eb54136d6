#!/usr/bin/env bash
# The first C++ blocks of README.md, docs/getting-started.md and docs/importing-weights.md compile as they are printed.
#
#   tests/docs/check_blocks.sh [COMPILER [EIGEN_INCLUDE_DIR]]      default: g++, Debian's Eigen
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/../../scripts/lib.sh"

compiler=${1:-g++} eigen=${2:-/usr/include/eigen3}

first_block() { awk '/^```cpp$/ { on = 1; next } /^```$/ && on { exit } on' "$root/$1"; }
# The lines that docs/getting-started.md says its snippets stand below.
preamble() { sed -n '/^    #include/s/^ *//p; /^    using namespace mien;/s/^ *//p' "$root/docs/getting-started.md"; }

check() {
  local program
  program=$(cat)
  [[ $program == *mien* && $program == *'#include <mien/'* ]] || fail "$1: no block of C++ found"
  # The definitions live in mien::compiled: what the block itself says is what is to be checked here.
  "$compiler" -x c++ -std=c++20 -fopenmp -fsyntax-only -D MIEN_COMPILED -I"$root/include" -isystem "$eigen" - <<<"$program" ||
    fail "the first C++ block of $1 does not compile with $compiler"
}

first_block README.md | check README.md
{ preamble && first_block docs/getting-started.md; } | check docs/getting-started.md
first_block docs/importing-weights.md | check docs/importing-weights.md
say "the first C++ blocks of three documents compile with $compiler"
