#!/bin/sh
# Lets Jazzer, a coverage-guided fuzzer from Maven Central, search for inputs of one parser: TARGET [FOLDER_WITH_MORE…] [-libFuzzerOption…]
#   scripts/fuzz-guided.sh gguf -max_total_time=600
#   scripts/fuzz-guided.sh image docs/pictures -max_total_time=3600
# Targets: gguf safetensors pickle tokenizer image template messages grammar schema imatrix session. What was found to be worth
# keeping stays in fuzz-out/guided/TARGET, so that a later run goes on there; a finding is left in fuzz-out/guided.
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
[ $# -gt 0 ] || { sed -n '2,6s/^# *//p' "$0" >&2; exit 2; }
. "$root/scripts/find-jdk.sh"
find_jdk || exit 1
target=$1
shift
folders=
while [ $# -gt 0 ] && [ -d "$1" ]; do
  folders="$folders $(cd "$1" && pwd)"
  shift
done
classpath=$root/tests/target/jazzer.classpath
if [ ! -f "$classpath" ] || [ -n "$(find "$root" -path '*/src/main/*' -newer "$classpath" -print | head -n 1)" ]; then
  echo "fuzz-guided: building" >&2
  "$root/build" -q -f "$root/pom.xml" -Pjazzer -pl tests -am -DskipTests -Dspotless.check.skip package \
    dependency:build-classpath -Dmdep.outputFile="$classpath" -Dmdep.includeScope=runtime >&2
fi
corpus=$root/fuzz-out/guided/$target
mkdir -p "$corpus"
java="$JAVA_HOME/bin/java --enable-native-access=ALL-UNNAMED -Djava.awt.headless=true -Docellus.fuzz.target=$target"
# inputs that are read from files are written some hundred times a second, and what is made of them flushed
[ -d /dev/shm ] && [ -w /dev/shm ] && java="$java -Djava.io.tmpdir=/dev/shm"
java="$java -cp $root/tests/target/classes:$(cat "$classpath")"
# shellcheck disable=SC2086 # words
$java dev.ocellus.tests.fuzz.Guided "$corpus" $folders
cd "$root/fuzz-out/guided"
# shellcheck disable=SC2086 # words
exec $java com.code_intelligence.jazzer.Jazzer --target_class=dev.ocellus.tests.fuzz.Guided \
  '--instrumentation_includes=dev.ocellus.**' --keep_going=20 "$corpus" -rss_limit_mb=6000 -max_len=65536 "$@"
