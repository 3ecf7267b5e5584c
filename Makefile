# What is slow, or needs more than Go, has a target of its own here.
# The two commands that most people need are in README.md: go test ./... and go run ./examples/readthrough

STATICCHECK = honnef.co/go/tools/cmd/staticcheck@v0.8.2
FUZZTIME   ?= 20s
SEEDS      ?= 20000
COUNT      ?= 6
VALUES     ?= 8000000
PKG        ?= ./internal/quorum ./internal/settle ./internal/origin ./internal/owner ./internal/clock ./internal/view
ARGS       ?=
OLD        ?= HEAD~1
MEMBERS    ?= 50

.PHONY: build man test race lint fuzz histories faults crashes increments moves upgrade-test large-mesh postgres bench bench-full queues benchstat mutants java java-binaries java-boot-4.1 spring-sample

# The program, for those who use no Go: bin/cachemesh.
build:
	go build -o bin/ ./cmd/cachemesh

# The program's manual, for man(1): bin/man/man1. man -l bin/man/man1/cachemesh-member.1
man: build
	bin/cachemesh man bin/man/man1

# Maven with the JDK that it runs on, 17 or newer: that of JAVA_HOME, or of javac.
MVN = JAVA_HOME="$${JAVA_HOME:-$$(dirname $$(dirname $$(readlink -f $$(command -v javac))))}" mvn -B -ntp

# The Java modules and all their tests, with the program for this machine.
java: build
	cd java && $(MVN) verify -Dcachemesh.targets=host

# The same on the next Spring Boot, the sample on H2.
java-boot-4.1: build
	cd java && $(MVN) verify -P boot-4.1 -Dcachemesh.targets=host -Dsample.database=h2

# The Java modules as they are published, with the program for all five systems: it takes a while at first.
java-binaries:
	cd java && $(MVN) package -P release -DskipTests

test:
	go test ./...

race:
	go test -race ./...

lint:
	gofmt -l . | (! grep .)
	go vet ./... ./cmd/cachemesh/... ./examples/polyglot/... ./examples/readthrough/... ./examples/services/...
	go run $(STATICCHECK) ./... ./cmd/cachemesh/... ./examples/polyglot/... ./examples/readthrough/... ./examples/services/...

# Every fuzz target for FUZZTIME.
fuzz:
	scripts/fuzz.sh $(FUZZTIME)

# Thousands of recorded histories through the linearizability checker, and what befalls copies near writes.
histories:
	go test ./internal/meshtest -run 'Linearizable|ReplicasHistories|ReplicasNear|OneWriter|Nemesis' -seeds $(SEEDS) -timeout 2h

# Real processes in network namespaces, with kill -9, SIGSTOP, black holes. Needs root and iproute2.
faults:
	go run ./internal/faults

# Values in several copies while members crash, in full: 100 000 of them, and a crash every 5 s for a minute.
crashes:
	go run ./internal/faults -run copies -values 100000 -crashes 60s

# 80 callers count one key up 1000 times each, while members join, leave and crash.
increments:
	go test ./internal/meshtest -run Increments -increments 1000 -timeout 30m -v

# Eight million values that nobody could load again: a member joins, one leaves, one is cut
# off while it leaves. Needs 8 GB of memory.
moves:
	go run ./internal/moves -values $(VALUES)

# From the program of an older commit to this tree's and back, member by member, under load: make upgrade-test OLD=HEAD~5
upgrade-test:
	scripts/upgrade-test.sh $(OLD)

# Fifty members as processes, with 200 groups: what each takes while nothing is asked of it, and the dashboard of one
# in Chromium while another is killed. Needs npm ci in dashboard/browser, 3 GB of memory and four minutes.
large-mesh:
	cd cmd/cachemesh && CACHEMESH_MEMBERS=$(MEMBERS) CACHEMESH_BROWSER=$$(command -v chromium) go test -count=1 -timeout 20m -run TestLargeMesh -v .

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

# Small changes to the deterministic cores, each against its package's own tests. Slow where a package's
# tests are: make mutants PKG=./internal/quorum ARGS='-test.skip ExploreNotices -worlds 200'
# or, of a package whose external tests need whole meshes, with those inside it alone, and of some files:
# make mutants PKG=./internal/owner FLAGS='-inner -only book.go,lane.go' ARGS='-test.skip LeaseCost|AreBounded'
mutants:
	cd internal/mutants && GOWORK=off go run . $(FLAGS) -args "$(ARGS)" $(PKG:./%=../../%)

# Three instances of the Spring Boot sample, driven: what their cache does, as a table. ARGS=postgres: on a server of PostgreSQL.
spring-sample:
	java/sample/drive.sh $(ARGS)
