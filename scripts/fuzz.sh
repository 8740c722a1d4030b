#!/bin/sh
# Damages or makes up input of every kind by the thousand and lets one JVM take it all, which must survive:
#   scripts/fuzz.sh --count 20000 --seed 1
# --help lists the options; a folder as argument gives more files to start from.
exec "$(dirname "$0")/bench.sh" fuzz.Fuzz "$@"
