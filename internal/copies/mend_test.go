package copies

import (
	"slices"
	"testing"

	"github.com/praveenduddu/cachemesh/internal/replica"
	"github.com/praveenduddu/cachemesh/internal/store"
)

// holding is what a member has, as its core sees it: one key at a time.
type holding map[uint64]*store.Entry

func (h holding) Peek(hash uint64) *store.Entry                 { return h[hash] }
func (h holding) Set(hash uint64, e *store.Entry) bool          { h[hash] = e; return true }
func (h holding) Takes(*store.Entry) (l replica.Limit, ok bool) { return l, true }
func (h holding) Delete(hash uint64)                            { delete(h, hash) }

func (h holding) Range(f func(uint64, *store.Entry) bool) {
	for hash, e := range h {
		if !f(hash, e) {
			return
		}
	}
}

func (h holding) Walk(at store.Place, f func(uint64, *store.Entry)) (store.Place, bool) {
	hash := at.From
	if e := h[hash]; e != nil {
		f(hash, e)
	}
	at.From++
	return at, int(at.From) < len(h)
}

// gaining returns what makes the copies of a member that stays while another leaves that had so many keys, and what
// the other has of them.
func gaining(keys uint64) (c *mender, lines []replica.Line) {
	h := make(holding)
	for hash := range keys {
		v := store.Version{Clock: 1 + hash}
		h[hash] = &store.Entry{Version: v}
		lines = append(lines, replica.Line{Hash: hash, Version: v})
	}
	c = &mender{digests: digests{asks: asks{guarded: new(guarded)}}}
	c.core = replica.New(replica.Config{Self: "stays", Copies: 2, Fewer: true, Held: h})
	c.core.Adopt(replica.View{ID: 1, Members: []string{"leaves", "stays"},
		Owner:      func(uint64) string { return "stays" },
		Successors: func(_ uint64, n int) []string { return []string{"stays"}[:min(n, 1)] },
	})
	c.core.Own()
	return c, lines
}

// digested takes the digest of who leaves, or some lines of it as if they were all.
func (c *mender) digested(lines []replica.Line) {
	c.core.Digested("leaves", c.core.Epoch(), 7, store.Version{}, lines, true)
}

// TestWorksWhileItGoesThroughItsKeys: a member leaves, and all of its keys are another's, which has looked at one of
// them. That one the member is told to drop: it waits for so long only as something happens.
func TestWorksWhileItGoesThroughItsKeys(t *testing.T) {
	c, lines := gaining(100)
	if sends, more := c.workLocked(0, c.core.Carry(1)); len(sends) > 0 || !more {
		t.Fatalf("%d sent, more %v, before the digest was in", len(sends), more)
	}
	c.digested(lines[:1])
	sends, more := c.workLocked(0, c.core.Carry(1))
	if !slices.ContainsFunc(sends, func(s replica.Send) bool { return s.Op == replica.Drop && s.To == "leaves" && s.Hash == 0 }) {
		t.Errorf("%d sent, and the key is not dropped by who leaves", len(sends))
	}
	if !more {
		t.Error("it rests, and has not looked at all keys")
	}
}

// TestPassesByWhatIsDone: of those keys that are to be looked at next most are done. It does not rest before it has come
// to the others.
func TestPassesByWhatIsDone(t *testing.T) {
	const done, left = 5 * 1024, 100
	c, lines := gaining(done + left)
	for c.core.Carry(1) {
	}
	c.digested(lines)
	work := func(now int64, most int) (sends []replica.Send) {
		c.flying = mendFlying - most
		for more := true; more && len(sends) < most; {
			var some []replica.Send
			some, more = c.workLocked(now, false)
			sends = append(sends, some...)
		}
		return sends
	}
	for _, s := range work(0, done) {
		c.core.Answered(s, replica.Answer{Result: replica.Done}, 0)
	}
	for _, s := range work(0, left) {
		c.core.Answered(s, replica.Answer{}, 0) // it is asked again later
	}
	if n := len(work(1, left)); n != left {
		t.Errorf("it rests after %d of %d", n, left)
	}
}
