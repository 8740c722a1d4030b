#!/usr/bin/env bash
# What docs/spark.md measures and takes minutes.
#   scripts/spark.sh cluster    2,000 images on a standalone cluster of two workers, one executor killed in the middle
#   scripts/spark.sh bench      images a second of one executor beside the command line
#   scripts/spark.sh scaling    images a second of one and of two executors of one core
#   scripts/spark.sh jar        the -all jar on the class path of a stock Spark, behind its jars and in front of them
# Options go on to Maven: -Docellus.spark.images=N, -Docellus.spark.rounds=N.
set -euo pipefail
cd "$(dirname "$0")/.."
what=${1:?cluster, bench, scaling or jar}
shift
case $what in cluster | bench | scaling | jar) ;; *) echo "expected cluster, bench, scaling or jar, found $what" >&2; exit 2 ;; esac
[ "$what" != bench ] || ./ocellus --version >/dev/null # builds it, if need be
if [ "$what" = jar ]; then
  ./build -q -Pquick -Pspark-jar -pl integrations/spark -am -DskipTests -Dspotless.check.skip=true package
fi
./build -q -Pquick -pl integrations/spark -am -Dtest=StandaloneTest -Dsurefire.failIfNoSpecifiedTests=false \
  -Dspotless.check.skip=true -Docellus.spark="$what" "$@" verify
