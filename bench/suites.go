package main

import (
	"fmt"
	"slices"
	"time"

	"github.com/praveenduddu/cachemesh/bench/proc"
	"github.com/praveenduddu/cachemesh/bench/systems"
	"github.com/praveenduddu/cachemesh/bench/work"
)

// A suite is work that is done with the same processes.
type suite struct {
	name, title string
	text        string // how it is measured, for the report
	setup       proc.Setup
	systems     []string  // names; nil: all but the local ones
	fill        *proc.Job // done once after the start, unmeasured
	cells       []cell
	rounds      int // at most; 0: all
}

// A cell is one measurement.
type cell struct {
	name, title string
	job         proc.Job
	fullOnly    bool     // left out in short mode
	systems     []string // nil: the suite's
	repeat      int      // runs that make up one measurement; default 1
	memory      bool     // the resident set before and after is what counts

	warm, window time.Duration // at least, unless it is a smoke test
}

// windows returns how long a cell is warmed up, and measured.
func (m *mode) windows(c *cell) (warm, window time.Duration) {
	if m.smoke {
		return m.warm, m.duration
	}
	return max(m.warm, c.warm), max(m.duration, c.window)
}

var meshFamily = []string{"cachemesh", "groupcache", "groupcache-go", "galaxycache"}

// writers are the systems whose values can be written and deleted.
var writers = []string{"cachemesh", "groupcache-go", "olric-embedded", "olric", "redis-rueidis", "redis-go-redis", "memcached"}

// sharedSystems are all that share a cache between processes.
func sharedSystems() []string {
	var names []string
	for _, e := range systems.All {
		if e.Kind != systems.Local && e.Name != "cachemesh-struct" {
			names = append(names, e.Name)
		}
	}
	return names
}

// cachingClients are clients of a server that answer from memory of their own.
var cachingClients = []string{"redis-rueidis-cached", "redis-go-redis-cached"}

// withoutCopies are the shared systems that can be asked for what is elsewhere.
func withoutCopies() []string {
	return slices.DeleteFunc(sharedSystems(), func(name string) bool { return slices.Contains(cachingClients, name) })
}

// suites returns what is measured in the given mode.
func suites(m mode) []suite {
	return append([]suite{local(), remote(), batch(), writes(), storms(m), mixedSuite(m), farSuite(m), memory(m)}, pacedSuites(m)...)
}

func local() suite {
	hit := proc.Job{Work: "hit", Size: 128, Keys: 10_000, Place: proc.Here, Callers: 1}
	two := hit
	two.Callers = 2
	hot := proc.Job{Work: "hit", Size: 128, Keys: 100, Place: proc.There, Callers: 1}
	few := hot
	few.Place = proc.Here
	own := []string{"cachemesh", "cachemesh-struct", "groupcache", "groupcache-go", "galaxycache", "olric-embedded", "ristretto", "otter", "sturdyc"}
	return suite{
		name: "local", title: "Hits in the caller's own memory",
		text: "Meshes have two members; the keys are those that the caller's member owns. " +
			"Hot copies are 100 keys that the other member owns, or the server holds, read until they are kept here.",
		setup:   proc.Setup{Members: 2, Drivers: 1, CacheBytes: 256 << 20, HotCopies: true, Entries: 20_000},
		systems: slices.Concat(own, cachingClients),
		cells: []cell{
			{name: "local", title: "10 000 keys of 128 B, one caller", job: hit, systems: own},
			{name: "local-2", title: "10 000 keys of 128 B, two callers", job: two, systems: own},
			{name: "local-100", title: "100 keys of 128 B, one caller", job: few, systems: []string{"cachemesh", "cachemesh-struct", "groupcache", "ristretto", "otter"}},
			{name: "hot", title: "Hot copies: 100 keys of 128 B owned elsewhere, one caller", job: hot, systems: slices.Concat(meshFamily, cachingClients)},
		},
	}
}

