package owner

import (
	"github.com/praveenduddu/cachemesh/internal/labels"
	"github.com/praveenduddu/cachemesh/internal/ring"
	"github.com/praveenduddu/cachemesh/internal/store"
)

// label lets an entry say which tags its value bears, if the group has tags. It calls the
// user's function, so no lock is held. An entry that the group cannot read bears every one,
// and so does one whose tags cannot be told.
func (c *memory) label(e *store.Entry) {
	if c.Tags == nil || e == nil || e.Negative || e.Care != nil && e.Care.Label != nil {
		return
	}
	tags, err := c.Tags(e)
	l := c.Labels.New(e.Key, tags)
	if err != nil {
		l = c.Labels.Unknown(e.Key)
		c.complainOfTags(e.Key, err)
	}
	if l != nil {
		c.stick(e, l)
	}
}

// stick puts a label on an entry that nobody else has.
func (c *memory) stick(e *store.Entry, l *labels.Label) {
	if e.Care == nil || e.Care == store.Copied { // which is one for all
		e.Care = &store.Care{Copied: e.IsCopied()}
	}
	e.Care.Label = l
}

// put stores an entry, lets it be found by its tags first, and by scans. Under the shard's lock.
func (c *memory) put(hash uint64, e *store.Entry, now int64) error {
	l := labelOf(e)
	l.Hold()
	err := c.Store.Set(hash, e, now)
	if err != nil || e.Expires != 0 && e.Expires <= now { // the store has not taken it
		l.Release()
		return err
	}
	c.windows.note(hash)
	return nil
}

// complainOfTags says, seldom, that the tags of a value could not be told.
func (c *memory) complainOfTags(key string, err error) {
	c.Counts.TagErrors.Add(1)
	if c.untagged.isDue(c.Clock.Now()) {
		c.Log.Warn("the tags of a value cannot be told: it goes with every tag that is deleted", "group", c.Name, "key", key, "err", err)
	}
}

// gone is told of each entry that leaves the store, and of those whose values have no copies
// it tells the listener.
func (c *memory) gone(e *store.Entry, why store.Cause) {
	labelOf(e).Release()
	if c.Listener == nil || e.IsCopied() || e.Negative {
		return
	}
	if why == store.Replaced {
		switch now := c.Store.Peek(ring.Hash(c.Seed, e.Key), e.Key, 0); {
		case now == nil:
		case now.Version == e.Version:
			return // it is the same value, decoded
		case now.Negative:
			why = store.Deleted
		}
	}
	c.tellRemoved(e.Key, why)
}

// tellRemoved tells the listener of a value that this member has no more. It waits for nothing.
func (c *memory) tellRemoved(key string, why store.Cause) {
	if !c.IsCut() && !c.Life.IsClosing() {
		c.Listener.note(key, why)
	}
}
