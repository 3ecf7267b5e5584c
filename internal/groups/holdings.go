package groups

import (
	"context"
	"errors"
	"maps"
	"slices"

	"golang.org/x/sync/errgroup"

	"github.com/praveenduddu/cachemesh/internal/errs"
	"github.com/praveenduddu/cachemesh/internal/owner"
	"github.com/praveenduddu/cachemesh/internal/ring"
	"github.com/praveenduddu/cachemesh/internal/route"
	"github.com/praveenduddu/cachemesh/internal/session"
	"github.com/praveenduddu/cachemesh/internal/view"
)

// Holdings returns what the node holds, as its settler sees it: it is a settle.Holdings.
func (r *Registry) Holdings() Holdings { return Holdings{r} }

// Holdings are what a node holds.
type Holdings struct{ r *Registry }

// DropLost drops what the node does not own in v any more, and hands over what nobody could
// load again; if others go on without it, all hot copies too.
func (h Holdings) DropLost(v *view.View, others bool) {
	h.r.adoptSessions(v, others)
	for _, c := range h.r.All() {
		c.DropLost(v)
		if cp := c.Copies(); cp != nil {
			cp.Adopt(v)
		}
		c.Hot.Retain(func(hash uint64, owner string) bool { return v.OwnerID(hash) == owner })
		c.tellAll()
		if others {
			c.Hot.InvalidateAll() // others go on without this node, or soon do
		}
	}
	h.r.Mover.HandOver()
}

// adoptSessions ends what stands with members that are not in a view; if others go on without this
// node, all that it holds.
func (r *Registry) adoptSessions(v *view.View, others bool) {
	r.setting.Sessions.Adopt(func(p session.Peer) bool {
		if p.ID == r.ways.ID {
			return true
		}
		o := v.Peers[p.ID]
		return o != nil && o.Life == p.Life
	}, func(id string) bool { return v.Peers[id] != nil })
	if others {
		r.held.KillAll()
	} else {
		r.held.Retain(func(id string) bool { return v.Peers[id] != nil })
	}
}

// Own says that nobody outside a view can act any more for what the node owns by it.
func (h Holdings) Own(v *view.View) { h.r.eachCopies(func(c *Core) { c.Copies().Own(v) }) }

// Empty says that others went on without the node in a view.
func (h Holdings) Empty(v *view.View) { h.r.eachCopies(func(c *Core) { c.Copies().Empty(v) }) }

// DropBefore drops what was stored before an era and can be loaded again, and all hot copies.
func (h Holdings) DropBefore(era uint32) {
	h.r.held.KillAll()
	for _, c := range h.r.All() {
		c.DropBefore(era)
		c.dropHot()
	}
}

// Moving reports whether new owners must wait for what the node still does.
func (h Holdings) Moving() bool { return h.r.duties.Handing.Load() > 0 }

// ValuesMove reports whether values are on their way from here, or came a moment ago.
func (h Holdings) ValuesMove() bool { return h.r.Mover.ValuesMove() }

// PayOwed makes the mesh forget what is owed, in the background. What cannot be
// paid now is owed still.
func (h Holdings) PayOwed() {
	for _, c := range h.debtors() {
		keys, all := c.Owed.Take()
		if len(keys) == 0 && !all {
			continue
		}
		paid := h.r.setting.Life.Go(func() { h.pay(c, keys, all) })
		if !paid {
			return // closing
		}
	}
}

func (h Holdings) pay(c *Core, keys map[string]struct{}, all bool) {
	ctx, cancel := context.WithTimeout(c.Life.Context(), c.Ways.CallTimeout)
	defer cancel()
	if all {
		if c.Clear(ctx) != nil {
			h.debtor(c).OweAll()
		}
		return
	}
	var g errgroup.Group
	g.SetLimit(route.BatchCalls)
	for key := range keys {
		g.Go(func() error {
			err := c.Change(ctx, ring.Hash(c.Seed, key), key, owner.Change{CacheOnly: true})
			if err != nil && !errors.Is(err, errs.ErrGroupClosed) { // then it is this member's, and holds nothing
				h.debtor(c).Owe(key)
			}
			return nil
		})
	}
	g.Wait()
}

// debtor returns the group that owes what could not be paid for c.
func (h Holdings) debtor(c *Core) *Core {
	h.r.mu.Lock()
	defer h.r.mu.Unlock()
	now := h.r.table.find(c.Name)
	if now == nil || now.Origin.Load == nil {
		h.r.retired.add(c)
		return c
	}
	return now
}

// debtors returns all groups that may owe something, closed ones included.
func (h Holdings) debtors() []*Core {
	h.r.mu.Lock()
	defer h.r.mu.Unlock()
	h.r.retired.forget()
	return slices.AppendSeq(slices.Clone(h.r.table.all()), maps.Values(h.r.retired.groups))
}

// Sweep drops what is over: registrations, copies, and what was parked.
func (r *Registry) Sweep(now int64) {
	r.setting.Sessions.Sweep(now)
	for _, c := range r.All() {
		c.SweepBooks(now)
		c.Hot.Sweep(now)
	}
	r.Mover.Parking.Sweep(now)
}

// DropCopies drops all hot copies.
func (r *Registry) DropCopies() {
	r.held.KillAll()
	for _, c := range r.All() {
		c.dropHot()
	}
}

// Drain waits until no load, no write and no Writer that it can wait for runs on this node
// any more, and what it alone holds is handed over. Loads whose value is not stored may
// follow each other for as long as somebody asks: those are waited for that were asked for
// before. Errors: ctx's; errs.ErrClosed.
func (r *Registry) Drain(ctx context.Context) error {
	life := r.setting.Life
	var unstored []<-chan struct{}
	for _, c := range r.All() {
		unstored = append(unstored, c.Unstored()...)
	}
	for r.duties.Handing.Load() > 0 {
		if err := life.Pause(ctx, route.RetryFloor); err != nil {
			return err
		}
	}
	for _, c := range r.All() {
		if err := c.AwaitIdle(ctx); err != nil {
			return err
		}
	}
	if err := r.drainCopies(ctx); err != nil {
		return err
	}
	for _, done := range unstored {
		select {
		case <-done:
		case <-ctx.Done():
			return ctx.Err()
		case <-life.Closing():
			return errs.ErrClosed
		}
	}
	for r.duties.Telling.Load() > 0 {
		if err := life.Pause(ctx, route.RetryFloor); err != nil {
			return err
		}
	}
	return nil
}
