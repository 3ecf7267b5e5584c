package owner

import (
	"math"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/praveenduddu/cachemesh/internal/store"
	"github.com/praveenduddu/cachemesh/internal/view"
)

// A scan of the mesh goes through the hashes of keys, which are the same on all members: so
// whoever owns a key when its hash is reached shows it. A member's store is in another order,
// so a page would cost a look at all that is held. Instead one look gathers the hashes of many
// pages, a window, which the pages after it use. What is stored meanwhile is added.
const (
	windowHashes = 32 << 10 // about, so a window takes 256 KiB
	windowAdded  = 8 << 10  // hashes that may be added to one
	maxWindows   = 4        // scans of a group that go on side by side without building theirs again
	windowLasts  = int64(10 * time.Second)
)

// window has the hashes of what a member holds between two hashes, both included.
type window struct {
	view     *view.View // by which this member acted, and still does: what it owned is all it owns
	from, to uint64
	until    int64 // it is used until then

	mu     sync.Mutex // guards the fields below; taken inside a shard's lock
	hashes []uint64   // in order; they are replaced as a whole
	added  []uint64   // since, in no order
	lost   bool       // too many were
}

// note adds a hash.
func (w *window) note(hash uint64) {
	if hash < w.from || hash > w.to {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.lost = w.lost || len(w.added) == windowAdded; !w.lost {
		w.added = append(w.added, hash)
	}
}

// now returns the hashes in order. It reports false if some may be missing.
func (w *window) now() (hashes []uint64, ok bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.added) > 0 {
		all := append(slices.Clone(w.hashes), w.added...)
		slices.Sort(all)
		w.hashes, w.added = slices.Compact(all), nil
	}
	return w.hashes, !w.lost
}

// windows are the latest of a part.
type windows struct {
	mu   sync.Mutex                // guards changes of last, and is held while a window is built
	last atomic.Pointer[[]*window] // nil: none
}

// note adds the hash of what is stored to windows.
func (w *windows) note(hash uint64) {
	if last := w.last.Load(); last != nil {
		for _, one := range *last {
			one.note(hash)
		}
	}
}

// keepLocked keeps those windows that f wants, and one more; nil: none.
func (w *windows) keepLocked(f func(*window) bool, more *window) {
	var kept []*window
	if last := w.last.Load(); last != nil {
		kept = slices.DeleteFunc(slices.Clone(*last), func(one *window) bool { return !f(one) })
	}
	if more != nil {
		kept = append(kept, more)
	}
	if kept = kept[max(len(kept)-maxWindows, 0):]; len(kept) == 0 {
		w.last.Store(nil)
		return
	}
	w.last.Store(&kept)
}

// sweep forgets windows whose time is over.
func (w *windows) sweep(now int64) {
	if w.last.Load() == nil {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.keepLocked(func(one *window) bool { return now < one.until }, nil)
}

// at returns the hashes from one on, to another, of what the store has, in order. It builds a
// window if need be.
func (w *windows) at(v *view.View, hash uint64, st *store.Store, now int64) (hashes []uint64, to uint64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if last := w.last.Load(); last != nil {
		for _, one := range *last {
			if one.view != v || hash < one.from || hash > one.to || now >= one.until {
				continue
			}
			if hashes, ok := one.now(); ok {
				return hashes, one.to
			}
		}
	}
	made := &window{view: v, from: hash, to: math.MaxUint64, until: now + windowLasts}
	if n := st.Len(); n > windowHashes {
		if width := math.MaxUint64 / uint64(n) * windowHashes; width < made.to-hash {
			made.to = hash + width
		}
	}
	// It is there before the store is looked at: what that misses is noted.
	w.keepLocked(func(one *window) bool { return now < one.until && !one.isLost() }, made)
	to = made.to
	const most = 2 * windowHashes
	for hashes = hashesOf(st, hash, to, now, most, nil); len(hashes) == most && to > hash; {
		to = hash + (to-hash)/2 // keys that somebody has chosen
		hashes = hashesOf(st, hash, to, now, most, hashes[:0])
	}
	slices.Sort(hashes)
	made.mu.Lock()
	made.hashes = slices.Compact(hashes)
	made.mu.Unlock()
	hashes, ok := made.now()
	if !ok || to != made.to { // good for this once
		w.keepLocked(func(one *window) bool { return one != made }, nil)
	}
	return hashes, to
}

func (w *window) isLost() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.lost
}

// hashesOf appends to dst the hashes from one to another, both included, of what a store has, in
// no order; at most most of them. It looks at all entries.
func hashesOf(st *store.Store, from, to uint64, now int64, most int, dst []uint64) []uint64 {
	st.Range(now, func(hash uint64, _ *store.Entry) bool {
		if hash >= from && hash <= to {
			dst = append(dst, hash)
		}
		return len(dst) < most
	})
	return dst
}
