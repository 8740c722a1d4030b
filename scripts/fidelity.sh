#!/bin/sh
# Writes docs/fidelity.md: how far Ocellus is from the reference, and llama.cpp's libmtmd beside it.
#   scripts/fidelity.sh REFERENCE_DIR       a directory of golden data, laid out as tests/golden is
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
[ $# -eq 1 ] || { sed -n '2,3s/^# *//p' "$0" >&2; exit 2; }
exec "$root/scripts/bench.sh" reference.FidelityPage "$root/docs/fidelity.md" "$1" "$root/tests/golden"
