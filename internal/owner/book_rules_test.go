//go:build !race

// What is guarded is read between the steps of a bubble, without its lock.

package owner

import (
	"fmt"
	"strings"
	"testing"

	"github.com/praveenduddu/cachemesh/internal/store"
)

func roomOf(most int64) *allowance {
	a := new(allowance)
	a.most.Store(most)
	return a
}

// TestRoomTakesAllThatThereIs and not a byte more.
func TestRoomTakesAllThatThereIs(t *testing.T) {
	a := roomOf(10)
	if !a.take(4) || !a.take(6) || a.take(1) || a.taken.Load() != 10 {
		t.Errorf("%d of 10 taken", a.taken.Load())
	}
	if a.give(1); !a.take(1) {
		t.Error("what was given back cannot be taken")
	}
}

// TestTooLargeKeys: they are remembered for a while, so many of them, while there is room.
func TestTooLargeKeys(t *testing.T) {
	room, m := roomOf(1<<20), make(largeKeys)
	long := strings.Repeat("k", 100)
	m.note(long, 10, room)
	m.note(long, 20, room)
	if want := 64 + store.Allocated(100); room.taken.Load() != want || !m.has(long, 19, room) {
		t.Errorf("%d bytes taken, want %d; remembered %t", room.taken.Load(), want, m.has(long, 19, room))
	}
	if m.has("other", 0, room) {
		t.Error("a key that was not noted")
	}
	if m.has(long, 20, room) || len(m) != 0 || room.taken.Load() != 0 {
		t.Errorf("%d keys, %d bytes when its time is over", len(m), room.taken.Load())
	}
	for i := range 3 * maxTooLarge {
		m.note(fmt.Sprint(i), 10, room)
		if want := min(i+1, maxTooLarge); len(m) != want || room.taken.Load() != int64(want)*tooLargeBytes("x") {
			t.Fatalf("%d keys, %d bytes of %d", len(m), room.taken.Load(), i+1)
		}
	}
	m.forget("unknown", room)
	for key := range m {
		m.forget(key, room)
	}
	if room.taken.Load() != 0 {
		t.Errorf("%d bytes of none", room.taken.Load())
	}
	if m.note("k", 10, roomOf(tooLargeBytes("k")-1)); len(m) != 0 {
		t.Error("noted without room")
	}
}

// TestOverdueWriters: a Writer whose time has passed counts until it returns; what waits for
// it is told then, and its timer is stopped.
func TestOverdueWriters(t *testing.T) {
	m := writings{calls: make(map[string]*writing)}
	m.begin("k")
	w := m.calls["k"]
	if !m.passOver(w) || !w.overdue || m.overdue != 1 {
		t.Errorf("overdue %t, %d of them", w.overdue, m.overdue)
	}
	if m.areQuiet() {
		t.Error("quiet while a Writer runs that was not given up")
	}
	if w.givenUp = true; !m.areQuiet() {
		t.Error("what was given up is waited for")
	}
	m.begin("other")
	if m.areQuiet() {
		t.Error("quiet while another Writer runs")
	}
	fired := make(chan struct{})
	w.timer = newTimer(func() { close(fired) })
	if late := m.end("k", w); !late || m.overdue != 0 || m.calls["k"] != nil || !isClosed(w.free) || w.timer.Stop() {
		t.Errorf("late %t, %d overdue", late, m.overdue)
	}
	if late := m.end("other", m.calls["other"]); late || m.overdue != 0 {
		t.Errorf("late %t, %d overdue", late, m.overdue)
	}
	m.overdue = maxOverdue - 1
	if _, err := m.pending("k"); err != nil {
		t.Errorf("pending: %v", err)
	}
}
