#!/usr/bin/env bash
# Builds what is published twice, in two folders, time zones and languages, and compares the hashes of all jars.
set -euo pipefail
cd "$(dirname "$0")/.."
root=$PWD
work=$root/target/reproducible
rm -rf "$work"

build() { # FOLDER TIMEZONE LANGUAGE
  mkdir -p "$1"
  git archive HEAD | tar -x -C "$1"
  for fetched in npm maven; do # what npm and Maven brought is pinned by its hash
    if [ -d "ggml-native/target/$fetched" ]; then
      mkdir -p "$1/ggml-native/target"
      cp -R "ggml-native/target/$fetched" "$1/ggml-native/target/"
    fi
  done
  echo "reproducible: building in $1"
  (cd "$1" && TZ=$2 LC_ALL=$3 ./build -q -Prelease,quick -pl '!starter,!tests' -DskipTests -Dmaven.test.skip=true \
    -Dspotless.check.skip=true -Docellus.jars=host package >build.log 2>&1) || { tail -n 30 "$1/build.log"; exit 1; }
  (cd "$1" && find . -path '*/target/*.jar' ! -path '*/target/maven/*' ! -path '*/lib/*' -exec sha256sum {} + |
    sort -k 2) >"$1.sha256"
}

build "$work/one" UTC C.UTF-8
build "$work/further/down/two" Asia/Tokyo C
echo "reproducible: $(wc -l <"$work/one.sha256") jars"
[ -s "$work/one.sha256" ]
diff "$work/one.sha256" "$work/further/down/two.sha256" && echo "reproducible: all are equal"
