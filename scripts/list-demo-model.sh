#!/bin/sh
# Writes the listing that the embedded demo model is checked against; run it when the files change.
set -eu
cd "$(dirname "$0")/../vlm/src/main/resources/dev/ocellus/vlm/demo"
for file in *.gguf; do
  sum=$(if command -v sha256sum >/dev/null 2>&1; then sha256sum "$file"; else shasum -a 256 "$file"; fi)
  echo "file ${sum%% *} $(wc -c <"$file" | tr -d ' ') $file"
done >files.txt
