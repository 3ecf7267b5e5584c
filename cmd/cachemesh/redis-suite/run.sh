#!/usr/bin/env bash
# Runs Redis' own tests of strings, expiry, keys and scans against a member, as a server that they do not
# know. They come from Debian's source package, which apt checks; without it, or without tcl, it says so, and skips.
# REDIS_SOURCE names a folder that has the source already.
set -euo pipefail
cd "$(dirname "$0")"
skip() { echo "SKIPPED: $*"; exit 0; }
command -v tclsh >/dev/null || skip "tclsh is not installed (apt-get install tcl)"

dir=$(mktemp -d)
member=
cleanup() {
	[ -z "$member" ] || kill "$member" 2>/dev/null || true
	rm -rf "$dir"
}
trap cleanup EXIT

source=${REDIS_SOURCE:-}
if [ -z "$source" ]; then
	chmod 755 "$dir"
	mkdir -p "$dir/lists/partial" "$dir/parts" "$dir/source"
	codename=$(. /etc/os-release && echo "${VERSION_CODENAME:-}")
	mirror=$(grep -rhoE 'https?://[^ ]*/debian/?( |$)' /etc/apt/sources.list /etc/apt/sources.list.d 2>/dev/null | head -1 | tr -d ' ' || true)
	echo "deb-src [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] ${mirror:-http://deb.debian.org/debian} $codename main" >"$dir/parts/source.list"
	options=(-o Dir::Etc::sourcelist=/dev/null -o Dir::Etc::sourceparts="$dir/parts" -o Dir::State::Lists="$dir/lists" -qq)
	(cd "$dir/source" && apt-get "${options[@]}" update && apt-get "${options[@]}" source --download-only redis) >"$dir/apt" 2>&1 ||
		skip "Debian's source of redis cannot be had: $(tail -1 "$dir/apt")"
	tar -xzf "$dir"/source/redis_*.orig.tar.gz -C "$dir/source"
	source=$(ls -d "$dir"/source/redis-*/)
fi

(cd .. && go build -o "$dir/cachemesh" .)
"$dir/cachemesh" member --listen 127.0.0.1:0 --redis-listen 127.0.0.1:0 --http-listen off 2>"$dir/log" &
member=$!
port=
for _ in $(seq 600); do
	port=$(sed -nE 's/.*this member is ready.* redis=127\.0\.0\.1:([0-9]+).*/\1/p' "$dir/log")
	[ -z "$port" ] || break
	kill -0 "$member" 2>/dev/null || { cat "$dir/log"; exit 1; }
	sleep 0.1
done

grep -vE '^(#|$)' skipped.txt >"$dir/skipped"
passed=0
failed=0
for unit in unit/type/string unit/expire unit/keyspace unit/scan; do
	(cd "$source" && timeout 300 tclsh tests/test_helper.tcl --host 127.0.0.1 --port "$port" --singledb --ignore-encoding --ignore-digest --durable \
		--tags "-needs:repl -needs:debug -needs:reset -needs:config-maxmemory -needs:save -slow" --skipfile "$dir/skipped" --single "$unit") >"$dir/out" 2>&1 || true
	sed -i 's/\x1b\[[0-9;]*m//g' "$dir/out"
	ok=$(grep -c '^\[ok\]' "$dir/out" || true)
	bad=$(grep -cE '^\[(err|exception|timeout)\]' "$dir/out" || true)
	echo "$unit: $ok passed, $bad failed, $(grep -c '^\[skip\]' "$dir/out" || true) left out, $(grep -c '^\[ignore\]' "$dir/out" || true) not for a server of others"
	if [ "$bad" -gt 0 ] || ! grep -q '^\[1/1 done\]' "$dir/out"; then
		grep -vE '^\[(ok|skip|ignore|testing|ready)\]' "$dir/out" | head -60
		failed=$((failed + 1))
	fi
	passed=$((passed + ok))
done
[ "$failed" -eq 0 ] || { echo "FAILED: $failed units"; exit 1; }
[ "$passed" -ge 100 ] || { echo "FAILED: only $passed tests ran"; exit 1; }
echo "ok: $passed tests of Redis' own"
