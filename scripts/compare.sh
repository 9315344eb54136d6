#!/usr/bin/env bash
# Times mien and its opponents in turns and prints medians and ratios: the tables of docs/performance.md.
#
#   scripts/compare.sh SECTION... [OPTIONS]      sections: gemm im2col conv2d denormals pointwise models memory; see
#                                                benchmarks/compare.py --help
#
# Opponents take part where they are installed: libdnnl-dev, libopenblas-dev, python3-torch, and ONNX Runtime if npm is there.
# Run nothing beside it.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

if [[ $# -eq 0 || " $* " =~ \ (-h|--help)\  ]]; then
  usage
  python3 "$root/benchmarks/compare.py" --help
  exit 0
fi

cd "$root"
build=$root/build/release
python=
for candidate in "${PYTHON:-python3}" /usr/bin/python3; do
  "$candidate" -c "import torch" 2>/dev/null && python=$candidate && break
done
if [[ -z $python && " $* " =~ \ (models|memory)\  ]]; then
  fail "the sections models and memory need PyTorch: apt-get install python3-torch"
fi

"$root/scripts/install-deps.sh" benchmarks
cmake --preset release -D MIEN_BUILD_BENCHMARKS=ON >/dev/null
cmake --build "$build" --parallel "$(default_jobs)" --target gemm_benchmark conv2d_benchmark pointwise_benchmark model_benchmark >/dev/null

options=(--build "$build")
if [[ " $* " == *" models "* ]]; then
  packages=$root/build/onnxruntime
  if [[ ! -d $packages/node_modules/onnxruntime-node ]] && command -v npm >/dev/null; then
    mkdir -p "$packages"
    ONNXRUNTIME_NODE_INSTALL=skip npm install --prefix "$packages" --no-audit --no-fund onnxruntime-node >/dev/null 2>&1 || true
  fi
  [[ -d $packages/node_modules/onnxruntime-node ]] && options+=(--onnxruntime "$packages")
fi
say "$(lscpu | sed -n 's/^Model name: *//p'), $(nproc) threads, $(date +%F), instructions ${MIEN_ISA:-the best}"
PYTHON=${python:-python3} "${python:-python3}" benchmarks/compare.py "${options[@]}" "$@"
