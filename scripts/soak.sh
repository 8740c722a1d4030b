#!/bin/sh
# Image chats in one process, whose memory must stay where it is: scripts/soak.sh --chats 10000 --every 1000
# --help lists the options; -Xmx128m and such before them go to Java.
options=
while [ $# -gt 0 ]; do
  case $1 in
    -X* | -D*) options="$options $1"; shift ;;
    *) break ;;
  esac
done
# shellcheck disable=SC2086 # options are words
exec "$(dirname "$0")/bench.sh" $options soak.Soak "$@"
