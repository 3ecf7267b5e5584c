package owner

import (
	"github.com/praveenduddu/cachemesh/internal/store"
)

// Resize gives a part other room, that its store can do with.
func (c *Part) Resize(r Room) {
	c.notes.most.Store(r.Books)
	c.Labels.SetRoom(r.Tags)
	c.setbacks.resize(r.Failed)
	c.reasons.resize(r.Failed)
	if c.copies != nil {
		c.copies.Resize(r.Store)
	} else {
		c.Store.Resize(r.Store)
	}
	c.MaxBytes.Store(r.All)
}

// HeldBytes is what a part takes of MaxBytes.
func (c *Part) HeldBytes(st store.Stats) int64 {
	lists, _ := c.Labels.Bytes()
	n := st.Bytes - st.Unmade + c.notes.taken.Load() + lists + c.Owed.held() + c.setbacks.held() + c.reasons.held()
	if c.copies != nil {
		n += c.copies.Stats().Bytes
	}
	if c.made() == nil {
		n -= c.ShardsCost()
	}
	return n
}
