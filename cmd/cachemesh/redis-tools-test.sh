#!/usr/bin/env bash
# Runs the program against redis-cli and redis-benchmark, as Debian has them (redis-tools), and
# stops it by SIGTERM. Without them it says so, and skips.
set -euo pipefail
cd "$(dirname "$0")"
if ! command -v redis-cli >/dev/null || ! command -v redis-benchmark >/dev/null; then
	echo "SKIPPED: redis-cli and redis-benchmark are not installed (apt-get install redis-tools)"
	exit 0
fi

dir=$(mktemp -d)
member=
cleanup() {
	[ -z "$member" ] || kill "$member" 2>/dev/null || true
	rm -rf "$dir"
}
trap cleanup EXIT
fail() {
	echo "FAILED: $*"
	cat "$dir/log"
	exit 1
}
same() { # what got want
	[ "$2" = "$3" ] || fail "$1: got '$2', want '$3'"
	echo "ok: $1"
}

go build -o "$dir/cachemesh" .
"$dir/cachemesh" member --listen 127.0.0.1:0 --redis-listen off --redis-socket "$dir/redis" --http-listen off 2>"$dir/log" &
member=$!
for _ in $(seq 600); do
	if [ -S "$dir/redis" ] && redis-cli -s "$dir/redis" ping >/dev/null 2>&1; then break; fi
	kill -0 "$member" 2>/dev/null || fail "the member ended"
	sleep 0.1
done

cli() { redis-cli -s "$dir/redis" -3 "$@"; }
same "SET" "$(cli set k v)" OK
same "GET" "$(cli get k)" v
same "SET EX, TTL" "$(cli set t v ex 100) $(cli ttl t)" "OK 100"
same "an unknown command" "$(cli bogus a)" "ERR unknown command 'bogus', with args beginning with: 'a' "
same "DEL" "$(cli del k t none)" 2
for i in $(seq 2000); do printf '*3\r\n$3\r\nSET\r\n$5\r\nk%04d\r\n$1\r\nx\r\n' "$i"; done | cli --pipe >"$dir/pipe"
grep -q "errors: 0, replies: 2000" "$dir/pipe" || fail "--pipe: $(cat "$dir/pipe")"
echo "ok: --pipe"
same "--scan" "$(cli --scan --pattern 'k*' | sort -u | wc -l)" 2000
cli set big "$(printf '%5000s' x)" >/dev/null
cli --bigkeys >"$dir/bigkeys" 2>&1 || fail "--bigkeys: $(cat "$dir/bigkeys")"
grep -qE 'Biggest +string found .*big.* has 5000 bytes' "$dir/bigkeys" || fail "--bigkeys: $(cat "$dir/bigkeys")"
echo "ok: --bigkeys"
timeout 2 stdbuf -oL redis-cli -s "$dir/redis" --stat -i 0.2 >"$dir/stat" 2>&1 || true # until it is ended
grep -qE '^200[0-9] +[0-9.]+[KMG]? +[0-9]+ ' "$dir/stat" || fail "--stat: $(cat "$dir/stat")"
echo "ok: --stat"
same "RESP2" "$(redis-cli -s "$dir/redis" get k0001)" x
for p in 1 16; do
	redis-benchmark -s "$dir/redis" -q -n 5000 -c 10 -P $p -t ping_inline,ping_mbulk,set,get,incr,mset >"$dir/benchmark" 2>&1 || fail "redis-benchmark -P $p"
	! grep -qi error "$dir/benchmark" || fail "redis-benchmark -P $p: $(cat "$dir/benchmark")"
	same "redis-benchmark -P $p" "$(tr '\r' '\n' <"$dir/benchmark" | grep -c 'requests per second, p50')" 6
done

kill -TERM "$member"
code=0
wait "$member" || code=$?
member=
same "exit code after SIGTERM" "$code" 0
grep -q "this member has left" "$dir/log" || fail "it did not leave in order"
