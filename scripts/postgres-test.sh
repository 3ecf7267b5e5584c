#!/usr/bin/env bash
# Runs the tests of the examples that need PostgreSQL against a server of its own: Debian's packages
# (apt-get install postgresql), a data directory and a port that are gone afterwards. Nothing of a server that
# runs already is touched.
#
#   scripts/postgres-test.sh [arguments of go test]
set -euo pipefail
cd "$(dirname "$0")/../examples/readthrough"

bin=$(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort -V | tail -n 1 || true)
if [ -z "$bin" ]; then
	echo "postgres-test: no PostgreSQL server under /usr/lib/postgresql: apt-get install postgresql" >&2
	exit 2
fi

dir=$(mktemp -d "${TMPDIR:-/tmp}/cachemesh-postgres-XXXXXX")
as() { "$@"; } # the server refuses to run as root
if [ "$(id -u)" = 0 ]; then
	chown postgres "$dir"
	as() { runuser -u postgres -- "$@"; }
fi
finish() {
	if [ -f "$dir/data/postmaster.pid" ]; then
		as "$bin/pg_ctl" -D "$dir/data" -m immediate -w stop >/dev/null || true
	fi
	rm -rf "$dir"
}
trap finish EXIT
trap 'exit 130' INT TERM

echo "postgres-test: starting $("$bin/postgres" --version)"
as "$bin/initdb" -D "$dir/data" -A trust -U cachemesh -E UTF8 --no-sync >"$dir/initdb.log" 2>&1 || { cat "$dir/initdb.log" >&2; exit 1; }
# A port that is free now may be taken in a moment: try a few.
started=
for _ in 1 2 3 4 5; do
	port=$((20000 + RANDOM % 12000))
	if as "$bin/pg_ctl" -D "$dir/data" -l "$dir/server.log" -w -t 30 \
		-o "-c listen_addresses=127.0.0.1 -c port=$port -c unix_socket_directories=$dir -c fsync=off" start >/dev/null 2>&1; then
		started=yes
		break
	fi
done
if [ -z "$started" ]; then
	cat "$dir/server.log" >&2
	exit 1
fi

export CACHEMESH_POSTGRES_DSN="postgres://cachemesh@127.0.0.1:$port/postgres?sslmode=disable"
go test -tags postgres -run Postgres -count=1 "$@" .
cd ../services
go test -tags postgres -run Postgres -count=1 "$@" ./pgxloader
