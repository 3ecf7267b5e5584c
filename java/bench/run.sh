#!/usr/bin/env bash
# Measures @Cacheable(sync = true) on CacheMesh, Redis and Hazelcast by turns: run.sh [rounds] [reads of a thread]
set -euo pipefail
cd "$(dirname "$0")/.."
command -v redis-server >/dev/null || { echo "redis-server 7 is needed (Debian: apt-get install redis-server)" >&2; exit 1; }
mvn -q -B -Pbench -pl bench -am package -DskipTests -Dcachemesh.targets=host
jar=$(ls bench/target/cachemesh-bench-*-app.jar)
redis-server --port 16399 --save '' --appendonly no >/dev/null &
redis=$!
trap 'kill $redis' EXIT
java -cp "$jar" -Dloader.main=io.github.praveenduddu.cachemesh.bench.Bench org.springframework.boot.loader.launch.PropertiesLauncher "$jar" 16399 "${1:-3}" "${2:-28000}"
