# What is slow, or needs more than Go, has a target of its own here.
# The two commands that most people need are in README.md: go test ./... and go run ./examples/readthrough

STATICCHECK = honnef.co/go/tools/cmd/staticcheck@v0.8.2
FUZZTIME   ?= 20s
SEEDS      ?= 20000
COUNT      ?= 6
VALUES     ?= 8000000

.PHONY: test race lint fuzz histories faults moves postgres bench bench-full queues benchstat

test:
	go test ./...

race:
	go test -race ./...

lint:
	gofmt -l . | (! grep .)
	go vet ./... ./examples/readthrough/... ./examples/services/...
	go run $(STATICCHECK) ./... ./examples/readthrough/... ./examples/services/...

# Every fuzz target for FUZZTIME.
fuzz:
	scripts/fuzz.sh $(FUZZTIME)

# Thousands of recorded histories through the linearizability checker.
histories:
	go test ./internal/meshtest -run Linearizable -seeds $(SEEDS) -timeout 2h

# Real processes in network namespaces, with kill -9, SIGSTOP, black holes. Needs root and iproute2.
faults:
	go run ./internal/faults

# Eight million values that nobody could load again: a member joins, one leaves, one is cut
# off while it leaves. Needs 8 GB of memory.
moves:
	go run ./internal/moves -values $(VALUES)

# The example's tests against a PostgreSQL server that the script starts.
postgres:
	scripts/postgres-test.sh

# Beside other caches, on this machine; writes bench/RESULTS.md. redis-server and memcached take part if installed.
bench:
	cd bench && GOWORK=off go run . -short

bench-full:
	cd bench && GOWORK=off go run . -full

# What waits between two members: very many callers, and small calls beside large values.
queues:
	cd bench && GOWORK=off go run ./queues

# The library's own benchmarks on the parent commit and on the working tree, compared.
benchstat:
	scripts/benchstat.sh $(COUNT)
