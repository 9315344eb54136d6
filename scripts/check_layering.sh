#!/usr/bin/env bash
# Dependencies run one way. Prints each violation as file:line and fails if there is one.
#
#   scripts/check_layering.sh [INCLUDE_DIR]      default: include
#   scripts/check_layering.sh --self-test        each rule catches a file that breaks it
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

check() {
  find "$1/mien" -name '*.hpp' -o -name '*.inl' | sort | xargs awk -v prefix="$1/mien/" -f "$root/scripts/check_layering.awk"
}

# expect WHAT FILE LINE: a tree with this one file in it must be refused.
expect() {
  rm -rf "$scratch/mien"
  mkdir -p "$scratch/mien/$(dirname "$2")"
  printf '%s\n' "$3" >"$scratch/mien/$2"
  if check "$scratch" >/dev/null; then fail "self-test: $1 went unnoticed"; fi
}

self_test() {
  scratch=$(mktemp -d)
  trap 'rm -rf "$scratch"' EXIT
  expect "an upward include" core/tensor.hpp '#include <mien/layers/dense.hpp>'
  expect "an umbrella inside" layers/dense.hpp '#include <mien/mien.hpp>'
  expect "an unknown folder" misc/things.hpp '#pragma once'
  expect "an upward kernel text" kernels/a.hpp '#define MIEN_KERNEL_TEXT <mien/layers/a.inl>'
  expect "a relative include" layers/dense.hpp '#include "layer.hpp"'
  expect "a shape in a kernel" kernels/a.hpp '#include <mien/core/shape.hpp>'
  expect "an include in kernel text" kernels/a.inl '#include <cmath>'
  expect "definitions for all" layers/dense.hpp '#include <mien/layers/dense_impl.hpp>'
  expect "JSON outside io" model/model.hpp '#include <nlohmann/json.hpp>'
  expect "stb outside its folder" data/images/decode.hpp '#include <stb/stb_image.h>'
  expect "stb where no file is read" layers/dense.hpp '#include <mien/stb/zlib.hpp>'
  expect "Eigen outside its places" layers/dense.hpp '#include <Eigen/Core>'
  expect "OpenMP outside parallel.hpp" kernels/a.hpp '#pragma omp parallel for'
  expect "omp.h outside parallel.hpp" kernels/a.hpp '#include <omp.h>'
  expect "printing" layers/dense.hpp 'inline void f() { std::cout << 1; }'
  expect "printf" layers/dense.hpp 'inline void f() { std::printf("1"); }'
  expect "abort" layers/dense.hpp 'inline void f() { std::abort(); }'
  mkdir -p "$scratch/mien/layers" && rm -f "$scratch"/mien/layers/*
  echo '#include <mien/core/tensor.hpp>  // not std::cout' >"$scratch/mien/layers/dense.hpp"
  check "$scratch" || fail "self-test: a file without fault was refused"
  say "the layering check catches what it should"
}

if [[ ${1:-} == --self-test ]]; then
  self_test
else
  cd "$root"
  check "${1:-include}" || fail "the rules are in scripts/check_layering.awk and docs/architecture.md"
  say "dependencies run one way"
fi
