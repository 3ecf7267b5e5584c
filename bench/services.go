package main

import (
	"fmt"
	"time"

	"github.com/praveenduddu/cachemesh/bench/delay"
	"github.com/praveenduddu/cachemesh/bench/proc"
)

const mixedSize = 512

// mixedWarm is two terms of a lease.
const mixedWarm = 2 * time.Second

func mixedSuite(m mode) suite {
	keys := 5_000
	if m.full {
		keys = 20_000
	}
	job := proc.Job{Work: "mixed", Size: mixedSize, Keys: keys, Callers: 32, Writes: 10}
	return suite{
		name: "mixed", title: "A service over a database",
		text: fmt.Sprintf("Three processes with 32 callers each read through the cache from a table of %d rows of %d B by Zipf's law with an "+
			"exponent of 0.99. One operation in a hundred updates a row and makes the cache forget it; golang/groupcache and "+
			"galaxycache cannot forget, so they serve stale values instead. Everything fits into the caches and was read once before. "+
			"An answer is stale if it is older than a write that had completed in the same process before the read began. "+
			"A system that serves stale values loads less for it. CPU and p99 include the database's part: its process counts, unless it is PostgreSQL.", keys, mixedSize),
		setup: proc.Setup{Members: 3, Drivers: 3, CacheBytes: 256 << 20, HotCopies: true, Entries: 2 * keys,
			Origin: m.origin},
		systems: sharedSystems(),
		fill:    &proc.Job{Work: "fill", Size: mixedSize, Keys: keys},
		cells:   []cell{{name: "mixed", title: "96 callers in three processes", job: job, warm: mixedWarm}},
	}
}

// away is the delay of the network in one direction.
const away = 500 * time.Microsecond

// farSuite is the same over a network that takes time, as between machines.
func farSuite(m mode) suite {
	s := mixedSuite(m)
	s.name, s.title = "far", "The same service, half a millisecond away"
	s.text = fmt.Sprintf("The same work, but whatever goes from one process to another over TCP takes %v longer in each direction, to the "+
		"database too: a delay line stands in every connection, in the process that dialled it, alike for every system. "+
		"Many bytes are on the way at once, so nothing is slower but the answer. What the line costs is in CPU. Gossip over UDP is as before.", away)
	s.setup.Delay, s.setup.Origin.Network = delay.Dialer(away), delay.Dialer(away)
	s.cells[0].name = "mixed-far"
	return s
}

// pacedRounds is how many rounds measure paced work, most of whose time goes into warming up.
const pacedRounds = 5

// pacedSystems are those that can forget, and keep something in the memory of who asks, or are
// the strongest that do not.
var pacedSystems = []string{"cachemesh", "groupcache-go", "olric-embedded", "olric", "redis-rueidis", "redis-rueidis-cached", "redis-go-redis-cached"}

// pacedCallers is how many operations of a process may be under way at once.
const pacedCallers = 64

// pacedSuites are the same service with users that come at a steady rate, each rate with processes
// of its own, for what one has read the next would find.
func pacedSuites(m mode) (all []suite) {
	for _, p := range []struct {
		rate, keys         int
		warm, full, window time.Duration
	}{
		{500, 20_000, 20 * time.Second, 60 * time.Second, 5 * time.Second},
		{3_000, 5_000, 6 * time.Second, 20 * time.Second, 0},
		{20_000, 5_000, 3 * time.Second, 10 * time.Second, 0},
	} {
		if m.full {
			p.warm = p.full
		}
		origin := m.origin
		origin.Delay = time.Millisecond
		all = append(all, suite{
			name: fmt.Sprintf("paced-%d", p.rate), title: fmt.Sprintf("A service at a steady rate: %d a second", p.rate),
			text: fmt.Sprintf("Three processes do %d operations a second each, on %d keys of %d B by Zipf's law with an exponent of 0.99; one in a "+
				"hundred updates a row and makes the cache forget it. A load takes 1 ms. The next operation comes whether or not those before it "+
				"are answered; one that could not begin when it was due, because all %d callers were busy or the process was, is timed from when it was due. "+
				"Warm-up: %v at the same rate, for a near cache fills with what is read. *In own memory*: the share of Gets that the process which asked "+
				"answered without asking another (CacheMesh, rueidis and go-redis count them; Olric embedded holds a third of the keys; – where it cannot be told). "+
				"Latencies are those of Gets. *Late*: operations timed from when they were due; *not begun*: those that were due and nobody began.",
				p.rate, p.keys, mixedSize, pacedCallers, p.warm),
			setup:   proc.Setup{Members: 3, Drivers: 3, CacheBytes: 256 << 20, HotCopies: true, Entries: 2 * p.keys, Origin: origin},
			systems: pacedSystems,
			fill:    &proc.Job{Work: "fill", Size: mixedSize, Keys: p.keys},
			rounds:  pacedRounds,
			cells: []cell{{
				name: fmt.Sprintf("paced-%d", p.rate), title: fmt.Sprintf("%d a second in each of three processes, %d keys", p.rate, p.keys),
				job:  proc.Job{Work: "paced", Size: mixedSize, Keys: p.keys, Callers: pacedCallers, Writes: 10, Rate: p.rate},
				warm: p.warm, window: p.window,
			}},
		})
	}
	return all
}
