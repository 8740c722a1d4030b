#!/usr/bin/env bash
# Uses Ocellus as others do: installs what would be published into a local repository of its own, and compiles and runs
# the first Java example of the README, as it is printed, in a project that knows nothing of this one. With the starter,
# with two builds of the native libraries together, and with none; on the class path and on the module path.
set -euo pipefail
cd "$(dirname "$0")/.."
root=$PWD
. scripts/find-jdk.sh
find_jdk
java=$JAVA_HOME/bin/java
work=$root/target/consumer
repository=$work/repository
log=$work/log

say() { echo "consumer: $*"; }
fail() {
  say "$*" >&2
  exit 1
}

case $(uname -s)-$(uname -m) in
  Linux-x86_64) first=linux-x64 second=linux-x64-vulkan ;;
  Linux-aarch64) first=linux-arm64 second=openblas-linux-arm64 ;;
  Darwin-arm64) first=mac-arm64-metal second=mac-x64 ;;
  *) fail "there are no two builds of the native libraries for $(uname -s) $(uname -m)" ;;
esac

# All but Ocellus comes from the user's own repository, so that little is fetched.
rm -rf "$work"
mkdir -p "$repository/dev" "$work/files"
users=${MAVEN_LOCAL_REPOSITORY:-$HOME/.m2/repository}
for entry in "$users"/* "$users"/dev/*; do
  name=${entry#"$users"/}
  case $name in dev | dev/ocellus | "*" | "dev/*") ;; *) ln -s "$entry" "$repository/$name" ;; esac
done
maven() { mvn -q -Dmaven.repo.local="$repository" "$@" >>"$log" 2>&1 || { tail -n 30 "$log" >&2; fail "mvn $* failed"; }; }

say "installing into $repository"
maven -Prelease -pl bom,starter -am -DskipTests -Dmaven.test.skip=true -Dspotless.check.skip=true \
  -Dmaven.javadoc.skip=true -Dmaven.source.skip=true -Docellus.jars="all,${second#openblas-}" install

# The example, in a class and a module of somebody else.
mkdir -p "$work/project/src/main/java/com/example" "$work/module/com/example"
cp tests/consumer/pom.xml "$work/project/pom.xml"
cp vlm/src/main/resources/dev/ocellus/vlm/demo/tiny-shapes-vlm.gguf "$work/files/text.gguf"
cp vlm/src/main/resources/dev/ocellus/vlm/demo/mmproj-tiny-shapes-vlm.gguf "$work/files/mmproj.gguf"
cp docs/pictures/red-circle.png "$work/files/cat.jpg"
{
  echo "package com.example;"
  for package in vlm vlm.chat vlm.image vlm.image.codec vlm.options; do echo "import dev.ocellus.$package.*;"; done
  echo "import java.nio.file.Path;"
  echo "public final class Example {"
  echo "  public static void main(String[] args) throws Exception {"
  awk '/^```java/ {inside = 1; next} /^```/ {if (inside) exit} inside' README.md
  echo "  }"
  echo "}"
} >"$work/project/src/main/java/com/example/Example.java"
cp "$work/project/src/main/java/com/example/Example.java" "$work/module/com/example/Example.java"
echo "module com.example { requires dev.ocellus.vlm; }" >"$work/module/module-info.java"

# Runs a program; its output is left in $out, its status in $status.
run() {
  status=0
  out=$(cd "$work/files" && "$java" -Docellus.cache.dir="$work/cache" "$@" 2>&1) || status=$?
}

for case in starter two none; do
  maven -f "$work/project/pom.xml" -P"$case" -Dfirst="$first" -Dsecond="$second" clean compile \
    dependency:build-classpath -Dmdep.outputFile="$work/$case.path"
  path=$(cat "$work/$case.path")
  rm -rf "$work/module/classes"
  "$JAVA_HOME/bin/javac" -nowarn -Xlint:none -d "$work/module/classes" -p "$path" \
    "$work/module/module-info.java" "$work/module/com/example/Example.java" >>"$log" 2>&1 || {
    tail -n 20 "$log" >&2
    fail "$case: the module does not compile"
  }
  for way in "class path" "module path"; do
    if [ "$way" = "class path" ]; then
      run --enable-native-access=ALL-UNNAMED -cp "$work/project/target/classes:$path" com.example.Example
    else
      run --enable-native-access=dev.ocellus.nativelib,dev.ocellus.bindings \
        -p "$work/module/classes:$path" -m com.example/com.example.Example
    fi
    if [ "$case" = none ]; then
      [ "$status" -ne 0 ] || fail "$case, $way: ran without native libraries: $out"
      grep -q "dev.ocellus:ocellus-ggml-native with the classifier natives-$first" <<<"$out" ||
        fail "$case, $way: the message names no artifact: $out"
      grep -q "NativeLibraryException" <<<"$out" || fail "$case, $way: $out"
    else
      [ "$status" -eq 0 ] && [ -n "$out" ] || fail "$case, $way: status $status: $out"
    fi
    if [ "$case" = none ]; then out=$(grep -o 'no native libraries.*' <<<"$out"); fi
    say "$case, $way: $(tail -n 1 <<<"$out" | cut -c 1-100)"
  done
done
# The script for JBang, which would fetch the same by its //DEPS.
[ "$(sed -n 's,^//DEPS ,,p' docs/examples/jbang/Describe.java)" = "dev.ocellus:ocellus-starter:$(sed -n 's,.*<ocellus.version>\(.*\)</ocellus.version>.*,\1,p' tests/consumer/pom.xml)" ] ||
  fail "the JBang script depends on something else than the starter"
run --enable-native-access=ALL-UNNAMED -cp "$(cat "$work/starter.path")" "$root/docs/examples/jbang/Describe.java" \
  "$root/docs/pictures/red-circle.png"
[ "$status" -eq 0 ] && grep -qi "red circle" <<<"$out" || fail "JBang script: status $status: $out"
say "JBang script: $(tail -n 1 <<<"$out")"
say "all as it should be"
