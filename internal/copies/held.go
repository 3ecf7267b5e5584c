package copies

import (
	"github.com/praveenduddu/cachemesh/internal/replica"
	"github.com/praveenduddu/cachemesh/internal/store"
)

// held is the store as the core sees it.
type held struct{ *Basis }

func (h held) Peek(hash uint64) *store.Entry {
	return h.Store.PeekHash(hash, h.Clock.Now())
}

// Set fails for an entry that is too large, and if the group was closed.
func (h held) Set(hash uint64, e *store.Entry) bool {
	now := h.Clock.Now()
	old := h.Store.PeekHash(hash, now)
	err := h.Put(hash, e, now)
	if old != nil && (err != nil || old.Key != e.Key) {
		h.Store.Delete(hash, old.Key)
	}
	return err == nil
}

// Takes goes by what peers may send of a value, and by what the store takes.
func (h held) Takes(e *store.Entry) (replica.Limit, bool) {
	if len(e.Data) > h.MaxValue {
		return replica.Limit{Of: replica.OfValue, Bytes: int64(h.MaxValue)}, false
	}
	most := h.Store.MaxEntry()
	return replica.Limit{Of: replica.OfEntry, Bytes: most}, e.Size() <= most
}

// Delete is called for what a Clear ends, and for what is nobody's loss: the owner's word drops
// a copy, or a trace has had its time.
func (h held) Delete(hash uint64) {
	if e := h.Peek(hash); e != nil {
		h.Store.Remove(hash, e.Key, store.Cleared)
	}
}

func (h held) Range(f func(hash uint64, e *store.Entry) bool) {
	h.Store.Range(h.Clock.Now(), f)
}

func (h held) Walk(at store.Place, f func(hash uint64, e *store.Entry)) (store.Place, bool) {
	return h.Store.Walk(at, h.Clock.Now(), f)
}