func remote() suite {
	s := suite{
		name: "remote", title: "Hits in another process's memory",
		text: "Two processes: one calls, the other owns the keys, or is the server. The caller's side keeps no copies. " +
			"Keys: 10 000 of 128 B, 2 000 of 4 KiB, 256 of 64 KiB.",
		setup:   proc.Setup{Members: 2, Drivers: 1, CacheBytes: 256 << 20, Entries: 20_000},
		systems: withoutCopies(),
	}
	for _, v := range []struct {
		size, keys int
		title      string
	}{{128, 10_000, "128 B"}, {4 << 10, 2_000, "4 KiB"}, {64 << 10, 256, "64 KiB"}} {
		for _, callers := range []int{1, 64, 512} {
			s.cells = append(s.cells, cell{
				name:     fmt.Sprintf("remote-%d-%d", v.size, callers),
				title:    fmt.Sprintf("%s, %d callers", v.title, callers),
				job:      proc.Job{Work: "get", Size: v.size, Keys: v.keys, Place: proc.There, Callers: callers},
				fullOnly: v.size > 128 && callers != 64,
			})
		}
	}
	return s
}

func batch() suite {
	return suite{
		name: "getmany", title: "Many keys with one call",
		text: "100 of 10 000 keys of 128 B in one call. Meshes and Olric spread them over three members, of which " +
			"the caller is one in a mesh; Redis and memcached hold all of them in one server, and get them with one MGET or its like.",
		setup:   proc.Setup{Members: 3, Drivers: 1, CacheBytes: 256 << 20, Entries: 20_000},
		systems: []string{"cachemesh", "olric", "redis-rueidis", "redis-go-redis", "memcached"},
		cells: []cell{
			{name: "getmany-1", title: "one caller", job: proc.Job{Work: "getmany", Size: 128, Keys: 10_000, Callers: 1, Batch: 100}},
			{name: "getmany-16", title: "16 callers", job: proc.Job{Work: "getmany", Size: 128, Keys: 10_000, Callers: 16, Batch: 100}},
		},
	}
}

func writes() suite {
	cold := proc.Job{Work: "set", Size: 128, Keys: 10_000, Place: proc.There, Callers: 64}
	hot := proc.Job{Work: "set-hot", Size: 128, Keys: 100, Place: proc.There, Callers: 64}
	del := proc.Job{Work: "delete", Size: 128, Keys: 16_384, Place: proc.There, Callers: 64}
	return suite{
		name: "write", title: "Sets and Deletes",
		text: "Two processes; the keys are owned by the other one, or held by the server. Cold keys are in no other member's memory. " +
			"Hot keys are 100 keys that 16 further callers read meanwhile, so that a member may hold copies of them. " +
			"Deletes are of cold keys that are in the cache. golang/groupcache and galaxycache can do neither.",
		setup:   proc.Setup{Members: 2, Drivers: 1, CacheBytes: 256 << 20, HotCopies: true, Entries: 20_000},
		systems: writers,
		cells: []cell{
			{name: "set-cold", title: "Set of cold keys, 128 B, 64 callers", job: cold},
			{name: "set-hot", title: "Set of hot keys, 128 B, 64 callers", job: hot},
			{name: "delete", title: "Delete of cold keys, 64 callers", job: del},
		},
	}
}

func storms(m mode) suite {
	repeat := 5
	if m.full {
		repeat = 20
	}
	return suite{
		name: "storm", title: "A storm of misses",
		text: "Three processes with 64 callers each ask at once for one key that is in no cache; loading it takes 50 ms. " +
			"What counts is how often it is loaded.",
		setup: proc.Setup{Members: 3, Drivers: 3, CacheBytes: 64 << 20, HotCopies: true, Entries: 20_000,
			Origin: work.OriginSpec{Delay: 50 * time.Millisecond}},
		systems: sharedSystems(),
		cells: []cell{{name: "storm", title: "192 callers in three processes", repeat: repeat,
			job: proc.Job{Work: "storm", Size: 128, Callers: 64}}},
	}
}

// memoryRounds is how many rounds measure the memory, which varies less than speed.
const memoryRounds = 3

func memory(m mode) suite {
	keys := 50_000
	if m.full {
		keys = 200_000
	}
	names := slices.Concat(meshFamily, []string{"redis-rueidis", "memcached", "ristretto", "otter", "sturdyc"})
	return suite{
		name: "memory", title: "Memory",
		text: fmt.Sprintf("What %d entries with values of 128 B and keys of 13 B take: the growth of the live heap, and of the "+
			"resident set of all processes after a garbage collection.", keys),
		setup:   proc.Setup{Members: 1, Drivers: 1, CacheBytes: 1 << 30, HotCopies: true, Entries: keys},
		systems: names,
		rounds:  memoryRounds,
		cells: []cell{{name: "memory", title: "128 B", memory: true,
			job: proc.Job{Work: "memory", Size: 128, Keys: keys}}},
	}
}
