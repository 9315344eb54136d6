#!/usr/bin/env bash
# Times the networks here and in PyTorch, in turns, and prints medians and ratios.
#
#   scripts/compare.sh [ROUNDS] [MODEL...]      3 rounds by default, of custom1 custom2 custom3 vgg16 resnet50 vggface
#
# Needs Google Benchmark and PyTorch (python3-torch). Run nothing beside it.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

rounds=${1:-3}
shift || true
models=("$@")
[[ ${#models[@]} -gt 0 ]] || models=(custom1 custom2 custom3 vgg16 resnet50 vggface)
python=
for candidate in "${PYTHON:-python3}" /usr/bin/python3; do
  "$candidate" -c "import torch" 2>/dev/null && python=$candidate && break
done
[[ -n $python ]] || { echo "PyTorch is missing: apt-get install python3-torch" >&2; exit 2; }

cd "$root"
build=$root/build/release
cmake --preset release -D MIEN_BUILD_TESTS=OFF >/dev/null
cmake --build "$build" --parallel "$(default_jobs)" --target model_benchmark >/dev/null
say "$(lscpu | sed -n 's/^Model name: *//p'), $(nproc) threads, $(date +%F), $rounds rounds in turns"

results=$(mktemp)
trap 'rm -f "$results"' EXIT
for ((round = 1; round <= rounds; ++round)); do
  for model in "${models[@]}"; do
    "$build/benchmarks/model_benchmark" --benchmark_filter="/$model/" --benchmark_format=csv 2>/dev/null |
      awk -F, '/^"(train|predict)/ { gsub(/"|\/real_time/, "", $1); print "mien", $1, $3 }' >>"$results"
    "$python" benchmarks/pytorch_models.py --model "$model" --threads "$(nproc)" | sed 's/^/pytorch /' >>"$results"
  done
done

sort -k2,2 -k1,1 -k3,3n "$results" | awk '
  function flush_group() { if (key != "") median[key] = values[int((n + 1) / 2)]; n = 0 }
  { k = $1 " " $2; if (k != key) { flush_group(); key = k } values[++n] = $3; names[$2] = 1 }
  END {
    flush_group()
    printf "%-26s %10s %12s %22s\n", "median, ms", "mien", "PyTorch", "PyTorch / mien"
    for (name in names) printf "%-26s %10.3f %12.3f %22.2f\n", name, median["mien " name], median["pytorch " name], median["pytorch " name] / median["mien " name] | "sort"
  }'
