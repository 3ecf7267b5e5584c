#!/usr/bin/env bash
# Runs every fuzz target of the library for a while: scripts/fuzz.sh [time]
set -euo pipefail
cd "$(dirname "$0")/.."
time=${1:-20s}
grep -rlE --include='*_test.go' '^func Fuzz' . | grep -v '^./bench/\|^./examples/' | xargs -n1 dirname | sort -u | while read -r dir; do
	grep -hoE --include='*_test.go' '^func Fuzz[A-Za-z0-9_]+' "$dir"/*_test.go | sed 's/^func //' | sort -u | while read -r target; do
		echo "== $dir $target"
		go test -run '^$' -fuzz "^$target\$" -fuzztime "$time" "$dir"
	done
done
