#!/usr/bin/env bash
# Trains custom model 2 and leaves the run in runs/demo; installs and builds what is missing first.
#
#   scripts/demo.sh                    on synthetic faces, a few minutes
#   scripts/demo.sh --data DIR         on your pictures: one folder per class under DIR
# Everything else is passed on to emotions_train; see emotions_train --help.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

if [[ ${1:-} == -h || ${1:-} == --help ]]; then
  usage
  exit 0
fi
# What the caller does not say is filled in: OPTION VALUE, unless one of these options is given.
run=()
unless_given() {
  local argument option defaults
  read -ra defaults <<<"$1"
  shift
  for argument in "${given[@]}"; do
    for option in "$@"; do
      [[ $argument != "$option" && $argument != "$option="* ]] || return 0
    done
  done
  run+=("${defaults[@]}")
}
given=("$@")
unless_given "--model custom2" --model
unless_given "--synthetic 4000" --synthetic --data
unless_given "--epochs 9" --epochs
unless_given "--out runs/demo" --out
unless_given "--overwrite" --overwrite --resume

"$root/scripts/install-deps.sh" build
cd "$root"
say "building emotions_train (the first time takes about a minute)"
build=$root/build/demo
cmake --preset release -B "$build" -D MIEN_WERROR=OFF -D MIEN_BUILD_TESTS=OFF -D MIEN_BUILD_BENCHMARKS=OFF >/dev/null
cmake --build "$build" --parallel "$(default_jobs)" --target emotions_train >/dev/null

run=("$build/examples/emotions_train" "${run[@]}" "$@")
say "${run[*]}"
exec "${run[@]}"
