#!/usr/bin/env bash
# The check of headers catches what it should: check_headers_test.sh CHECK [OPTION...]
set -euo pipefail
tree=$(mktemp -d)
trap 'rm -rf "$tree"' EXIT
mkdir -p "$tree/mien/core"
output=$tree/output

# header NAME LINE...: into the tree.
header() {
  printf '#pragma once\n' >"$tree/mien/core/$1"
  printf '%s\n' "${@:2}" >>"$tree/mien/core/$1"
}
# refuses NAME WHY: the check fails and blames this header and no other; then it is taken away.
refuses() {
  if "${check[@]}" >"$output" 2>&1; then echo "unnoticed: $2" && exit 1; fi
  [[ $(grep 'does not compile alone' "$output") == "mien/core/$1 does not compile alone"* ]] ||
    { cat "$output" && echo "the wrong header was blamed for $2" && exit 1; }
  rm "$tree/mien/core/$1"
}

check=("$@" --include "$tree")
header numbers.hpp '#include <vector>' 'using Numbers = std::vector<int>;'
header names.hpp '#include <string>' '#include <mien/core/numbers.hpp>' 'inline std::string name(const Numbers&) { return {}; }'
"${check[@]}"
header first.hpp 'inline std::vector<int> first() { return {}; }'
refuses first.hpp "a header without includes"
header another.hpp '#include <mien/core/numbers.hpp>' 'inline std::string another(const Numbers&) { return {}; }'
refuses another.hpp "an include that headers beside it have"
header narrow.hpp '#include <mien/core/names.hpp>' 'inline int narrow(long x) { return x; }'
refuses narrow.hpp "a warning"
echo 'struct Twice {};' >"$tree/mien/core/twice.hpp"
refuses twice.hpp "a header without #pragma once"
header below.hpp 'struct Below {};' '#if !defined(MIEN_COMPILED)' '#include <mien/core/below_impl.hpp>' '#endif'
header below_impl.hpp '#include <string>' '#include <mien/core/below.hpp>' 'inline std::string text(const Below&) { return {}; }'
header above.hpp '#include <mien/core/below.hpp>' 'inline std::string above(const Below&) { return {}; }'
refuses above.hpp "an include that only definitions have"
echo "the check of headers catches what it should"
