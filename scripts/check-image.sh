#!/usr/bin/env bash
# Unpacks what ./build -Pdist made and uses it as on a machine that has nothing: no PATH, no JDK, a folder with spaces.
set -euo pipefail
cd "$(dirname "$0")/.."
root=$PWD
archive=
for file in dist/target/ocellus-*.tar.gz; do archive=$file; done
[ -f "$archive" ] || { echo "check-image: no archive in dist/target; run ./build -Pdist -DskipTests package" >&2; exit 1; }
work="$root/target/check image"
rm -rf "$work"
mkdir -p "$work/home" "$work/images"
tar -xzf "$archive" -C "$work"
image=$(echo "$work"/ocellus-*)
cp docs/pictures/*.png "$work/images/"
# a page with a red square and a word in one of the fonts that PDF files need not bring
cat >"$work/page.pdf" <<'PDF'
%PDF-1.4
1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj
2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj
3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 200 200]/Contents 4 0 R/Resources<</Font<</F1 5 0 R>>>>>>endobj
4 0 obj<</Length 66>>stream
1 0 0 rg 50 50 100 100 re f BT /F1 12 Tf 10 10 Td (Hello) Tj ET
endstream
endobj
5 0 obj<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>endobj
trailer<</Root 1 0 R>>
PDF

say() { echo "check-image: $*"; }
fail() {
  say "$*" >&2
  exit 1
}

# A command in an empty environment; its output is left in $out.
bare() {
  status=0
  out=$(cd "$work/images" && env -i PATH= HOME="$work/home" OPTS="${opts:-}" \
    /bin/sh -c 'export OCELLUS_JAVA_OPTS="$OPTS"; exec "$0" "$@"' "$image/bin/ocellus" "$@" 2>&1) || status=$?
}

expect() { # PATTERN COMMAND…
  pattern=$1
  shift
  bare "$@"
  [ "$status" -eq 0 ] && grep -qi -- "$pattern" <<<"$out" || fail "ocellus $*: status $status: $out"
  say "ocellus $*: $(head -n 1 <<<"$out" | cut -c 1-80)"
}

expect 'Java ' --version
expect 'red circle' describe -q red-circle.png
expect 'red' describe -q "$work/page.pdf"
expect 'red-circle' search . a red circle
expect 'linux\|mac' devices
expect '0\.' embed -q --image red-circle.png
expect 'done\|png' generate --seed 7 --out made.png
expect 'complete' completion bash
ln -s "$image/bin/ocellus" "$work/link"
"$work/link" --version >/dev/null || fail "through a link"

# The class archives fit, or the JVM would refuse to start with these.
opts=-XX:AOTMode=on expect 'red circle' describe -q red-circle.png
opts=-Xshare:on expect 'llama' devices

# TLS and HTTP are there: nobody listens on that port.
bare pull -q hf://org/repo --offline
grep -qi 'offline' <<<"$out" || fail "pull --offline: $out"
status=0
out=$(cd "$work" && env -i PATH= HOME="$work/home" HF_ENDPOINT=https://127.0.0.1:9 "$image/bin/ocellus" pull hf://org/repo 2>&1) || status=$?
[ "$status" -eq 1 ] && ! grep -qi 'NoClassDef\|NoSuchAlgorithm\|at dev\.' <<<"$out" || fail "pull: $out"

# The server.
coproc server { exec env -i PATH= HOME="$work/home" "$image/bin/ocellus" serve -q --port 0 --json 2>&1; }
server_pid=$server_PID
trap 'kill "$server_pid" 2>/dev/null || :' EXIT
port=
while [ -z "$port" ] && read -r line <&"${server[0]}"; do
  port=$(sed -n 's/.*127\.0\.0\.1:\([0-9][0-9]*\).*/\1/p' <<<"$line")
done
[ -n "$port" ] || fail "serve: $line"
exec 9<>"/dev/tcp/127.0.0.1/$port"
printf 'GET /v1/models HTTP/1.1\r\nHost: 127.0.0.1:%s\r\nConnection: close\r\n\r\n' "$port" >&9
answer=$(cat <&9)
kill "$server_pid"
grep -q '200 OK' <<<"$answer" || fail "serve: $answer"
say "ocellus serve: $(head -n 1 <<<"$answer")"

[ "$(ls "$image/share/man/man1" | wc -l)" -gt 30 ] || fail "no manual pages"
if command -v man >/dev/null; then man -l "$image/share/man/man1/ocellus-chat.1" | grep -q -- --image || fail "man"; fi

bytes() { du -sb "$1" | cut -f 1; }
say "archive $(($(stat -c %s "$archive") / 1000000)) MB; unpacked $(($(bytes "$image") / 1000000)) MB, of it the runtime" \
  "$(($(bytes "$image/runtime") / 1000000)), class archives $(($(cat "$image"/app/ocellus.jsa "$image"/app/ocellus.aot | wc -c) / 1000000))"
say "all as it should be"
