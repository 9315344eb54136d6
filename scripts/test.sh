#!/usr/bin/env bash
# Builds the tests and runs them; installs what is missing first. Without options: everything, with g++ and -O2.
#
#   --preset NAME      release (default), debug or asan
#   --compiler NAME    default: g++; another one builds in build/<preset>-<compiler>
#   --groups REGEX     only these test groups (folders of tests/; `project`: the checks of the project itself)
#   --tests-only       without examples and benchmarks, and without mien::compiled if no test links it
#   --no-isa           each kernel group with the best instruction set only
#   --jobs N           compilations, then tests, side by side
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

preset=release compiler=g++ groups="" programs=ON jobs=$(default_jobs) ctest_options=()
while [[ $# -gt 0 ]]; do
  case $1 in
    --preset) preset=$2 && shift ;;
    --compiler) compiler=$2 && shift ;;
    --groups) groups=$2 && shift ;;
    --tests-only) programs=OFF ;;
    --no-isa) ctest_options+=(--label-exclude '^isa$') ;;
    --jobs) jobs=$2 && shift ;;
    -h | --help) usage && exit 0 ;;
    *) usage >&2 && fail "unknown option '$1'" ;;
  esac
  shift
done

needs=(tests)
[[ $programs == ON ]] && needs+=(benchmarks)
[[ $compiler == *clang* ]] && needs+=(clang)
"$root/scripts/install-deps.sh" "${needs[@]}"

build=$root/build/$preset
[[ $compiler == g++ ]] || build=$build-$(basename "$compiler")
export UBSAN_OPTIONS=${UBSAN_OPTIONS:-print_stacktrace=1}

cd "$root"
say "configuring $build ($compiler)"
log=$(mktemp)
trap 'rm -f "$log"' EXIT
# Naming the compiler that the folder was configured with by another name (g++ for /usr/bin/c++) would rebuild everything.
choice=(-D CMAKE_CXX_COMPILER="$compiler")
cached=$(sed -n 's/^CMAKE_CXX_COMPILER:[A-Z]*=//p' "$build/CMakeCache.txt" 2>/dev/null || true)
if [[ -n $cached && $(readlink -f "$(command -v "$cached")") == "$(readlink -f "$(command -v "$compiler")")" ]]; then choice=(); fi
cmake --preset "$preset" -B "$build" "${choice[@]}" -D MIEN_TEST_GROUPS="$groups" \
  -D MIEN_BUILD_TESTS=ON -D MIEN_BUILD_EXAMPLES=$programs -D MIEN_BUILD_BENCHMARKS=$programs \
  -D MIEN_BUILD_COMPILED=$programs >"$log" 2>&1 ||
  { cat "$log" && fail "cmake could not configure"; }
grep 'mien:' "$log" || true
if [[ -n $groups ]] && ctest --test-dir "$build" --show-only | grep -q '^Total Tests: 0'; then
  fail "no test group matches '$groups'; the groups are the folders of tests/, and project"
fi

say "building with $jobs jobs"
cmake --build "$build" --parallel "$jobs"
say "testing"
# Threads that wait in OpenMP would otherwise spin on processors that other tests need.
export OMP_WAIT_POLICY=${OMP_WAIT_POLICY:-passive}
ctest --test-dir "$build" --parallel "$jobs" --output-on-failure --no-label-summary --no-tests=error "${ctest_options[@]}"
