package owner

import (
	"math"

	"github.com/praveenduddu/cachemesh/internal/errs"
	"github.com/praveenduddu/cachemesh/internal/store"
)

// NoteUnreadable counts a value that cannot be read, and logs one from time to time.
func (c *memory) NoteUnreadable(key string, err error) {
	u := &c.Unreadable
	u.Count.Add(1)
	if u.logged.isDue(c.Clock.Now()) {
		c.Log.Warn("a cached value cannot be read here and counts as a miss: another version of this program, or another codec, made it",
			"group", c.Name, "key", key, "err", err, "total", u.Count.Load())
	}
}

// noteTooLargeToKeep counts a loaded value that the store does not take, and logs one
// from time to time: each Get of its key loads it.
func (c *memory) noteTooLargeToKeep(e *store.Entry, now int64) {
	c.Counts.TooLarge.Add(1)
	if !c.tooBig.isDue(now) {
		return
	}
	most, maxBytes := c.Store.MaxEntry(), c.MaxBytes.Load()
	enough := int64(math.Ceil(float64(maxBytes)/float64(most)*float64(e.Size())/(1<<20))) << 20
	c.Log.Warn("a loaded value is too large to be kept, and is loaded for every Get of its key: raise GroupOptions.MaxBytes, or keep less in one value",
		"group", c.Name, "key", e.Key, "bytes", e.Size(), "limit", most, "max_bytes", maxBytes, "max_bytes_needed", enough,
		"total", c.Counts.TooLarge.Load())
}

// refreshFailed notes that a refresh failed, of which nobody else hears: whoever
// reads the key has the value before it.
func (c *memory) refreshFailed(err error) {
	if c.Life.IsClosing() {
		return
	}
	if le, ok := err.(*errs.LoadError); ok {
		err = withoutStack(le)
	}
	c.Counts.RefreshErrors.Add(1)
	c.Counts.RefreshError.Store(&err)
	if c.complained.isDue(c.Clock.Now()) {
		c.Log.Warn("a refresh failed: the value before it is served, and the next attempts wait longer and longer",
			"group", c.Name, "total", c.Counts.RefreshErrors.Load(), "err", err)
	}
}

// ComplainOfCopies says, seldom, that others keep this map's values in several copies, and this
// member in one: what they hold of keys that are its own by now it does not ask for.
func (c *memory) ComplainOfCopies() {
	if c.Origin.Load == nil && !c.Cache && c.oneCopy.isDue(c.Clock.Now()) {
		c.Log.Warn("others keep several copies of a group's values, and this member one: GroupOptions.Replicas must be the same on all", "group", c.Name)
	}
}
