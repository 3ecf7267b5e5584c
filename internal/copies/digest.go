package copies

import (
	"context"
	"slices"

	"github.com/praveenduddu/cachemesh/internal/replica"
	"github.com/praveenduddu/cachemesh/internal/store"
	"github.com/praveenduddu/cachemesh/internal/view"
	"github.com/praveenduddu/cachemesh/internal/wire"
)

// digests are what is asked of others about this member's keys.
type digests struct {
	asks
	asking map[string]bool // by ID, those that are being asked; guarded by mu
}

// digestTries is how often one page of a digest is asked for, but for the first.
const digestTries = 5

// askDigest asks a member for what it holds of this one's keys, by a view and in an epoch of
// this member's own.
func (c *digests) askDigest(v *view.View, epoch uint64, id string) {
	defer c.unask(id)
	to := v.Peers[id]
	if to == nil {
		return
	}
	var at store.Place
	for first, tries := uint64(0), 0; ; {
		page, answered := c.digestPage(v, to, at)
		if !answered {
			c.lock()
			c.core.Unreached(id, epoch, c.Clock.Now())
			c.unlock()
			// With the first page again, a long digest would never end where one page in many is late.
			if tries++; at == (store.Place{}) || tries == digestTries || c.View() != v {
				return
			}
			continue
		}
		tries = 0
		if page == nil || first != 0 && page.Epoch != first {
			return // it has another view: it is asked again
		}
		first = page.Epoch
		lines, ok := replica.Unpack(page.Lines)
		if !ok {
			return
		}
		c.Clock.SeeVersion(page.Cleared.Clock)
		for _, l := range lines {
			c.Clock.SeeVersion(l.Version.Clock)
		}
		for ; len(lines) > digestStep; lines = lines[digestStep:] {
			c.tellDigest(id, epoch, page, lines[:digestStep], false)
		}
		c.tellDigest(id, epoch, page, lines, !page.More)
		if !page.More {
			return
		}
		at = page.At
	}
}

// digestStep is how many lines the core is told at once: others wait meanwhile.
const digestStep = 1024

func (c *digests) tellDigest(id string, epoch uint64, page *wire.DigestPage, lines []replica.Line, last bool) {
	c.lock()
	defer c.unlock()
	if c.core.IsLong(id, page.Epoch, page.Cleared) {
		c.long.Add(1)
		defer c.long.Add(-1)
	}
	c.core.Digested(id, epoch, page.Epoch, page.Cleared, lines, last)
	c.kickLocked()
}

// digestPage asks for one part of a digest. It is nil if the member has another view.
func (c *digests) digestPage(v *view.View, to *view.Owner, at store.Place) (page *wire.DigestPage, answered bool) {
	ctx, cancel := context.WithTimeout(c.Life.Context(), 2*copyPatience)
	defer cancel()
	c.mu.Lock()
	first := c.core.First()
	c.mu.Unlock()
	body, status, _, err := c.Carrier.Ask(ctx, to, wire.OpDigest, v.ID, wire.AppendDigestRequest(nil, at, first))
	if err != nil {
		return nil, false
	}
	if status != wire.StatusOK {
		return nil, true
	}
	d, ok := wire.ParseDigestPage(body)
	if !ok {
		return nil, true
	}
	return &d, true
}

// othersLocked returns those of a list of IDs that are not being asked, and notes that they are.
func (c *digests) othersLocked(ids []string) []string {
	ids = slices.DeleteFunc(ids, func(id string) bool { return c.asking[id] || id == c.Self })
	for _, id := range ids {
		c.asking[id] = true
		c.core.Asks(id)
	}
	return ids
}

// unask notes that a member is not asked for its digest after all.
func (c *digests) unask(id string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.asking, id)
}
