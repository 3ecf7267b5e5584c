package owner

import (
	"strings"
	"sync"

	"github.com/praveenduddu/cachemesh/internal/store"
)

// owed are the keys of a group that were written on this side of a cut only, or
// whose origin was written without the mesh being told. The majority may serve
// what they had before, so it is made to forget them on return.
type owed struct {
	mu   sync.Mutex          // guards the fields below
	keys map[string]struct{} // at most maxOwed
	all  bool                // there were more: the whole group is forgotten

	bytes int64 // that keys takes; at most a third of what notes on keys may take
}

const (
	maxOwed  = 4096
	owedCost = 64 // what a key takes besides itself
)

// note notes a key. room is what notes on keys may take.
func (o *owed) note(key string, room int64) {
	o.mu.Lock()
	defer o.mu.Unlock()
	cost := owedCost + store.Allocated(int64(len(key)))
	_, noted := o.keys[key]
	switch {
	case o.all || noted:
	case len(o.keys) >= maxOwed || o.bytes+cost > room/3:
		o.all, o.keys, o.bytes = true, nil, 0
	default:
		if o.keys == nil {
			o.keys = make(map[string]struct{})
		}
		o.keys[strings.Clone(key)] = struct{}{}
		o.bytes += cost
	}
}

// noteAll notes that all keys of the group are to be forgotten.
func (o *owed) noteAll() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.all, o.keys, o.bytes = true, nil, 0
}

// Any reports whether something is owed.
func (o *owed) Any() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.all || len(o.keys) > 0
}

// Take returns what is owed, and forgets it.
func (o *owed) Take() (keys map[string]struct{}, all bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	keys, all = o.keys, o.all
	o.keys, o.all, o.bytes = nil, false, 0
	return keys, all
}

// held is what the keys take, in bytes.
func (o *owed) held() int64 {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.bytes
}
