package owner

import (
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/praveenduddu/cachemesh/internal/labels"
	"github.com/praveenduddu/cachemesh/internal/wire"
)

// A Removal says which values of a group go: those that bear one of the tags, or those
// whose keys begin with a prefix.
type Removal struct {
	Tags   []string
	Prefix string // with Tags nil
}

// hits reports whether a value of a key goes.
func (r *Removal) hits(key string, l *labels.Label) bool {
	if r.Tags != nil {
		return l.BearsAny(r.Tags)
	}
	return strings.HasPrefix(key, r.Prefix)
}

func (r *Removal) bytes() int {
	n := len(r.Prefix)
	for _, tag := range r.Tags {
		n += len(tag)
	}
	return n
}

// What is remembered of removals: so many, and so many bytes of tags and prefixes.
const (
	maxRemovals     = 256
	maxRemovalBytes = 16 << 10
)

// removals are the last ones of a part, by number. A load does not know which tags its value
// will bear, so a removal cannot take its token back. Instead it notes how many there were when
// it began, and its value is not stored if one of those that came since hits it. If these
// are not remembered any more, that is taken for granted: with more than maxRemovals while
// it runs, a load is one whose value is not stored.
type removals struct {
	count atomic.Uint64 // removals so far; written with mu held

	mu    sync.Mutex // guards the fields below; taken inside a shard's lock
	last  []Removal  // the newest at the end, whose number is count
	bytes int
}

// note gives a removal the next number.
func (r *removals) note(rem Removal) {
	r.mu.Lock()
	defer r.mu.Unlock()
	own := Removal{Prefix: strings.Clone(rem.Prefix), Tags: slices.Clone(rem.Tags)}
	r.last = append(r.last, own)
	r.bytes += own.bytes()
	drop := 0
	for drop < len(r.last) && (len(r.last)-drop > maxRemovals || r.bytes > maxRemovalBytes) {
		r.bytes -= r.last[drop].bytes()
		drop++
	}
	r.last = slices.Delete(r.last, 0, drop)
	r.count.Add(1)
}

// hit returns the number of the first removal after since that hits a value of a key, 0 for none:
// whoever came after that may not have it, and it does not matter what came later. A nil label bears no tags.
func (r *removals) hit(since uint64, key string, l *labels.Label) uint64 {
	if r.count.Load() == since {
		return 0
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	forgotten := r.count.Load() - uint64(len(r.last))
	if since < forgotten {
		return since + 1 // it is not remembered
	}
	for i := since - forgotten; i < uint64(len(r.last)); i++ {
		if r.last[i].hits(key, l) {
			return forgotten + i + 1
		}
	}
	return 0
}

// op is the operation that asks a peer for a removal.
func (r *Removal) op() uint8 {
	if r.Tags != nil {
		return wire.OpDeleteTag
	}
	return wire.OpDeletePrefix
}

// Pack returns the operation and its Value that ask a peer for a removal.
func (r *Removal) Pack() (op uint8, list []byte) {
	if op = r.op(); op == wire.OpDeletePrefix {
		return op, wire.AppendKeys(nil, []string{r.Prefix})
	}
	return op, wire.AppendKeys(nil, r.Tags)
}

// ParseRemoval undoes Pack. It reports false if the list is malformed.
func ParseRemoval(op uint8, list []byte) (r Removal, ok bool) {
	names, ok := wire.ParseKeys(list)
	switch {
	case !ok || len(names) == 0:
		return r, false
	case op == wire.OpDeleteTag:
		return Removal{Tags: names}, true
	}
	return Removal{Prefix: names[0]}, len(names) == 1
}
