//go:build !race

// What is guarded is read between the steps of a bubble, without its lock.

package owner

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/praveenduddu/cachemesh/internal/origin"
)

func newTimer(f func()) *time.Timer { return time.AfterFunc(time.Hour, f) }

// TestLaneCounts loads that run and that are stuck, and begins no more than so many.
func TestLaneCounts(t *testing.T) {
	l, f, g := new(lane), new(flight), new(flight)
	if l.giveUpLocked(f) || l.landLocked(f) || *l != (lane{}) {
		t.Error("a load that waits to begin was given up, or landed")
	}
	if !l.countLocked(f) || !l.countLocked(g) || l.running != 2 || f.state != flightRuns || !l.isFull() {
		t.Errorf("two begin: %+v", l)
	}
	if !l.giveUpLocked(f) || l.giveUpLocked(f) || l.running != 1 || l.stuck != 1 || f.state != flightStuck || l.isFull() {
		t.Errorf("one is stuck: %+v", l)
	}
	f.timer = newTimer(func() {})
	if !l.landLocked(f) || l.landLocked(f) || l.stuck != 0 || l.running != 1 || f.state != flightLanded || f.timer.Stop() {
		t.Errorf("it has returned: %+v", l)
	}
	if !l.landLocked(g) || l.landLocked(g) || g.state != flightLanded || *l != (lane{}) {
		t.Errorf("both have: %+v", l)
	}
}

// TestLaneIsFull: loads that have not returned, stuck ones included, are bounded.
func TestLaneIsFull(t *testing.T) {
	for _, test := range []struct {
		running, stuck int
		full, counts   bool
	}{
		{0, 0, false, true}, {maxRunning, 0, true, true}, {0, maxLoading - 1, false, true}, {0, maxLoading, true, false},
		{1, maxLoading - 1, true, false}, {1, maxLoading - 2, false, true},
	} {
		l := lane{running: test.running, stuck: test.stuck}
		if full := l.isFull(); full != test.full {
			t.Errorf("%d run, %d are stuck: full %t", test.running, test.stuck, full)
		}
		if counts := l.countLocked(new(flight)); counts != test.counts {
			t.Errorf("%d run, %d are stuck: one more begins %t", test.running, test.stuck, counts)
		}
	}
}

// TestLanes: a lane is joined where it can be, and is there while something stands in it.
func TestLanes(t *testing.T) {
	m := make(lanes)
	l := m.of("k")
	f, g := &flight{key: "k"}, &flight{key: "k"}
	if m.of("k") != l || l.joinable() != nil {
		t.Error("another lane, or one with a load")
	}
	if l.next = g; l.joinable() != g {
		t.Error("who comes does not join the load that waits")
	}
	m.dropNext(f)
	m.dropNext(&flight{key: "other"})
	if l.next != g || f.state != flightWaits {
		t.Error("another load was dropped")
	}
	if m.close("k", l); m["k"] != l {
		t.Error("closed with a load in it")
	}
	if m.dropNext(g); l.next != nil || g.state != flightLanded || m["k"] != nil {
		t.Errorf("dropped: %+v, %d lanes", l, len(m))
	}
	l = m.of("k")
	if l.current = f; l.joinable() != f {
		t.Error("who comes does not join the load that runs")
	}
	m.unlink(g)
	m.unlink(&flight{key: "other"})
	if l.current != f {
		t.Error("another load was unlinked")
	}
	if m.unlink(f); l.current != nil {
		t.Error("not unlinked")
	}
	if m.close("k", new(lane)); m["k"] != l {
		t.Error("another lane was closed")
	}
	if m.close("k", l); len(m) != 0 {
		t.Error("not closed")
	}
}

// TestHurry: a load is hurried, and so is the call of LoadMany that carries it; it waits for
// its turn if one of them does.
func TestHurry(t *testing.T) {
	o := &origin.Origin{Turn: origin.NewTurns(1, 1)}
	f, b := new(flight), new(loadBatch)
	f.hurry(context.Background(), o)
	if f.place == (origin.Place{}) || f.isQueued() {
		t.Errorf("place %v, queued %t", &f.place, f.isQueued())
	}
	f.batch.Store(b)
	f.hurry(context.Background(), o)
	if b.place == (origin.Place{}) || f.isQueued() {
		t.Errorf("place of the batch %v, queued %t", &b.place, f.isQueued())
	}
	if b.place.Queued.Store(true); !f.isQueued() {
		t.Error("the batch waits for its turn")
	}
	b.place.Queued.Store(false)
	if f.place.Queued.Store(true); !f.isQueued() {
		t.Error("it waits for its turn")
	}
}

