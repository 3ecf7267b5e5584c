#!/usr/bin/env bash
# Copies the licences and notices of everything that the program links, on any system, to a directory.
# Usage: scripts/licences.sh DIRECTORY
set -euo pipefail
out=$(mkdir -p "$1" && cd "$1" && pwd)
cd "$(dirname "$0")/../cmd/cachemesh"
for os in linux darwin windows; do
	GOOS=$os CGO_ENABLED=0 go list -deps -f '{{with .Module}}{{if not .Main}}{{.Path}} {{.Dir}}{{end}}{{end}}' .
done | sort -u | while read -r path dir; do
	mkdir -p "$out/$path"
	find "$dir" -maxdepth 1 -type f \( -iname 'licen[sc]e*' -o -iname 'notice*' -o -iname 'copying*' \) -exec cp {} "$out/$path/" \;
	[ -n "$(ls -A "$out/$path")" ] || { echo "$path has no licence" >&2; exit 1; }
done
