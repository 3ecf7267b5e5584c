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

// shard returns the shard of a scattered hash.
func (s *Store) shard(place uint64) *atomic.Pointer[table] {
	return &s.shards[place&uint64(len(s.shards)-1)]
}

// chain returns the table and the bucket of a hash.
func (s *Store) chain(hash uint64) (*table, *atomic.Pointer[Entry]) {
	place := s.scatter.Of(hash)
	t := s.shard(place).Load()
	return t, t.bucket(place)
}

// find returns the linked entry of the key, or nil. It takes mu only where the
// chain changed under its feet.
func (s *Store) find(hash uint64, key string) *Entry {
	t, bucket := s.chain(hash)
	var last *Entry
	for e := bucket.Load(); e != nil; e = e.next.Load() {
		if e.hash == hash && e.Key == key && e != severed {
			return e
		}
		last = e
	}
	if last != severed && !t.retired.Load() {
		return nil
	}
	return s.findAgain(hash, key)
}

// findAgain is find where the chain changed under a reader's feet.
func (s *Store) findAgain(hash uint64, key string) *Entry {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, e := s.findLocked(hash, key)
	return e
}

// findLocked returns the entry of the key and the link that points to it, or nil.
func (s *Store) findLocked(hash uint64, key string) (link *atomic.Pointer[Entry], e *Entry) {
	_, link = s.chain(hash)
	for e = link.Load(); e != nil; e = link.Load() {
		if e.hash == hash && e.Key == key {
			return link, e
		}
		link = &e.next
	}
	return nil, nil
}

// twinsLocked returns the number of linked entries with the hash, and the oldest.
func (s *Store) twinsLocked(hash uint64) (n int, oldest *Entry) {
	_, bucket := s.chain(hash)
	for e := bucket.Load(); e != nil; e = e.next.Load() {
		if e.hash == hash {
			n, oldest = n+1, e
		}
	}
	return n, oldest
}

// linkLocked makes e the entry of its key and returns the one that was, or nil.
func (s *Store) linkLocked(e *Entry) (old *Entry) {
	link, old := s.findLocked(e.hash, e.Key)
	if old != nil {
		e.next.Store(old.next.Load())
		link.Store(e)
		old.next.Store(severed)
	} else {
		t, b := s.chain(e.hash)
		if t == emptyTable || t.n >= len(t.buckets) {
			s.resizeLocked(e.hash, max(minBuckets, 2*len(t.buckets)))
			t, b = s.chain(e.hash)
		}
		e.next.Store(b.Load())
		b.Store(e)
		t.n++
		s.entries++
	}
	s.mortal += mortality(e) - mortality(old)
	return old
}

// unlinkLocked removes e and reports whether it was linked.
func (s *Store) unlinkLocked(e *Entry) bool {
	t, link := s.chain(e.hash)
	for at := link.Load(); at != e; at = link.Load() {
		if at == nil {
			return false
		}
		link = &at.next
	}
	link.Store(e.next.Load())
	e.next.Store(severed)
	t.n--
	s.entries--
	s.mortal -= mortality(e)
	if t.n < len(t.buckets)/4 && len(t.buckets) > minBuckets {
		s.resizeLocked(e.hash, len(t.buckets)/2)
	}
	return true
}

// resizeLocked moves the entries of a shard into a table of the given size. It
// points each entry at one that was moved before it, or at nothing, so that a
// reader who strays along always arrives at an end.
func (s *Store) resizeLocked(hash uint64, buckets int) {
	shard := s.shard(s.scatter.Of(hash))
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
			b := t.bucket(s.scatter.Of(e.hash))
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
