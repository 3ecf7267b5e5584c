package hotcache

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"strconv"
	"testing"

	"github.com/praveenduddu/cachemesh/internal/faultinject"
	"github.com/praveenduddu/cachemesh/internal/session"
	"github.com/praveenduddu/cachemesh/internal/store"
)

// A world is one holder, the cache under test, and the owners of a few keys, with a network between them that delays,
// reorders and loses. Everything that happens is one step, and a chooser picks the next one, so that a run is a
// schedule that can be repeated. The owners follow the protocol for leases; the checker knows the order of writes.
type world struct {
	cache  *Cache
	choose func(n int) int // 0 to n-1
	now    int64
	view   int // which owner owns all keys
	keys   [simKeys]simKey
	net    []func()
	failed error
}

const (
	simKeys  = 3
	simLease = 100
)

// A simKey is what its owner knows about a key, and what the checker does.
type simKey struct {
	version   uint64 // installed
	completed uint64 // of the last write that was answered
	writing   bool
	leased    int64 // when the last lease granted lapses at the owner
}

func newWorld(tb testing.TB, maxBytes int64, faults *faultinject.Faults, choose func(n int) int) *world {
	return &world{choose: choose, cache: newCache(tb, Options{MaxBytes: maxBytes, Faults: faults})}
}

func (w *world) send(message func()) { w.net = append(w.net, message) }

// step does one thing that could happen next.
func (w *world) step() {
	key := w.choose(simKeys)
	switch w.choose(12) {
	case 0, 1, 2:
		w.get(key)
	case 3:
		w.write(key)
	case 4:
		w.now += int64(w.choose(simLease / 2))
		w.settle()
	case 5:
		switch w.choose(6) {
		case 0:
			w.changeView()
		case 1:
			w.cache.Sweep(w.now)
		case 2:
			w.clear()
		}
	default:
		w.deliver()
	}
	w.check()
}

// deliver hands over a message that is under way, not always the oldest, or loses it.
func (w *world) deliver() {
	if len(w.net) == 0 {
		return
	}
	i := w.choose(len(w.net))
	message := w.net[i]
	w.net = append(w.net[:i], w.net[i+1:]...)
	if w.choose(16) != 0 {
		message()
	}
}

// get asks the owner for a key, and keeps the answer if it comes with a lease.
func (w *world) get(key int) {
	k, hash, name := &w.keys[key], hashOf(key), keyName(key)
	owner := w.view
	f := w.cache.Begin(hash, name)
	sent := w.now
	w.send(func() { // arrives at the owner
		if owner != w.view || k.writing {
			f.Drop()
			return
		}
		k.leased = w.now + simLease
		data := make([]byte, 8, 8+w.choose(3)*200)
		binary.BigEndian.PutUint64(data, k.version)
		e := &store.Entry{Key: name, Data: data}
		w.send(func() { // arrives at the holder
			f.Keep(e, Grant{Session: session.NewHeld(strconv.Itoa(owner), sent+simLease), Sent: sent}, w.now)
		})
	})
}

// write installs a version, and completes once the invalidation is acknowledged or the lease has lapsed.
func (w *world) write(key int) {
	k := &w.keys[key]
	if k.writing {
		return
	}
	k.version++
	k.writing = true
	version := k.version
	if w.now < k.leased {
		w.send(func() { // arrives at the holder
			w.cache.Invalidate(hashOf(key), 0)
			w.send(func() { // arrives at the owner
				if k.writing && k.version == version {
					k.writing, k.completed = false, version
				}
			})
		})
	}
	w.settle()
}

// settle completes the writes whose leases have lapsed.
func (w *world) settle() {
	for i := range w.keys {
		if k := &w.keys[i]; k.writing && w.now >= k.leased {
			k.writing, k.completed = false, k.version
		}
	}
}

// changeView gives all keys to an owner that knows of no lease.
func (w *world) changeView() {
	w.view++
	w.cache.Retain(func(_ uint64, owner string) bool { return owner == strconv.Itoa(w.view) })
	w.forgetLeases()
}

// clear writes all keys at once, told to the holder by a single call that is acknowledged at once.
func (w *world) clear() {
	for i := range w.keys {
		w.keys[i].version++
	}
	w.cache.InvalidateAll()
	w.forgetLeases()
}

func (w *world) forgetLeases() {
	for i := range w.keys {
		k := &w.keys[i]
		k.leased, k.writing, k.completed = 0, false, k.version
	}
}

// check reads every key, as a Get that starts now does.
func (w *world) check() {
	for i := range w.keys {
		e := w.cache.Get(hashOf(i), keyName(i), w.now)
		if e == nil {
			continue
		}
		if v := binary.BigEndian.Uint64(e.Data); v < w.keys[i].completed {
			w.failed = fmt.Errorf("key %d: a Get returned version %d after the write of %d was answered",
				i, v, w.keys[i].completed)
		}
	}
	if s := w.cache.Stats(); s.Bytes > s.Bookkeeping+w.cache.capacity.Load() {
		w.failed = fmt.Errorf("%d bytes of %d", s.Bytes, w.cache.capacity.Load())
	}
}

func simulate(tb testing.TB, seed uint64, faults *faultinject.Faults) *world {
	w := newWorld(tb, MinBytes, faults, rand.New(rand.NewPCG(seed, 1)).IntN)
	for range 2000 {
		if w.step(); w.failed != nil {
			break
		}
	}
	return w
}

func TestNoScheduleServesAnOldCopy(t *testing.T) {
	var kept, marked, invalidated uint64
	for seed := range uint64(100) {
		w := simulate(t, seed, nil)
		if w.failed != nil {
			t.Fatalf("seed %d: %v", seed, w.failed)
		}
		s := w.cache.Stats()
		kept, marked, invalidated = kept+s.Kept, marked+s.Marked, invalidated+s.Invalidated
	}
	t.Logf("kept %d, marked %d, invalidated %d", kept, marked, invalidated)
	if kept < 1000 || marked < 1000 || invalidated < 1000 {
		t.Errorf("kept %d, marked %d, invalidated %d: the schedules exercise too little", kept, marked, invalidated)
	}
}

// The checker above is worth nothing if it would not notice that the mark is missing.
func TestCheckerNoticesAnIgnoredMark(t *testing.T) {
	for seed := range uint64(100) {
		if simulate(t, seed, &faultinject.Faults{IgnoreMark: true}).failed != nil {
			return
		}
	}
	t.Error("no schedule served an old copy although marks were ignored")
}

// FuzzSchedule lets the fuzzer choose the schedule.
func FuzzSchedule(f *testing.F) {
	for seed := range uint64(4) {
		choices := make([]byte, 400)
		rng := rand.New(rand.NewPCG(seed, 2))
		for i := range choices {
			choices[i] = byte(rng.Uint32())
		}
		f.Add(choices)
	}
	f.Fuzz(func(t *testing.T, choices []byte) {
		w := newWorld(t, MinBytes, nil, func(n int) int {
			if len(choices) == 0 {
				return 0
			}
			c := int(choices[0]) % n
			choices = choices[1:]
			return c
		})
		for len(choices) > 0 && w.failed == nil {
			w.step()
		}
		if w.failed != nil {
			t.Fatal(w.failed)
		}
	})
}
