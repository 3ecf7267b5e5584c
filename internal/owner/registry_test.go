package owner

import (
	"math/rand/v2"
	"runtime"
	"slices"
	"testing"

	"github.com/praveenduddu/cachemesh/internal/labels"
	"github.com/praveenduddu/cachemesh/internal/session"
)

// TestRegistry does what a map of lists would, however registrations come and go, and gives
// back what it took.
func TestRegistry(t *testing.T) {
	var r registry
	var room allowance
	room.most.Store(1 << 30)
	want := make(map[uint64][]session.Slot)
	rng := rand.New(rand.NewPCG(1, 2))
	for step := range 200_000 {
		hash := rng.Uint64N(3000) << 40 // as in one shard: some bits are all alike
		switch n := rng.IntN(10); {
		case n < 6+2*(step>>16&1):
			slot := session.Slot(1 + rng.IntN(9))
			if !r.note(hash, slot, 0, &room) {
				t.Fatal("no room")
			}
			if !slices.Contains(want[hash], slot) {
				want[hash] = append(want[hash], slot)
			}
		default:
			got := r.take(hash, &room)
			slices.Sort(got)
			slices.Sort(want[hash])
			if !slices.Equal(got, want[hash]) {
				t.Fatalf("step %d: took %v, want %v", step, got, want[hash])
			}
			delete(want, hash)
		}
		if r.used != len(want) {
			t.Fatalf("step %d: %d registrations, want %d", step, r.used, len(want))
		}
	}
	for hash := range want {
		if r.find(hash) < 0 {
			t.Fatalf("%x is not found", hash)
		}
		r.take(hash, &room)
	}
	if r.used != 0 || len(r.cells) != 0 || room.taken.Load() != 0 {
		t.Errorf("%d used of %d, %d bytes, of nothing", r.used, len(r.cells), room.taken.Load())
	}
}

// TestRegistryHasNoMoreRoom: what there is no room for is refused and costs nothing, and what is
// there stays.
func TestRegistryHasNoMoreRoom(t *testing.T) {
	var r registry
	var room allowance
	room.most.Store(2 * leastCells * cellBytes)
	noted := 0
	for hash := range uint64(100) {
		if r.note(hash+1, 1, 0, &room) {
			noted++
		}
	}
	if noted < leastCells || room.taken.Load() > room.most.Load() {
		t.Errorf("%d noted in %d bytes of %d", noted, room.taken.Load(), room.most.Load())
	}
	for slot := range session.Slot(maxHolders + 10) {
		r.note(1, slot+1, 0, &room)
	}
	if n := len(r.take(1, &room)); n < cellHolders || room.taken.Load() > room.most.Load() {
		t.Errorf("%d holders in %d bytes of %d", n, room.taken.Load(), room.most.Load())
	}
	room.most.Store(1 << 20)
	for slot := range session.Slot(maxHolders + 10) {
		r.note(2, slot+1, 0, &room)
	}
	if n := len(r.take(2, &room)); n != maxHolders {
		t.Errorf("%d holders, want %d", n, maxHolders)
	}
}

// TestEnds: a registration is over when the latest value is of which there was a copy, not
// before, and a millisecond or two after at most.
func TestEnds(t *testing.T) {
	for _, now := range []int64{0, 1, 1 << 40, 1<<52 - 5, 1<<52 + 7, 1 << 60} {
		for _, left := range []int64{1, 1e6, 1e9, 3600e9, 86400e9} {
			e := endOf(now+left, now)
			if e == 0 || e.isOver(now+left-1) || !e.isOver(now+left+3e6) {
				t.Errorf("at %d, %d later: %d, over at once %t, in time %t", now, left, e, e.isOver(now+left-1), e.isOver(now+left+3e6))
			}
			if later := e.later(endOf(now+left+1e9, now)); later.isOver(now + left + 5e8) {
				t.Error("not the later of two")
			}
		}
	}
	if endOf(0, 5) != 0 || endOf(1<<60, 5) != 0 || tick(0).isOver(1<<60) || tick(0).later(5) != 0 || tick(5).later(0) != 0 {
		t.Error("what does not end does")
	}
}

