#!/usr/bin/env bash
# Proves that a run which is killed and resumed ends with the bits of one that was not: trains a small network once
# undisturbed, and once killed with SIGKILL at random moments and resumed after each.
#
#   scripts/kill_test.sh PROGRAM [KILLS] [OPTIONS...]
#
# PROGRAM is the built emotions_train, KILLS 10 by default; OPTIONS are added to the run's. Takes about KILLS times the
# undisturbed run, whose length it prints.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

[[ $# -ge 1 && $1 != -* ]] || { usage; exit 2; }
program=$1 kills=${2:-10}
[[ -x $program ]] || fail "$program is no program: build emotions_train and give its path"
folder=$(mktemp -d)
victim=
trap '[[ -z $victim ]] || kill -9 "$victim" 2>/dev/null || true; rm -rf "$folder"' EXIT

run=("$program" --model custom2 --synthetic 160 --epochs 3 --seed 5 --threads 2 --image-size 36 --augment "${@:3}")
say "undisturbed: ${run[*]}"
start=$(date +%s%N)
"${run[@]}" --out "$folder/whole" >"$folder/log"
length=$(($(date +%s%N) - start))
say "took $((length / 1000000)) ms"

# A resumed run is shorter: one that ended before its moment came does not count, and another is begun.
killed=0
for ((tries = 0; killed < kills && tries < 10 * kills; ++tries)); do
  wait_ms=$((1 + (RANDOM * 32768 + RANDOM) % (length / 1500000)))
  "${run[@]}" --out "$folder/killed" --resume >"$folder/log" 2>&1 &
  victim=$!
  sleep "$(printf '%d.%03d' $((wait_ms / 1000)) $((wait_ms % 1000)))"
  kill -9 "$victim" 2>/dev/null || true
  status=0
  wait "$victim" 2>/dev/null || status=$?
  victim=
  logged=$({ tail -qn +2 "$folder/killed/history.csv" 2>/dev/null || true; } | wc -l)  # none before the first epoch
  case $status in
    137)
      killed=$((killed + 1))
      say "kill $killed of $kills: after $wait_ms ms, with $logged epochs in the log"
      ;;
    0)
      say "the run had ended after $wait_ms ms: compared, and another one begun"
      cmp "$folder/whole/model.safetensors" "$folder/killed/model.safetensors" || fail "the models differ"
      rm -r "$folder/killed"
      ;;
    *)
      cat "$folder/log"
      fail "the run failed with status $status"
      ;;
  esac
done
[[ $killed == "$kills" ]] || fail "only $killed of $kills runs lived long enough to be killed"
"${run[@]}" --out "$folder/killed" --resume >"$folder/log"
cmp "$folder/whole/model.safetensors" "$folder/killed/model.safetensors" || fail "the models differ"
cmp "$folder/whole/confusion.csv" "$folder/killed/confusion.csv" || fail "the confusion matrices differ"
cmp <(sed 's/,[^,]*$//' "$folder/whole/history.csv") <(sed 's/,[^,]*$//' "$folder/killed/history.csv") ||
  fail "the histories differ"
say "killed $killed times: the models, matrices and histories are the same bytes"
