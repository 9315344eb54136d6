# What the scripts share; sourced, not run.

export LC_ALL=C.UTF-8
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

say() { printf '== %s\n' "$*"; }
fail() {
  printf 'error: %s\n' "$*" >&2
  exit 1
}

# Compilations that fit side by side: one per processor of ours, 1.5 GB of memory each.
default_jobs() {
  local processors memory
  processors=$(nproc)
  memory=$(awk '/^MemAvailable/ { n = int($2 / 1500000); print (n > 1 ? n : 1) }' /proc/meminfo)
  echo $((processors < memory ? processors : memory))
}

# The comment that the script begins with, down to its `set`.
usage() { sed -n '2,/^set/{/^#/s/^# \{0,1\}//p}' "$0"; }