// TestRegistrationCost measures what a copy that others hold costs its owner: 32 bytes or so with up to
// four holders, and never above 96; 8 for each further holder.
func TestRegistrationCost(t *testing.T) {
	const keys = 100_000
	cost := func(holders int) (bytes, charged float64) {
		var room allowance
		room.most.Store(1 << 40)
		shards := make([]registry, 64)
		before := heapInUse()
		for i := range uint64(keys) {
			hash := i * hashScatter
			for slot := range session.Slot(holders) {
				shards[hash>>58].note(hash, slot+1, 0, &room)
			}
		}
		bytes = float64(heapInUse()-before) / keys
		runtime.KeepAlive(shards)
		return bytes, float64(room.taken.Load()) / keys
	}
	for _, holders := range []int{1, 3, 4, 16, 32} {
		bytes, charged := cost(holders)
		t.Logf("%d holders: %.1f bytes a registration, %.1f charged", holders, bytes, charged)
		if holders <= 4 && bytes > 40 || bytes > charged*1.25+8 {
			t.Errorf("%d holders take %.1f bytes, %.1f are charged", holders, bytes, charged)
		}
	}
}

// TestRegistryLabels: the label of a hash is held as long as somebody has a copy.
func TestRegistryLabels(t *testing.T) {
	var r registry
	var room allowance
	room.most.Store(1 << 20)
	x := new(labels.Index)
	x.SetRoom(1 << 20)
	old, other := x.New("k", []string{"a"}), x.New("k", []string{"b"})
	r.note(7, 1, 0, &room)
	for _, l := range []*labels.Label{old, other, other, nil, old} {
		if !r.bear(7, l, &room) || r.labelOf(7) != l {
			t.Errorf("label %v of %v", r.labelOf(7), l)
		}
	}
	r.unlabel(7, &room)
	if r.labelOf(7) != old {
		t.Error("unlabelled while there is a holder")
	}
	r.take(7, &room)
	if r.unlabel(7, &room); r.labelOf(7) != nil || room.taken.Load() != 0 {
		t.Errorf("%d bytes of nothing", room.taken.Load())
	}
}

// TestLeaving: registrations that are taken back are gone when their holders have said so, but not
// those that a write has taken meanwhile, and that are new.
func TestLeaving(t *testing.T) {
	var r registry
	var room allowance
	room.most.Store(1 << 20)
	for hash := range uint64(100) {
		r.note(hash+1, 1, 0, &room)
		if hash%2 == 0 {
			r.note(hash+1, 2, 0, &room)
		}
	}
	all := r.leave(10, func(uint64) bool { return true })
	if len(all.holders) != 10 {
		t.Fatalf("%d leave", len(all.holders))
	}
	written := false
	for hash, slots := range all.holders {
		if len(slots) != 1 || !r.isLeaving(hash) {
			t.Errorf("%d: %v leaves, which two hold, or is not leaving", hash, slots)
		}
		if !written {
			written = true
			r.take(hash, &room)
			r.note(hash, 3, 0, &room)
			if r.left(all, hash, &room); !slices.Equal(r.take(hash, &room), []session.Slot{3}) {
				t.Error("a new registration went with the one before")
			}
		}
		if r.left(all, hash, &room); r.find(hash) >= 0 || r.isLeaving(hash) {
			t.Error("it stays")
		}
	}
	if r.used != 90 {
		t.Errorf("%d stay", r.used)
	}
	if got := r.leaveAll(func(hash uint64) bool { return hash%2 == 1 }); len(got.holders) != 50 {
		t.Errorf("%d leave of 50 that were chosen", len(got.holders))
	}
}

// TestLeavingTwice: of two that take a registration back the later ends it, and neither ends one
// that came after: its holder would hear of no write.
func TestLeavingTwice(t *testing.T) {
	var r registry
	var room allowance
	room.most.Store(1 << 20)
	every := func(uint64) bool { return true }
	r.note(7, 1, 0, &room)
	first, second := r.leaveAll(every), r.leave(1, every)
	if r.left(first, 7, &room); r.find(7) < 0 || !r.isLeaving(7) {
		t.Error("the first ends what the second takes back")
	}
	if r.left(second, 7, &room); r.find(7) >= 0 || r.isLeaving(7) {
		t.Error("the second does not end it")
	}
	r.note(7, 2, 0, &room)
	third := r.leaveAll(every)
	for _, d := range []departure{first, second} {
		if r.left(d, 7, &room); !r.isLeaving(7) || r.find(7) < 0 {
			t.Fatal("what is being taken back anew went with the one before")
		}
	}
	if got := third.holders[7]; !slices.Equal(got, []session.Slot{2}) {
		t.Errorf("holders %v", got)
	}
	if r.left(third, 7, &room); r.find(7) >= 0 {
		t.Error("it stays")
	}
}

func heapInUse() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}
