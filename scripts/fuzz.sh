#!/bin/sh
# Damages models, images, checkpoints and sessions by the thousand and opens them in one JVM, which must survive:
#   scripts/fuzz.sh --count 20000 --seed 1
# --help lists the options; a folder as argument gives more files to start from.
exec "$(dirname "$0")/bench.sh" fuzz.Fuzz "$@"
