#!/bin/sh
# Many clients at once against a server: scripts/load.sh [SECONDS [CLIENTS]], 600 and 64 by default.
# Tells every 15 s how much memory the server takes, and at the end answers a second, times, and processor time an answer.
#   scripts/load.sh                              ./ocellus serve with the embedded model, which is started and ended
#   LLAMA_SERVER=FILE scripts/load.sh            llama-server with the same files
#   URL=http://… [MODEL=…] [PID=…] scripts/load.sh    any server of OpenAI's API that runs already
# PARALLEL is how many answers a server generates together (8), THREADS how many threads it computes with (all).
set -eu
cd "$(dirname "$0")/.."
seconds=${1:-600}
clients=${2:-64}
parallel=${PARALLEL:-8}
threads=${THREADS:-$(nproc)}
if [ -z "${URL:-}" ]; then
  port=${PORT:-18099}
  URL=http://127.0.0.1:$port
  if [ -n "${LLAMA_SERVER:-}" ]; then
    files=vlm/src/main/resources/dev/ocellus/vlm/demo
    "$LLAMA_SERVER" --port "$port" --parallel "$parallel" -c $((512 * parallel)) -t "$threads" -tb "$threads" \
      -m $files/tiny-shapes-vlm.gguf --mmproj $files/mmproj-tiny-shapes-vlm.gguf >/dev/null 2>&1 &
  else
    ./ocellus --version >/dev/null # so that building is over
    ./ocellus serve -q --port "$port" --parallel "$parallel" -t "$threads" -tb "$threads" &
  fi
  PID=$!
  trap 'kill "$PID" 2>/dev/null || :' EXIT INT TERM
  until curl -fs "$URL/health" >/dev/null 2>&1; do
    kill -0 "$PID" || exit 1
    sleep 0.2
  done
fi
scripts/bench.sh load.ServerLoad "$URL" "$clients" "$seconds" "${MODEL:-tiny-shapes-vlm}" \
  docs/pictures/red-circle.png docs/pictures/seven.png docs/pictures/square-and-star.png ${PID:+pid=$PID}
