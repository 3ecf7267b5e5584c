#!/usr/bin/env bash
# Compares the library's own benchmarks on the parent commit and on the working tree, round by round:
#   scripts/benchstat.sh [rounds] [packages...]
set -euo pipefail
cd "$(dirname "$0")/.."
rounds=${1:-6}
shift || true
packages=("$@")
[ ${#packages[@]} -gt 0 ] || packages=(. ./hotcache ./httppool ./internal/codec ./internal/ring ./internal/store)
dir=$(mktemp -d "${TMPDIR:-/tmp}/cachemesh-benchstat-XXXXXX")
trap 'git worktree remove --force "$dir/parent" >/dev/null 2>&1 || true; rm -rf "$dir"' EXIT
git worktree add --quiet --detach "$dir/parent" HEAD~1
for round in $(seq "$rounds"); do
	echo "round $round of $rounds" >&2
	(cd "$dir/parent" && go test -run '^$' -bench . -benchtime 200ms "${packages[@]}") >>"$dir/parent.txt" || true
	go test -run '^$' -bench . -benchtime 200ms "${packages[@]}" >>"$dir/new.txt"
done
go run golang.org/x/perf/cmd/benchstat@latest parent="$dir/parent.txt" new="$dir/new.txt"