// TestGathering: what gathers is started once, unless nothing is left; who is called off
// before is spared; and the last one calls it off.
func TestGathering(t *testing.T) {
	batch := func(flights ...*flight) (*gathering, *loadBatch) {
		b := &loadBatch{flights: flights, waiting: len(flights)}
		b.ctx, b.cancel = context.WithCancel(context.Background())
		return &gathering{open: b}, b
	}
	one, two := new(flight), new(flight)
	if g, b := batch(one, two); !g.start(b) || g.start(b) || g.open != nil || b.ctx.Err() != nil {
		t.Error("not started, or twice, or called off, or still joined")
	}
	if g, b := batch(); g.start(b) || g.open != nil || b.ctx.Err() == nil {
		t.Error("one with nothing in it")
	}
	g, b := batch(one, two)
	other := new(loadBatch)
	if g.open = other; !g.start(b) || g.open != other {
		t.Error("another does not gather any more")
	}
	if g.leave(b, one) || len(b.flights) != 2 || b.ctx.Err() != nil || b.waiting != 1 {
		t.Error("LoadMany has the key by now, and the other waits")
	}
	if g.leave(b, two) || b.ctx.Err() == nil || g.open != other {
		t.Error("nobody waits, and it goes on")
	}
	g, b = batch(one, two)
	if !g.leave(b, one) || len(b.flights) != 1 || b.flights[0] != two || b.ctx.Err() != nil || g.open != b {
		t.Errorf("one was called off: %d are left", len(b.flights))
	}
	if !g.leave(b, two) || b.ctx.Err() == nil || g.open != nil || !b.started {
		t.Error("both were: it can be joined")
	}
}

// TestCohortIsLeft: the last who leaves cancels its load; if that waits, it never runs.
func TestCohortIsLeft(t *testing.T) {
	runs, gathers := newCohort(context.Background(), nil), newCohort(context.Background(), nil)
	p := &cohorts{running: runs, next: gathers}
	n := 0
	p.all(func(*cohort) { n++ })
	(&cohorts{}).all(func(*cohort) { n++ })
	if n != 2 {
		t.Errorf("%d cohorts, want 2", n)
	}
	runs.waiters, gathers.waiters = 2, 1
	if p.leave(runs); runs.ctx.Err() != nil {
		t.Error("somebody waits")
	}
	if p.leave(runs); runs.ctx.Err() == nil || isClosed(runs.done) || p.next != gathers {
		t.Error("nobody waits for the load that runs")
	}
	if p.leave(gathers); gathers.ctx.Err() == nil || !isClosed(gathers.done) || p.next != nil {
		t.Error("nobody waits for the load that waits")
	}
}

// TestShards: as many as the room is for, a power of two.
func TestShards(t *testing.T) {
	for bytes, want := range map[int64]int{0: 1, shardFrom: 1, 2*shardFrom - 1: 1, 2 * shardFrom: 2, 2*shardFrom + 1: 2, 3 * shardFrom: 4, 1 << 40: maxShards} {
		if n := shardsFor(bytes); n != want {
			t.Errorf("%d bytes: %d shards, want %d", bytes, n, want)
		}
	}
	var c shards
	c.init(4 * shardFrom)
	if c.made() != nil || c.ShardsCost() != 4*shardBytes {
		t.Errorf("%d made, cost %d", len(c.made()), c.ShardsCost())
	}
	if len(c.allShards()) != 4 || &c.allShards()[0] != &c.made()[0] {
		t.Error("made twice, or not as many")
	}
	if c.Release(); len(c.made()) != 1 || !c.made()[0].closed {
		t.Error("not released")
	}
	var unmade shards
	unmade.init(4 * shardFrom)
	if unmade.closeUnmade(); len(unmade.made()) != 1 || !unmade.shard(1).closed {
		t.Error("can still be made")
	}
	var made shards
	made.init(4 * shardFrom)
	made.allShards()
	if made.closeUnmade(); len(made.made()) != 4 {
		t.Error("those that were made were closed")
	}
}

// TestShardIsQuiet when no load, no cohort, no write and no Writer is under way in it.
func TestShardIsQuiet(t *testing.T) {
	for what, test := range map[string]struct {
		begin       func(s *shard)
		idle, quiet bool
	}{
		"nothing":  {func(*shard) {}, true, true},
		"a load":   {func(s *shard) { s.running = 1 }, false, false},
		"a write":  {func(s *shard) { s.reserved.reserve("k") }, false, false},
		"a cohort": {func(s *shard) { s.cohorts["k"] = new(cohorts) }, true, false},
		"a Writer": {func(s *shard) { s.writings.begin("k") }, true, false},
	} {
		s := &(*newShards(1))[0]
		if test.begin(s); s.isIdle() != test.idle || s.isQuietLocked() != test.quiet {
			t.Errorf("%s: idle %t, quiet %t", what, s.isIdle(), s.isQuietLocked())
		}
	}
}

// TestShardCloses: all loads are called off, and nothing new begins.
func TestShardCloses(t *testing.T) {
	s := &(*newShards(1))[0]
	ctx, cancel := context.WithCancel(context.Background())
	s.lanes.of("k").current = &flight{key: "k", cancel: cancel}
	s.lanes.of("waits").next = &flight{key: "waits"}
	co := newCohort(context.Background(), nil)
	s.cohorts["k"] = &cohorts{running: co}
	if s.closeLocked(); !s.closed || !errors.Is(ctx.Err(), context.Canceled) || co.ctx.Err() == nil {
		t.Errorf("closed %t; the load %v, the cohort %v", s.closed, ctx.Err(), co.ctx.Err())
	}
}
