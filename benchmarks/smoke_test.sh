#!/usr/bin/env bash
# The sections of compare.py run on one product, one convolution and one activation and print their rows; no time is judged.
#
#   benchmarks/smoke_test.sh BUILD_DIR
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/../scripts/lib.sh"

tables=$(python3 "$root/benchmarks/compare.py" --build "$1" --rounds 1 --filter '256/256/256|c2.1a|relu' gemm im2col conv2d denormals pointwise)
for row in '256 x 256 x 256 \| 1' 'c2\.1a \| 1' 'c2\.1a \| forward' 'c2\.1a \| backward_kernel' \
  'c2\.1a \| backward_kernel \| [0-9]+ \| [0-9]+ \| [0-9]+\.[0-9]+' 'relu/gradient \| 1'; do
  grep -Eq "^\| $row \|" <<<"$tables" || { printf '%s\n' "$tables" && fail "compare.py printed no row '$row'"; }
done
say "compare.py prints its tables"
