#!/usr/bin/env bash
# What including mien costs, in seconds: the median of three runs, one core, against the budget. Informs; never fails on time.
#
#   scripts/compile_times.sh [COMPILER]      default: g++
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

compiler=${1:-g++} rounds=${2:-3}
cd "$root"
flags=(-std=c++20 -fopenmp -Iinclude -isystem /usr/include/eigen3)

# measure BUDGET WHAT COMMAND...: runs the command that often; the median counts.
measure() {
  local budget=$1 what=$2 start times=()
  shift 2
  for ((round = 0; round < rounds; ++round)); do
    start=$EPOCHREALTIME
    "$@" || fail "this does not compile: $what"
    times+=("$(awk -v a="$start" -v b="$EPOCHREALTIME" 'BEGIN { printf "%.2f", b - a }')")
  done
  printf '%-52s %6s s   (budget %s s)\n' "$what" "$(printf '%s\n' "${times[@]}" | sort -n | sed -n $(((rounds + 1) / 2))p)" "$budget"
}

"$compiler" --version | head -n 1
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
for header in mien.hpp images.hpp io.hpp; do
  [[ -f include/mien/$header ]] || continue
  echo "#include <mien/$header>" >"$scratch/parse.cpp"
  budget=2
  [[ $header == mien.hpp ]] || budget=-
  measure $budget "parse <mien/$header>" "$compiler" "${flags[@]}" -fsyntax-only "$scratch/parse.cpp"
done
if [[ -f examples/quickstart.cpp ]]; then
  program=(-O2 -c examples/quickstart.cpp -o "$scratch/o")
  measure 10 "compile examples/quickstart.cpp for mien::compiled" "$compiler" "${flags[@]}" -DMIEN_COMPILED "${program[@]}"
  measure - "compile examples/quickstart.cpp, headers only" "$compiler" "${flags[@]}" "${program[@]}"
fi
