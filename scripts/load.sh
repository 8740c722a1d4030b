#!/bin/sh
# Many clients at once against a server: scripts/load.sh [SECONDS [CLIENTS]], 600 and 64 by default.
# Starts ./ocellus serve with the embedded model and ends it, unless URL names a server that runs already
# (then PID may be its process, whose memory is told, and MODEL its model).
set -eu
cd "$(dirname "$0")/.."
seconds=${1:-600}
clients=${2:-64}
if [ -z "${URL:-}" ]; then
  port=${PORT:-18099}
  URL=http://127.0.0.1:$port
  ./ocellus serve -q --port "$port" --parallel "${PARALLEL:-8}" &
  PID=$!
  trap 'kill "$PID" 2>/dev/null || :' EXIT INT TERM
  until curl -fs "$URL/health" >/dev/null 2>&1; do
    kill -0 "$PID" || exit 1
    sleep 0.2
  done
fi
scripts/bench.sh load.ServerLoad "$URL" "$clients" "$seconds" "${MODEL:-tiny-shapes-vlm}" \
  docs/pictures/red-circle.png docs/pictures/seven.png docs/pictures/square-and-star.png ${PID:+pid=$PID}
