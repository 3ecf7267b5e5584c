package owner

import (
	"errors"
	"fmt"
	"sync/atomic"

	"github.com/praveenduddu/cachemesh/internal/errs"
	"github.com/praveenduddu/cachemesh/internal/labels"
	"github.com/praveenduddu/cachemesh/internal/store"
)

// memory is what a part has in its store, with what it remembers of values that it has not,
// or not any more. It knows no shards: who changes a key holds the lock of the key's.
type memory struct {
	*Basis // the part's

	setbacks *setbacks // loads that failed; nil: they are not remembered
	reasons  *setbacks // why values that are old were not loaded again; nil: none is kept past its TTL

	Counts     partCounts
	Unreadable unreadable
	complained seldom // that a refresh failed
	tooBig     seldom // that a value is too large to be kept

	Owed     owed         // to the majority; has a lock of its own
	MaxBytes atomic.Int64 // GroupOptions.MaxBytes, or a part of Options.TotalBytes
	notes    allowance    // for registrations, and notes of keys that are too large

	Labels   *labels.Index // of what is stored, and of copies that others hold; nil: no tags
	removals removals
	untagged seldom // that the tags of a value cannot be told
	oneCopy  seldom // that others keep several copies
	windows  windows

	Listener *Listener // nil: nobody listens

	// cut says that the group was closed: nothing is held any more.
	cut atomic.Bool
}

// partCounts are what a part counts.
type partCounts struct {
	Deduplicated, StuckLoads, StuckWrites atomic.Uint64
	TooLarge, Refreshes, StaleServed      atomic.Uint64
	RefreshErrors, TagErrors              atomic.Uint64
	RefreshError                          atomic.Pointer[error]

	ClaimsWon, ClaimsFilled, ClaimsVoid, ClaimsLost atomic.Uint64
	ClaimsWaiting                                   atomic.Int64
}

// unreadable is what a group notes about values that it could not read.
type unreadable struct {
	Count  atomic.Uint64
	logged seldom
}

// init prepares what is remembered.
func (c *memory) init(b *Basis, r Room) {
	c.Basis = b
	c.setbacks, c.reasons = newSetbacks(b.FailureTTL, r.Failed), newReasons(b.StaleFor, r.Failed)
	c.notes.most.Store(r.Books)
	if r.Tags > 0 {
		c.Labels = new(labels.Index)
	}
	c.Labels.SetRoom(r.Tags)
	c.MaxBytes.Store(r.All)
}

// IsCut reports whether the group was closed and holds nothing any more.
func (c *memory) IsCut() bool { return c.cut.Load() }

// SetCut says that the group was closed: nothing is held any more.
func (c *memory) SetCut() { c.cut.Store(true) }

// Open returns ErrGroupClosed if the group was closed.
func (c *memory) Open() error {
	if c.IsCut() {
		return errs.ErrGroupClosed
	}
	return nil
}

// closedError says why a shard is closed. What a group without a loader holds is kept
// elsewhere when it is cut: until that has happened writes and Gets must wait, for a Delete
// that finds nothing here has not reached it.
func (c *memory) closedError() error {
	switch {
	case c.Life.IsClosing():
		return errs.ErrClosed
	case c.Origin.Load == nil && !c.IsCut():
		return errs.ErrUnsettled
	}
	return errs.ErrGroupClosed
}

// calledOff returns what those hear whose load ended with an error: that the group was
// closed, if it was called off for that.
func (c *memory) calledOff(err error) error {
	if err != nil && c.IsCut() && c.Loading.Err() != nil && !c.Life.IsClosing() {
		return errs.ErrGroupClosed
	}
	return err
}

// storeError puts what the store said about e into this package's words.
func (c *memory) storeError(e *store.Entry, err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, store.ErrClosed):
		return c.closedError()
	}
	return c.tooLarge(e)
}

func (c *memory) tooLarge(e *store.Entry) error {
	return &errs.RemoteError{Text: fmt.Sprintf("%v: it takes %d bytes with its key and bookkeeping, group %q holds at most %d in one entry",
		errs.ErrTooLarge, e.Size(), c.Name, c.Store.MaxEntry()), Known: errs.ErrTooLarge}
}

// Owe notes a key. Values without a loader are not owed: they are merged.
func (c *memory) Owe(key string) {
	if c.Origin.Load != nil {
		c.Owed.note(key, c.notes.most.Load())
	}
}

// OweAll notes that all keys of the group are to be forgotten.
func (c *memory) OweAll() {
	if c.Origin.Load != nil {
		c.Owed.noteAll()
	}
}

// Remembered returns how many failures are remembered, and what they take.
func (c *memory) Remembered() (keys int, bytes int64) { return c.setbacks.count() }

// ForgetFailures forgets what loaders said.
func (c *memory) ForgetFailures() {
	c.setbacks.forgetAll()
	c.reasons.forgetAll()
}

// forgetFailure forgets what a loader said of a key.
func (c *memory) forgetFailure(key string) {
	c.setbacks.forget(key)
	c.reasons.forget(key)
}
