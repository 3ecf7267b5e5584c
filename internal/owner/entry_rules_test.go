//go:build !race

// What is guarded is read between the steps of a bubble, without its lock.

package owner

import (
	"testing"
	"time"

	"github.com/praveenduddu/cachemesh/internal/store"
	"github.com/praveenduddu/cachemesh/internal/view"
	"github.com/praveenduddu/cachemesh/internal/wire"
)

// TestTTL: an entry expires after its TTL, never without one.
func TestTTL(t *testing.T) {
	ruled(t, nil, func(t *testing.T, r *rig) {
		time.Sleep(time.Second)
		for ttl, want := range map[time.Duration]int64{0: 0, -1: 0, Forever: 0, Forever - 1: int64(Forever), 1: second + 1, time.Hour: second + int64(time.Hour)} {
			e := new(store.Entry)
			if r.SetTTL(e, ttl); e.Expires != want {
				t.Errorf("TTL %v: expires at %d, want %d", ttl, e.Expires, want)
			}
		}
		if FreshUntil(&store.Entry{Expires: 7}) != 7 || FreshUntil(&store.Entry{Expires: 7, Care: &store.Care{Fresh: 5}}) != 5 {
			t.Error("fresh until another time")
		}
	})
}

// TestAllow: an entry is charged for the value that it may come to hold, where that fits.
func TestAllow(t *testing.T) {
	ruled(t, nil, func(t *testing.T, r *rig) {
		e := &store.Entry{Key: "k", Data: make([]byte, 100)}
		if r.Allow(e); e.Extra != 0 {
			t.Errorf("extra %d where bytes are the value", e.Extra)
		}
		r.DecodedSize = 1000
		if r.Allow(e); e.Extra != store.ExtraOf(store.Allocated(1000)+100) {
			t.Errorf("extra %d", e.Extra.Bytes())
		}
		most := r.Store.MaxEntry()
		r.DecodedSize = most
		r.Allow(e)
		if e.Extra != 0 {
			t.Errorf("extra %d, more than there is room for", e.Extra.Bytes())
		}
		r.DecodedSize = 1024
		e = &store.Entry{Key: "k", Data: make([]byte, 1<<15)}
		r.Allow(e)
		extra, size := e.Extra, e.Size()
		r.roomFor(size)
		if r.Allow(e); r.Store.MaxEntry() != size || e.Extra != extra {
			t.Errorf("extra %d of an entry of %d bytes, where %d may be", e.Extra.Bytes(), size, r.Store.MaxEntry())
		}
	})
}

// TestEncodings: an entry of another encoding is foreign, and read by those that know it.
func TestEncodings(t *testing.T) {
	ruled(t, nil, func(t *testing.T, r *rig) {
		r.Encoding = 5
		mine, other := new(store.Entry), new(store.Entry)
		r.Mark(mine, 5)
		r.Mark(other, 6)
		if mine.Foreign || !other.Foreign || r.EncodingOf(mine) != 5 || r.EncodingOf(other) != 6 {
			t.Errorf("encodings %v, %v", r.EncodingOf(mine), r.EncodingOf(other))
		}
		if !r.Reads(mine, 5) || r.Reads(mine, 6) || r.Reads(other, 5) || !r.Reads(other, 6) || !r.Reads(&store.Entry{Negative: true}, 6) {
			t.Error("read by the wrong members")
		}
		r.AnswerLimit = 3
		if !r.Fits(&store.Entry{Data: []byte("abc")}) || r.Fits(&store.Entry{Data: []byte("abcd")}) {
			t.Error("what fits an answer is not sent, or the other way round")
		}
	})
}

// TestAttend: an entry gets the care that the group's options want.
func TestAttend(t *testing.T) {
	const now, hour = 7 * int64(time.Second), int64(time.Hour)
	for _, test := range []struct {
		what         string
		care         Care
		expires      int64
		negative     bool
		phase        view.Phase
		none         bool
		fresh, next  int64
		expiresAfter int64
	}{
		{what: "nothing is wanted", expires: now + hour, none: true, expiresAfter: now + hour},
		{what: "not stored", care: Care{RefreshAfter: 5}, expires: DoNotStore, none: true, expiresAfter: DoNotStore},
		{what: "no value", care: Care{RefreshAfter: 5}, negative: true, none: true},
		{what: "refreshed after", care: Care{RefreshAfter: 5}, next: now + 5},
		{what: "refreshed after, with a TTL", care: Care{RefreshAfter: 5, RefreshPart: 0.5}, expires: now + hour, fresh: now + hour, next: now + 5, expiresAfter: now + hour},
		{what: "refreshed after a part", care: Care{RefreshPart: 0.25}, expires: now + hour, fresh: now + hour, next: now + hour/4, expiresAfter: now + hour},
		{what: "refreshed after a part of nothing", care: Care{RefreshPart: 0.25}},
		{what: "served after its TTL", care: Care{StaleFor: 3}, expires: now + hour, fresh: now + hour, expiresAfter: now + hour + 3},
		{what: "without a TTL", care: Care{StaleFor: 3}},
		{what: "without a majority", care: Care{StaleFor: 3}, phase: view.AsHalf, expires: now + hour, fresh: now + hour, expiresAfter: now + hour},
	} {
		ruled(t, nil, func(t *testing.T, r *rig) {
			r.Care = test.care
			r.writes.Act(test.phase)
			e := &store.Entry{Expires: test.expires, Negative: test.negative}
			r.attend(e, now)
			if e.Expires != test.expiresAfter || (e.Care == nil) != test.none {
				t.Errorf("%s: expires %d, care %v", test.what, e.Expires, e.Care)
			}
			if e.Care != nil && (e.Care.Fresh != test.fresh || e.Care.Next.Load() != test.next) {
				t.Errorf("%s: fresh until %d, next %d", test.what, e.Care.Fresh, e.Care.Next.Load())
			}
		})
	}
}

