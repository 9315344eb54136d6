#!/usr/bin/env bash
# Runs the test program on files that PyTorch has just written. Exit status 77, "skipped", where torchvision is missing.
#
#   tests/torchvision/check.sh PROGRAM
set -euo pipefail

python=""
for candidate in python3 /usr/bin/python3; do
  if "$candidate" -c 'import torchvision' 2>/dev/null; then python=$candidate && break; fi
done
if [[ -z $python ]]; then
  echo "skipped: torchvision is not installed (python3-torchvision), so there is nothing to compare with"
  exit 77
fi
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"$python" "$(dirname "${BASH_SOURCE[0]}")/../references/torchvision_files.py" "$folder"
MIEN_TORCHVISION_FILES=$folder "$1"
