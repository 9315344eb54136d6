#!/usr/bin/env bash
# Installs the Debian packages that are missing, or says which they are where it may not.
#
#   scripts/install-deps.sh [GROUP...]     groups: build (always), tests, benchmarks, clang
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

packages=(g++ cmake make libeigen3-dev libstb-dev nlohmann-json3-dev libcli11-dev)
for group in "$@"; do
  case $group in
    build) ;;
    tests) packages+=(doctest-dev python3-h5py) ;;
    benchmarks) packages+=(libbenchmark-dev libdnnl-dev libopenblas-dev) ;;
    clang) packages+=(clang clang-format libomp-dev) ;;
    *) fail "unknown group '$group': expected build, tests, benchmarks or clang" ;;
  esac
done

if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null; then
  say "this is not a Debian system; what is needed, by its Debian names: ${packages[*]}"
  exit 0
fi

missing=()
for package in "${packages[@]}"; do
  status=$(dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null || true)
  [[ $status == installed ]] || missing+=("$package")
done
[[ ${#missing[@]} -gt 0 ]] || exit 0

as_root=()
if [[ $(id -u) -ne 0 ]]; then
  if command -v sudo >/dev/null && { sudo -n true 2>/dev/null || [[ -t 0 ]]; }; then
    as_root=(sudo)
  else
    fail "packages are missing and this user may not install them; as root, run: apt-get install ${missing[*]}"
  fi
fi

say "installing ${missing[*]}"
log=$(mktemp)
trap 'rm -f "$log"' EXIT
apt() { "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -q -y -o DPkg::Lock::Timeout=120 "$@" >>"$log" 2>&1; }
if ! { apt update && apt install --no-install-recommends "${missing[@]}"; }; then
  tail -n 20 "$log" >&2
  fail "apt-get could not install: ${missing[*]}"
fi
