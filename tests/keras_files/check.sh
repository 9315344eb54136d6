#!/usr/bin/env bash
# Files in Keras's formats, read by h5py: check.sh WRITE_FILES_PROGRAM. Exit status 77, which ctest shows as skipped, if
# no Python here has h5py.
set -euo pipefail

beside=$(dirname "${BASH_SOURCE[0]}")/../../../shared/models  # real models of Keras, where they are
if [[ -z ${MIEN_KERAS_MODELS:-} && -d $beside ]]; then export MIEN_KERAS_MODELS=$beside; fi
for python in python3 /usr/bin/python3; do
  if "$python" -c 'import h5py' 2>/dev/null; then
    folder=$(mktemp -d)
    trap 'rm -rf "$folder"' EXIT
    "$1" "$folder"
    "$python" "$(dirname "${BASH_SOURCE[0]}")/check.py" "$folder"
    exit
  fi
done
echo "skipped: no h5py (python3-h5py)"
exit 77
