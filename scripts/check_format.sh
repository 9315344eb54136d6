#!/usr/bin/env bash
# Fails if clang-format would change a file of ours. With --fix, changes it.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

cd "$root"
mapfile -t files < <(find include tests examples benchmarks -name '*.hpp' -o -name '*.cpp')
if [[ ${1:-} == --fix ]]; then
  clang-format -i "${files[@]}"
  exit 0
fi

# Compared by hand: clang-format 14's own --dry-run reports the closing comments of inline namespaces, and changes nothing.
different=0
for file in "${files[@]}"; do
  diff -q <(clang-format "$file") "$file" >/dev/null || { echo "$file is not formatted" && different=1; }
done
((different == 0)) || fail "run scripts/check_format.sh --fix"