// TestTend: one of those who find that it is time refreshes an entry, which is served until
// its TTL ends.
func TestTend(t *testing.T) {
	ruled(t, nil, func(t *testing.T, r *rig) {
		plain := new(store.Entry)
		if e, due := r.tend(plain, 5); e != plain || due {
			t.Error("an entry without care")
		}
		e := &store.Entry{Care: &store.Care{Fresh: 20}}
		for now, served := range map[int64]bool{19: true, 20: false, 21: false} {
			if got, due := r.tend(e, now); (got == e) != served || due {
				t.Errorf("at %d served %t, due %t", now, got == e, due)
			}
		}
		e.Care.Fresh = 0
		if got, due := r.tend(e, 1<<40); got != e || due {
			t.Error("an entry that is fresh for ever")
		}
		e.Care.Next.Store(10)
		if _, due := r.tend(e, 9); due {
			t.Error("due before its time")
		}
		if _, due := r.tend(e, 10); !due || e.Care.Next.Load() != 10+int64(r.LoadTimeout) {
			t.Errorf("due %t, next %d", due, e.Care.Next.Load())
		}
		if _, due := r.tend(e, 10); due {
			t.Error("due for two")
		}
	})
}

// TestDated: what a write stores has a version; a Delete of what cannot be loaded leaves a
// trace while a member is missing; and what was handed over stays as it is.
func TestDated(t *testing.T) {
	ruled(t, nil, func(t *testing.T, r *rig) {
		r.Run = 9
		r.writes.ActBy(3)
		first, second := r.NextVersion(), r.NextVersion()
		if first.Run != 9 || first.Primary != 3 || !second.After(first) {
			t.Errorf("versions %v, %v", first, second)
		}
		isNew := func(v store.Version) bool { return v.After(second) }
		handed := &store.Entry{Version: store.Version{Clock: 1}}
		if e := r.dated(Change{E: handed, Merge: true}, "k", 5); e != handed || e.Version.Clock != 1 {
			t.Error("what was handed over has another version")
		}
		if e := r.dated(Change{}, "k", 5); e != nil {
			t.Error("a Delete leaves a trace of what can be loaded")
		}
		if e := r.dated(Change{E: &store.Entry{Expires: 8}}, "k", 5); !isNew(e.Version) || e.Expires != 8 {
			t.Errorf("a Set: %v, expires %d", e.Version, e.Expires)
		}
		r.writes.Act(view.AsMinority)
		if e := r.dated(Change{E: &store.Entry{}}, "k", 5); !isNew(e.Version) || e.Expires != 5+int64(time.Minute) {
			t.Errorf("a Set without a majority: %v, expires %d", e.Version, e.Expires)
		}
		r.writes.Trace(true)
		if e := r.dated(Change{}, "k", 5); e != nil {
			t.Error("a Delete leaves a trace of what can be loaded")
		}
		r.Origin.Load = nil
		if e := r.dated(Change{E: &store.Entry{}}, "k", 5); !isNew(e.Version) || e.Expires != 0 || e.Negative {
			t.Errorf("a Set without a loader: %v, expires %d", e.Version, e.Expires)
		}
		if e := r.dated(Change{}, "k", 5); e == nil || !e.Negative || e.Key != "k" || !isNew(e.Version) || e.Expires != 5+int64(view.TraceFor) {
			t.Errorf("a Delete without a loader: %v", e)
		}
		r.writes.Trace(false)
		if e := r.dated(Change{}, "k", 5); e != nil {
			t.Error("a trace though nobody is missing")
		}
	})
}

// TestWhatTheWriterHears: what a user writes, and neither what was handed over nor what
// concerns the cache alone.
func TestWhatTheWriterHears(t *testing.T) {
	ruled(t, nil, func(t *testing.T, r *rig) {
		touch := Change{If: &Conditional{Condition: wire.Condition{Touch: true}}}
		if r.WritesOrigin(Change{}) {
			t.Error("a group without a Writer")
		}
		r.Origin.Write = accepts
		if !r.WritesOrigin(Change{}) || !r.WritesOrigin(Change{If: new(Conditional)}) || r.WritesOrigin(Change{Merge: true}) ||
			r.WritesOrigin(Change{CacheOnly: true}) || r.WritesOrigin(touch) {
			t.Error("the Writer hears of the wrong changes")
		}
		if opName(Change{}) != wire.OpNames[wire.OpDelete] || opName(Change{E: new(store.Entry)}) != wire.OpNames[wire.OpSet] {
			t.Error("a Set is called a Delete, or the other way round")
		}
	})
}
