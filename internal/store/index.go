package store

import "sync/atomic"

// The index is split into shards by the low bits of the scattered hash, so that the
// pause of growing a table stays short. A table picks its bucket by the high bits,
// so that buckets are in the order of the scattered hash whatever their number, and
// a scan can go on where it was after the table was replaced. Whoever chooses keys
// does not know how they are scattered, so chains stay short.
//
// Readers take no lock. Why a reader cannot see an entry that was gone before it
// started: an unlinked entry is reachable only through buckets and entries that
// were read before, and those were linked, and pointed at linked ones, when or
// after the reader started. Why it cannot miss one that was there all along:
// entries join at the head of a chain or in the place of the one they replace;
// whoever stands on an entry while it is unlinked arrives at severed; whoever
// walks a table while its chains are taken apart finds it retired. Either way the
// reader asks again under the lock.
type table struct {
	shift   uint8       // 64 − log2(len(buckets))
	retired atomic.Bool // set before the chains are taken apart
	n       int         // entries; guarded by the store's mu
	sketch  *sketch     // nil until used, or beside a keeper; guarded by the store's mu
	buckets []atomic.Pointer[Entry]
}

const (
	minBuckets = 8
	maxTwins   = 8 // entries of equal hash, so that forged keys cannot grow a chain
)

// emptyTable is what a shard without entries points to. It is never written.
var emptyTable = newTable(1)

// severed ends the chain of every unlinked entry. It is never written. Its key
// equals one with hash 0 only if that key is empty, which find rules out.
var severed = new(Entry)

func newTable(buckets int) *table {
	t := &table{shift: 64, buckets: make([]atomic.Pointer[Entry], buckets)}
	for n := buckets; n > 1; n >>= 1 {
		t.shift--
	}
	return t
}

func (t *table) bucket(place uint64) *atomic.Pointer[Entry] { return &t.buckets[place>>t.shift] }

// after returns the first hash of the bucket that follows the one of hash, and
// false if there is none.
func (t *table) after(hash uint64) (uint64, bool) {
	next := (hash>>t.shift + 1) << t.shift
	return next, next != 0
}

// each calls f for the entries of a table that is no part of the index any more: nobody changes
// it.
func (t *table) each(f func(e *Entry)) {
	for i := range t.buckets {
		for e := t.buckets[i].Load(); e != nil; e = e.next.Load() {
			f(e)
		}
	}
}

// index is where the entries are found. Every Get reads its head; the rest is guarded by the
// store's mu.
type index struct {
	scatter Scatter
	shards  []atomic.Pointer[table] // a power of two of them

	_ [64]byte // keeps what writers write away from what readers read

	entries int // linked
	mortal  int // linked, with an expiry
}

// shard returns the shard of a scattered hash.
func (x *index) shard(place uint64) *atomic.Pointer[table] {
	return &x.shards[place&uint64(len(x.shards)-1)]
}

// chain returns the table and the bucket of a hash.
func (x *index) chain(hash uint64) (*table, *atomic.Pointer[Entry]) {
	place := x.scatter.Of(hash)
	t := x.shard(place).Load()
	return t, t.bucket(place)
}

// findLocked returns the entry of the key and the link that points to it, or nil.
func (x *index) findLocked(hash uint64, key string) (link *atomic.Pointer[Entry], e *Entry) {
	_, link = x.chain(hash)
	for e = link.Load(); e != nil; e = link.Load() {
		if e.hash == hash && e.Key == key {
			return link, e
		}
		link = &e.next
	}
	return nil, nil
}

// twinsLocked returns the number of linked entries with the hash, and the oldest.
func (x *index) twinsLocked(hash uint64) (n int, oldest *Entry) {
	_, bucket := x.chain(hash)
	for e := bucket.Load(); e != nil; e = e.next.Load() {
		if e.hash == hash {
			n, oldest = n+1, e
		}
	}
	return n, oldest
}

// linkLocked makes e the entry of its key and returns the one that was, or nil.
func (x *index) linkLocked(e *Entry) (old *Entry) {
	link, old := x.findLocked(e.hash, e.Key)
	if old != nil {
		e.next.Store(old.next.Load())
		link.Store(e)
		old.next.Store(severed)
	} else {
		t, b := x.chain(e.hash)
		if t == emptyTable || t.n >= len(t.buckets) {
			x.resizeLocked(e.hash, max(minBuckets, 2*len(t.buckets)))
			t, b = x.chain(e.hash)
		}
		e.next.Store(b.Load())
		b.Store(e)
		t.n++
		x.entries++
	}
	x.mortal += mortality(e) - mortality(old)
	return old
}

// unlinkLocked removes e and reports whether it was linked.
func (x *index) unlinkLocked(e *Entry) bool {
	t, link := x.chain(e.hash)
	for at := link.Load(); at != e; at = link.Load() {
		if at == nil {
			return false
		}
		link = &at.next
	}
	link.Store(e.next.Load())
	e.next.Store(severed)
	t.n--
	x.entries--
	x.mortal -= mortality(e)
	if t.n < len(t.buckets)/4 && len(t.buckets) > minBuckets {
		x.resizeLocked(e.hash, len(t.buckets)/2)
	}
	return true
}

// resizeLocked moves the entries of a shard into a table of the given size. It
// points each entry at one that was moved before it, or at nothing, so that a
// reader who strays along always arrives at an end.
func (x *index) resizeLocked(hash uint64, buckets int) {
	shard := x.shard(x.scatter.Of(hash))
	old, t := shard.Load(), newTable(buckets)
	t.n = old.n
	if old != emptyTable {
		old.retired.Store(true)
		if old.sketch != nil {
			t.sketch = old.sketch.resized(buckets)
		}
	}
	for i := range old.buckets {
		for e := old.buckets[i].Load(); e != nil; {
			next := e.next.Load()
			b := t.bucket(x.scatter.Of(e.hash))
			e.next.Store(b.Load())
			b.Store(e)
			e = next
		}
	}
	shard.Store(t)
}

func mortality(e *Entry) int {
	if e == nil || e.Expires == 0 {
		return 0
	}
	return 1
}

// countUsesLocked adds n uses of a key in the store to the sketch of its shard.
func (x *index) countUsesLocked(hash uint64, n int) {
	place := x.scatter.Of(hash)
	t := x.shard(place).Load()
	if t.sketch == nil {
		t.sketch = newSketch(len(t.buckets))
	}
	t.sketch.add(place, n, t.n)
}

// hand is where the sweep stands in the index.
type hand struct {
	shard int
	from  uint64 // scattered hash from which on the shard is still to be swept
}

// stepLocked moves a hand to the next bucket.
func (x *index) stepLocked(h *hand) {
	next, more := x.shards[h.shard].Load().after(h.from)
	h.from = next
	if !more {
		*h = hand{shard: (h.shard + 1) % len(x.shards)}
	}
}
