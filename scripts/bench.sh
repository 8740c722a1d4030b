#!/bin/sh
# Runs a class of the benchmarks: scripts/bench.sh [-Dname=value…] CLASS ARGUMENTS… (docs/benchmarks.md)
#   scripts/bench.sh synthetic.SyntheticModels --text 0.5b --out text.gguf
#   scripts/bench.sh bench.SideBySide -m text.gguf --peer llama-bench
#   scripts/bench.sh jmh SamplingBenchmark
#   scripts/bench.sh all --peer DIR [--quick]    every row of docs/benchmarks.md, written into its tables
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
[ $# -gt 0 ] || { sed -n '2,6s/^# *//p' "$0" >&2; exit 2; }
. "$root/scripts/find-jdk.sh"
find_jdk || exit 1
classpath=$root/tests/target/bench.classpath
# the class path file is made last, so it is older than any source that was changed since
if [ ! -f "$classpath" ] || [ -n "$(find "$root" -path '*/src/main/*' -newer "$classpath" -print | head -n 1)" ]; then
  echo "bench: building" >&2
  "$root/build" -q -f "$root/pom.xml" -pl tests -am -DskipTests -Dspotless.check.skip package \
    dependency:build-classpath -Dmdep.outputFile="$classpath.new" -Dmdep.includeScope=runtime >&2
  mv "$classpath.new" "$classpath" # every module writes it, so it is the right one when all are done
fi
options=--enable-native-access=ALL-UNNAMED
while [ $# -gt 0 ]; do
  case $1 in
    -D* | -X*) options="$options $1"; shift ;;
    *) break ;;
  esac
done
case $1 in
  jmh) class=org.openjdk.jmh.Main ;;
  all)
    class=dev.ocellus.tests.bench.suite.Suite
    options="$options -Docellus.root=$root"
    "$root/ocellus" --version >/dev/null # so that its first start, which builds it, is not measured
    ;;
  *) class=dev.ocellus.tests.$1 ;;
esac
shift
# shellcheck disable=SC2086 # options are words
exec "$JAVA_HOME/bin/java" $options -cp "$root/tests/target/classes:$(cat "$classpath")" "$class" "$@"
